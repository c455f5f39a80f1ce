package manifests

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// What images hold, and where things are in a container; package image agrees.
const (
	Program    = "/service"
	Poker      = "/poker"
	publicPort = 8080
	innerPort  = 7070

	keysFolder  = "/var/run/onefold/keys"
	storeFolder = "/var/run/onefold/foundationdb"
	dataFolder  = "/data"
	nonRoot     = 65532
)

// container returns the process of a workload.
func (d *deployment) container(w *workload) corev1.Container {
	c := corev1.Container{
		Name:           "service",
		Image:          d.image(w),
		Command:        []string{Program},
		Args:           d.args(w),
		Env:            d.env(w),
		Ports:          d.ports(w),
		Resources:      w.settings.resources(),
		LivenessProbe:  probe(w, "/healthz"),
		ReadinessProbe: probe(w, "/readyz"),
		SecurityContext: &corev1.SecurityContext{
			RunAsNonRoot:             ptr.To(true),
			RunAsUser:                ptr.To[int64](nonRoot),
			ReadOnlyRootFilesystem:   ptr.To(true),
			AllowPrivilegeEscalation: ptr.To(false),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
	if d.Profile != nil {
		c.Command = d.Profile.command(w)
		c.LivenessProbe.TimeoutSeconds, c.ReadinessProbe.TimeoutSeconds = pausedProbe, pausedProbe
	}
	for _, v := range d.volumes(w) {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: v.Name, MountPath: mountPath[v.Name], ReadOnly: v.Secret != nil})
	}
	if d.embedded() {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "data", MountPath: dataFolder})
	}
	return c
}

var mountPath = map[string]string{"keys": keysFolder, "foundationdb": storeFolder, "tmp": "/tmp"}

// args returns the command line. A request that Knative or a Service sends on is
// already counted elsewhere, so the log has only what an operator must see.
func (d *deployment) args(w *workload) []string {
	listen := fmt.Sprintf(":%d", publicPort)
	if w.role == inner {
		listen = "none"
	}
	args := []string{"--listen=" + listen, "--log=json", "--timeout=" + w.settings.timeout().String(), "--drain=" + w.settings.drain().String()}
	if d.embedded() {
		args = append(args, "--data="+dataFolder)
	}
	return args
}

func (s *Settings) timeout() time.Duration { return orDuration(s.Timeout, 10*time.Second) }
func (s *Settings) drain() time.Duration   { return orDuration(s.Drain, 10*time.Second) }

func orDuration(d *Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.Duration
}

// grace is how many seconds a replica has to end: for its requests, and a bit.
func (s *Settings) grace() int64 { return int64(math.Ceil(s.drain().Seconds())) + 5 }

// env returns the environment: which part of the application the process is,
// what the user sets, and what Slowpoke needs.
func (d *deployment) env(w *workload) []corev1.EnvVar {
	var env []corev1.EnvVar
	set := func(name, value string) { env = append(env, corev1.EnvVar{Name: name, Value: value}) }
	if w.services != nil {
		set("ONEFOLD_SERVICES", strings.Join(w.services, ","))
		if peers := d.peers(w); peers != "" {
			set("ONEFOLD_PEERS", peers)
		}
	}
	if w.is(inner) {
		set("ONEFOLD_INTERNAL", fmt.Sprintf(":%d", innerPort))
	}
	switch d.kind() {
	case FoundationDB:
		set("ONEFOLD_STORE", "fdb:"+storeFolder+"/fdb.cluster")
	case StoreServer:
		set("ONEFOLD_STORE", d.Store.Address)
	}
	if len(d.keys(w)) > 0 {
		set("ONEFOLD_KEYS", keysFolder)
	}
	for _, name := range sortedKeys(w.settings.Env) {
		env = append(env, w.settings.Env[name].variable(name))
	}
	return append(env, d.Profile.env(d.app.Name, w)...)
}

func (e Env) variable(name string) corev1.EnvVar {
	if e.Secret == "" {
		return corev1.EnvVar{Name: name, Value: e.Value}
	}
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: e.Secret}, Key: e.Key,
	}}}
}

// peers lists where the services are that the workload calls.
func (d *deployment) peers(w *workload) string {
	var peers []string
	for _, service := range w.calls {
		host := d.innerName(service)
		if d.target == Knative {
			// The gateway inside the cluster goes by the host name, whole.
			host += "." + d.namespace() + ".svc.cluster.local"
		} else {
			host += ":" + strconv.Itoa(innerPort)
		}
		peers = append(peers, service+"=http://"+host)
	}
	return strings.Join(peers, ",")
}

func (c *Config) namespace() string {
	if c.Namespace == "" {
		return "default"
	}
	return c.Namespace
}

// What Slowpoke needs beside the environment: the port of the poker's channel, which only
// the pod itself reaches, and so who may forward its ports; and how many seconds a probe
// may take, which is longer than any pause.
const (
	pokerPort   = 7072
	pausedProbe = 5
)

// secret is that of the poker's token.
func (p *Profile) secret(app string) string {
	if p.Secret != "" {
		return p.Secret
	}
	return objectName(app, "poker")
}

// command returns the poker in front of the program.
func (p *Profile) command(w *workload) []string {
	command := []string{Poker}
	if w.services != nil {
		command = append(command, "--name="+strings.Join(w.services, "+"))
	}
	if p.Cores > 0 {
		command = append(command, fmt.Sprintf("--cores=%g", p.Cores))
	}
	return append(command, "--", Program)
}

