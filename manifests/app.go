package manifests

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/onefold/onefold/compiler/ir"
)

// App is a compiled application, as much as a deployment needs to know of it.
type App struct {
	Name     string // of the application
	Version  string // changes with the generated code
	Services []AppService
}

// AppService is one service of an application.
type AppService struct {
	Name    string
	Calls   []string // services that it calls, sorted
	Callers []string // services that call it, sorted
	Config  []string // environment variables of its config fields
}

// NewApp returns what a deployment needs to know of a program.
func NewApp(prog *ir.Program, name, version string) App {
	app := App{Name: name, Version: version}
	calls, callers := map[string][]string{}, map[string][]string{}
	for _, s := range prog.Services {
		for _, m := range s.Methods {
			for _, callee := range m.Effects.Calls {
				if to := callee.Service.Name; to != s.Name { // a workflow calls its own service in its process
					calls[s.Name] = append(calls[s.Name], to)
					callers[to] = append(callers[to], s.Name)
				}
			}
		}
	}
	for _, s := range prog.Services {
		service := AppService{Name: s.Name, Calls: set(calls[s.Name]), Callers: set(callers[s.Name])}
		for _, f := range s.Fields {
			if f.Kind == ir.Config {
				service.Config = append(service.Config, f.Variable())
			}
		}
		app.Services = append(app.Services, service)
	}
	return app
}

func set(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// Target is the platform that manifests are for.
type Target string

// The targets.
const (
	Knative    Target = "knative"
	Kubernetes Target = "kubernetes"
)

// role is what a workload is for.
type role uint8

const (
	public    role = 1 << iota // answers the JSON API
	inner                      // answers calls of other services
	collector                  // does what is due while everything else is scaled to zero
)

// workload is one set of replicas of the same process.
type workload struct {
	name     string
	role     role
	services []string // hosted; nil is all
	calls    []string // services that it calls in other processes
	callers  []string // services that call it from other processes
	settings Settings
	traffic  []Traffic
}

func (w *workload) is(r role) bool { return w.role&r != 0 }

// deployment is an application, where it goes, and how.
type deployment struct {
	app App
	*Config
	target    Target
	workloads []workload
}

func (d *deployment) embedded() bool { return d.kind() == Embedded }

// plan decides which workloads there are. The configuration has been checked.
func plan(app App, c *Config, target Target) *deployment {
	d := &deployment{app: app, Config: c, target: target}
	if d.embedded() {
		d.workloads = []workload{{name: objectName(app.Name), role: public, settings: c.together(app)}}
		return d
	}
	for _, s := range app.Services {
		d.workloads = append(d.workloads, d.of(s)...)
	}
	if target == Knative {
		// Knative stops replicas without requests, and with them timers, messages
		// and the removal of old records. Somebody must stay.
		d.workloads = append(d.workloads, workload{name: objectName(app.Name, "collector"), role: collector, settings: c.together(app)})
	}
	return d
}

// of returns the workloads of a service. A replica of Knative has one port, so
// that a service that is called from inside and outside gets two workloads there: they
// share their state as replicas do.
func (d *deployment) of(s AppService) []workload {
	w := workload{name: objectName(d.app.Name, s.Name), services: []string{s.Name}, calls: s.Calls, callers: s.Callers, settings: d.settings(s.Name)}
	if own := d.Services[s.Name]; own != nil {
		w.traffic = own.Traffic
	}
	if d.exposed(s) {
		w.role |= public
	}
	if len(s.Callers) > 0 {
		w.role |= inner
	}
	if d.target != Knative || w.role != public|inner {
		return []workload{w}
	}
	calls := w
	calls.name, calls.role, calls.traffic = d.innerName(s.Name), inner, nil
	w.role, w.callers = public, nil
	return []workload{w, calls}
}

func (d *deployment) exposed(s AppService) bool {
	if own := d.Services[s.Name]; own != nil && own.Expose != nil {
		return *own.Expose
	}
	return len(s.Callers) == 0
}

// innerName returns the name of the workload that answers calls to a service.
func (d *deployment) innerName(service string) string {
	for _, s := range d.app.Services {
		if s.Name == service && d.target == Knative && d.exposed(s) {
			return objectName(d.app.Name, s.Name, "calls")
		}
	}
	return objectName(d.app.Name, service)
}

// Image is an image of an application.
type Image struct {
	Service   string // that it is for; "" where it holds the whole application
	Name      string // without registry and version
	Reference string
}

// ImagesOf returns the images of an application: that of the whole first.
func (c *Config) ImagesOf(app App) ([]Image, error) {
	images := []Image{{Name: objectName(app.Name), Reference: c.reference(app, "")}}
	if c.Images == ImagesOfServices {
		for _, s := range app.Services {
			images = append(images, Image{Service: s.Name, Name: objectName(app.Name, s.Name), Reference: c.reference(app, s.Name)})
		}
	}
	for _, i := range images {
		if _, err := name.ParseReference(i.Reference); err != nil {
			return nil, fmt.Errorf("%q is no reference of an image: %w", i.Reference, err)
		}
	}
	return images, nil
}

// reference returns the image of a service, or of the whole application for "".
func (c *Config) reference(app App, service string) string {
	if c.Image != "" {
		return c.Image
	}
	image := objectName(app.Name)
	if service != "" {
		image = objectName(app.Name, service)
	}
	image += ":" + app.Version
	if c.Registry != "" {
		return strings.TrimSuffix(c.Registry, "/") + "/" + image
	}
	return image
}

// image returns the image of a workload.
func (d *deployment) image(w *workload) string {
	if d.Images == ImagesOfServices && len(w.services) == 1 {
		return d.reference(d.app, w.services[0])
	}
	return d.reference(d.app, "")
}

// objectName makes a name that Kubernetes accepts of names in the spec: travel-hotel-rooms
// of travel and HotelRooms.
func objectName(parts ...string) string {
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteByte('-')
		}
		runes := []rune(part)
		for j, r := range runes {
			next := j+1 < len(runes) && unicode.IsLower(runes[j+1])
			if j > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[j-1]) || unicode.IsUpper(runes[j-1]) && next) {
				b.WriteByte('-')
			}
			switch r = unicode.ToLower(r); {
			case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-':
				b.WriteRune(r)
			default:
				fmt.Fprintf(&b, "x%x", r)
			}
		}
	}
	return b.String()
}

func (t Target) check() error {
	if t == Knative || t == Kubernetes {
		return nil
	}
	return fmt.Errorf("target is %q; want %s or %s", string(t), Knative, Kubernetes)
}

// bounds returns the bounds of a workload's replicas.
func (d *deployment) bounds(w *workload) (low, high int) {
	if w.is(collector) || d.embedded() {
		return 1, 1
	}
	return d.Config.bounds(w.settings.Replicas, d.target)
}
