package manifests

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// checker finds what decoding cannot: values that make no sense together, or not
// for this application and target.
type checker struct {
	*Config
	app      App
	target   Target
	problems problems
}

// Check reports everything in the configuration that does not fit the application or
// the target, each with its position.
func (c *Config) Check(app App, target Target) error {
	if err := target.check(); err != nil {
		return err
	}
	k := &checker{Config: c, app: app, target: target}
	k.places()
	k.store()
	k.profile()
	k.settings("", c.Settings)
	for _, service := range sortedKeys(c.Services) {
		k.service(service, c.Services[service])
	}
	k.names()
	k.problems.sort()
	return k.problems.err()
}

// errorf reports a problem with the key at path, or with the nearest one above
// it that is written.
func (k *checker) errorf(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	for at := path; at != ""; at = above(at) {
		if n := k.at[at]; n != nil {
			k.problems = append(k.problems, problem{n.Line, n.Column, fmt.Sprintf("%s:%d:%d: %s", k.file, n.Line, n.Column, text)})
			return
		}
	}
	k.problems = append(k.problems, problem{text: text})
}

func above(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// written reports whether the file has the key at path.
func (k *checker) written(path string) bool { return k.at[path] != nil }

func (k *checker) places() {
	if k.Namespace != "" && len(validation.IsDNS1123Label(k.Namespace)) > 0 {
		k.errorf("namespace", "%q is no name of a namespace: want letters a to z, digits and dashes, at most 63", k.Namespace)
	}
	if k.Keys != "" && len(validation.IsDNS1123Subdomain(k.Keys)) > 0 {
		k.errorf("keys", "%q is no name of a secret", k.Keys)
	}
	path := "registry"
	if k.Image != "" {
		path = "image"
		if k.Registry != "" {
			k.errorf("image", "registry is given too; want one of them")
		}
	}
	if _, err := k.ImagesOf(k.app); err != nil {
		k.errorf(path, "%v", err)
	}
	switch k.Images {
	case "", OneImage:
	case ImagesOfServices:
		if k.Image != "" {
			k.errorf("images", "there is one for each service, and image names only one; want registry")
		}
		if k.kind() == Embedded {
			k.errorf("images", "the embedded store has all services in one process; want %s", OneImage)
		}
	default:
		k.errorf("images", "%q; want %s or %s", k.Images, OneImage, ImagesOfServices)
	}
}

func (k *checker) store() {
	kind := k.kind()
	if kind != FoundationDB && kind != Embedded && kind != StoreServer {
		k.errorf("store.kind", "%q; want %s, %s or %s", kind, FoundationDB, Embedded, StoreServer)
		return
	}
	for key, of := range map[string]string{"secret": FoundationDB, "address": StoreServer, "size": Embedded} {
		if k.written("store."+key) && kind != of {
			k.errorf("store."+key, "is for a store of kind %s; this one is %s", of, kind)
		}
	}
	switch kind {
	case StoreServer:
		host, port, err := net.SplitHostPort(strings.TrimPrefix(k.Store.Address, "tcp://"))
		if !strings.HasPrefix(k.Store.Address, "tcp://") || err != nil || host == "" || port == "" {
			k.errorf("store.address", "%q; want tcp://host:port", k.Store.Address)
		}
	case Embedded:
		k.embedded()
	}
}

// embedded checks that nobody wants more than one process.
func (k *checker) embedded() {
	if k.target == Knative {
		k.errorf("store.kind", "the embedded store lives in one process, and Knative starts a second one to replace it; use --target kubernetes, or a store of kind %s", FoundationDB)
	}
	for _, service := range append([]string{""}, sortedKeys(k.Services)...) {
		r, path := k.Replicas, "replicas"
		if service != "" {
			r, path = k.Services[service].Replicas, "services."+service+".replicas"
		}
		for key, value := range map[string]*int{".min": r.Min, ".max": r.Max} {
			if value != nil && *value != 1 {
				k.errorf(path+key, "%d replicas with the embedded store, which lives in one process; want 1, or a store of kind %s", *value, FoundationDB)
			}
		}
	}
}

func (k *checker) profile() {
	p := k.Profile
	if p == nil {
		return
	}
	if k.kind() == Embedded {
		k.errorf("profile", "the embedded store has all services in one process, where none can be paused alone; want a store of kind %s", FoundationDB)
	}
	if p.Cores != 0 && p.Cores < 0.01 {
		k.errorf("profile.cores", "%g; want at least 0.01", p.Cores)
	}
	if p.Target != "" {
		k.known("profile.target", p.Target)
	}
	if p.Batch != nil && *p.Batch < 1 {
		k.errorf("profile.batch", "%d; want at least 1", *p.Batch)
	}
}

// known reports a service that the application does not have.
func (k *checker) known(path, service string) bool {
	var all []string
	for _, s := range k.app.Services {
		all = append(all, s.Name)
	}
	if slices.Contains(all, service) {
		return true
	}
	k.errorf(path, "%s has no service %q; it has %s", k.app.Name, service, strings.Join(all, ", "))
	return false
}

func (k *checker) service(service string, s *Service) {
	path := "services." + service
	if !k.known(path, service) || s == nil {
		return
	}
	k.settings(path+".", s.Settings)
	k.traffic(path+".traffic", objectName(k.app.Name, service), s.Traffic)
}

// settings checks what is written at one level, over what is above it.
func (k *checker) settings(path string, own Settings) {
	s := own
	if path != "" {
		s = k.Config.settings(strings.TrimSuffix(strings.TrimPrefix(path, "services."), "."))
	}
	if own.Replicas.Min != nil || own.Replicas.Max != nil {
		k.replicas(path+"replicas", s.Replicas)
	}
	if own.Concurrency != nil && *own.Concurrency < 1 {
		k.errorf(path+"concurrency", "%d; want at least 1", *own.Concurrency)
	}
	k.resources(path, s)
	if t := own.Throttle; t != nil && t.Min != nil && t.Max != nil && t.Min.Cmp(t.Max.Quantity) > 0 {
		k.errorf(path+"throttle.min", "%s is above max, which is %s", t.Min, t.Max)
	}
	for _, name := range sortedKeys(own.Env) {
		k.env(path+"env."+name, name, own.Env[name])
	}
}

func (k *checker) replicas(path string, r Replicas) {
	low, high := k.bounds(r, k.target)
	switch {
	case low < 0:
		k.errorf(path+".min", "%d; want 0 or more", low)
	case low == 0 && k.target == Kubernetes:
		k.errorf(path+".min", "0; only Knative scales to zero, want at least 1")
	case high < 1:
		k.errorf(path+".max", "%d; want at least 1", high)
	case low > high:
		k.errorf(path+".min", "%d is above max, which is %d", low, high)
	}
}

func (k *checker) resources(path string, s Settings) {
	for _, one := range []struct {
		key             string
		request, limit  *Quantity
		writtenByOthers bool
	}{
		{key: "cpu", request: s.Requests.CPU, limit: s.Limits.CPU},
		{key: "memory", request: s.Requests.Memory, limit: s.Limits.Memory},
	} {
		written := k.written(path+"requests."+one.key) || k.written(path+"limits."+one.key)
		if written && one.request != nil && one.limit != nil && one.request.Cmp(one.limit.Quantity) > 0 {
			k.errorf(path+"requests."+one.key, "%s is above the limit, which is %s", one.request, one.limit)
		}
	}
	if k.Profile != nil && k.written(path+"limits.cpu") {
		k.errorf(path+"limits.cpu", "a limit of CPU makes pauses without effect and predictions wrong; want none while profile is there")
	}
}

var envName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

// env checks a variable: config fields are what processes read, and what they are
// told by us is nobody else's.
func (k *checker) env(path, name string, e Env) {
	reserved := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	switch {
	case !envName.MatchString(name):
		k.errorf(path, "want letters A to Z, digits and underscores")
	case slices.ContainsFunc([]string{"ONEFOLD_", "SLOWPOKE_", "K_"}, reserved) || name == "PORT":
		k.errorf(path, "is set by the manifests; leave it out")
	case (e.Secret == "") != (e.Key == ""):
		k.errorf(path, "want a value, or secret and key")
	}
	var config []string
	for _, s := range k.app.Services {
		config = append(config, s.Config...)
	}
	for _, s := range k.app.Services {
		if len(s.Config) > 0 && !slices.Contains(config, name) && reserved(strings.ToUpper(s.Name)+"_") {
			k.errorf(path, "is no config field of %s; it has %s", s.Name, strings.Join(s.Config, ", "))
		}
	}
}

func (k *checker) traffic(path, service string, traffic []Traffic) {
	sum := 0
	for i, t := range traffic {
		at := fmt.Sprintf("%s[%d]", path, i)
		if t.Percent == nil || *t.Percent < 0 || *t.Percent > 100 {
			k.errorf(at+".percent", "want a number from 0 to 100")
		} else {
			sum += *t.Percent
		}
		if !strings.HasPrefix(t.Revision, service+"-") {
			k.errorf(at+".revision", "%q is no revision of %s; want one that kubectl get revisions lists", t.Revision, service)
		}
		if t.Tag != "" && len(validation.IsDNS1035Label(t.Tag)) > 0 {
			k.errorf(at+".tag", "%q; want letters a to z, digits and dashes, a letter first", t.Tag)
		}
	}
	if sum > 100 {
		k.errorf(path, "older revisions get %d percent; want at most 100", sum)
	}
}

// longest is the longest name of a workload: that of a revision adds nine, and
// is a label of at most 63.
const longest = 54

func (k *checker) names() {
	for _, s := range k.app.Services {
		if len(validation.IsConfigMapKey(s.Name)) > 0 {
			k.errorf("", "service %s cannot be in the name of a key of a secret in Kubernetes; rename it with letters A to Z and digits", s.Name)
		}
	}
	seen := map[string]string{}
	for _, w := range plan(k.app, k.Config, k.target).workloads {
		what := strings.Join(append([]string{k.app.Name}, w.services...), ".")
		if other := seen[w.name]; other != "" {
			k.errorf("", "%s and %s are both called %s in Kubernetes; rename one of the services", other, what, w.name)
		}
		seen[w.name] = what
		if problems := validation.IsDNS1035Label(w.name); len(problems) > 0 || len(w.name) > longest {
			k.errorf("", "%s is called %q in Kubernetes, where names start with a letter and have at most %d; rename it, or shorten --name", what, w.name, longest)
		}
	}
}

// kind returns the kind of store.
func (c *Config) kind() string {
	if c.Store.Kind == "" {
		return FoundationDB
	}
	return c.Store.Kind
}