// env returns the variables of Slowpoke: the channel for onefold profile, and, where
// a target is given, those of the original.
func (p *Profile) env(app string, w *workload) []corev1.EnvVar {
	if p == nil || w.is(collector) {
		return nil
	}
	env := []corev1.EnvVar{
		{Name: "ONEFOLD_POKER_CONTROL", Value: fmt.Sprintf("tcp:127.0.0.1:%d", pokerPort)},
		Env{Secret: p.secret(app), Key: "token"}.variable("ONEFOLD_POKER_TOKEN"),
	}
	if p.Target == "" && !p.Prerun {
		return env
	}
	target := w.services[0] == p.Target
	delay := p.Delay.Microseconds()
	if target {
		delay = 0
	}
	batch := 100
	if p.Batch != nil {
		batch = *p.Batch
	}
	return append(env, []corev1.EnvVar{
		{Name: "SLOWPOKE_DELAY_MICROS", Value: strconv.FormatInt(delay, 10)},
		{Name: "SLOWPOKE_IS_TARGET_SERVICE", Value: strconv.FormatBool(target)},
		{Name: "SLOWPOKE_POKER_BATCH_THRESHOLD", Value: strconv.Itoa(batch)},
		{Name: "SLOWPOKE_PRERUN", Value: strconv.FormatBool(p.Prerun)},
		{Name: "SLOWPOKE_SERV_NAME", Value: w.services[0]},
	}...)
}

// ports returns the container's. Knative wants one; h2c tells it to speak HTTP/2
// without TLS, which calls between processes are.
func (d *deployment) ports(w *workload) []corev1.ContainerPort {
	var ports []corev1.ContainerPort
	if w.role != inner {
		ports = append(ports, corev1.ContainerPort{Name: "http", ContainerPort: publicPort, Protocol: corev1.ProtocolTCP})
	}
	if w.is(inner) {
		ports = append(ports, corev1.ContainerPort{Name: "h2c", ContainerPort: innerPort, Protocol: corev1.ProtocolTCP})
	}
	if d.target == Knative && w.role == public {
		ports[0].Name = "http1"
	}
	return ports
}

func (s *Settings) resources() corev1.ResourceRequirements {
	list := func(r Resources, cpu, memory string) corev1.ResourceList {
		out := corev1.ResourceList{}
		if cpu != "" || r.CPU != nil {
			out[corev1.ResourceCPU] = r.CPU.or(cpu)
		}
		out[corev1.ResourceMemory] = r.Memory.or(memory)
		return out
	}
	r := corev1.ResourceRequirements{Requests: list(s.Requests, "100m", "128Mi"), Limits: list(s.Limits, "", "512Mi")}
	for name, limit := range r.Limits { // a default must not be above what is written
		if request, ok := r.Requests[name]; ok && request.Cmp(limit) > 0 {
			if name == corev1.ResourceMemory && s.Limits.Memory == nil {
				r.Limits[name] = request
			} else {
				r.Requests[name] = limit
			}
		}
	}
	return r
}

func (q *Quantity) or(otherwise string) resource.Quantity {
	if q == nil {
		return resource.MustParse(otherwise)
	}
	return q.Quantity
}

// probe asks one of the addresses that every listener of a process answers.
func probe(w *workload, path string) *corev1.Probe {
	port := int32(publicPort)
	if w.role == inner {
		port = innerPort
	}
	return &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(port)}},
		TimeoutSeconds:   2,
		PeriodSeconds:    5,
		SuccessThreshold: 1, // Knative's default: without it the same manifest cannot be applied twice
		FailureThreshold: 6,
	}
}

// volumes returns what the containers mount, the embedded store's data apart.
func (d *deployment) volumes(w *workload) []corev1.Volume {
	var volumes []corev1.Volume
	secret := func(name, secret string, items []corev1.KeyToPath) {
		volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: secret, DefaultMode: ptr.To[int32](0o444), Items: items},
		}})
	}
	if keys := d.keys(w); len(keys) > 0 {
		var items []corev1.KeyToPath
		for _, key := range keys {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
		secret("keys", d.keysSecret(), items)
	}
	if d.kind() == FoundationDB {
		secret("foundationdb", d.storeSecret(), nil)
	}
	if d.Profile != nil { // poker's channel to the service
		volumes = append(volumes, corev1.Volume{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	}
	return volumes
}

// keys returns the names of the keys that a workload needs: those that it shows when it
// calls, and those that its callers show. Nobody else has them.
func (d *deployment) keys(w *workload) []string {
	var keys []string
	for _, service := range w.services {
		for _, callee := range w.calls {
			keys = append(keys, service+"."+callee)
		}
		for _, caller := range w.callers {
			keys = append(keys, caller+"."+service)
		}
	}
	if d.kind() == StoreServer {
		keys = append(keys, "store")
	}
	return set(keys)
}

func (d *deployment) keysSecret() string {
	if d.Keys != "" {
		return d.Keys
	}
	return objectName(d.app.Name, "keys")
}

func (d *deployment) storeSecret() string {
	if d.Store.Secret != "" {
		return d.Store.Secret
	}
	return objectName(d.app.Name, "foundationdb")
}

// pod returns the pods of a workload.
func (d *deployment) pod(w *workload) corev1.PodSpec {
	return corev1.PodSpec{
		ServiceAccountName:           w.name,
		AutomountServiceAccountToken: ptr.To(false),
		EnableServiceLinks:           ptr.To(false),
		Containers:                   []corev1.Container{d.container(w)},
		Volumes:                      d.volumes(w),
	}
}
