package manifests

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Reference is a configuration with every key and what it means.
//
//go:embed reference.yaml
var Reference string

// Config is what onefold.yaml says about a deployment. The zero value works.
type Config struct {
	Namespace string              `yaml:"namespace"`
	Registry  string              `yaml:"registry"`
	Image     string              `yaml:"image"`
	Images    string              `yaml:"images"`
	Keys      string              `yaml:"keys"`
	Store     Store               `yaml:"store"`
	Profile   *Profile            `yaml:"profile"`
	Services  map[string]*Service `yaml:"services"`
	Settings  `yaml:",inline"`

	file string
	at   map[string]*yaml.Node // positions of keys, as in services.Hotel.replicas
}

// Store says where the state is.
type Store struct {
	Kind    string   `yaml:"kind"`
	Secret  string   `yaml:"secret"`
	Address string   `yaml:"address"`
	Size    Quantity `yaml:"size"`
}

// The kinds of stores.
const (
	FoundationDB = "foundationdb"
	Embedded     = "embedded"
	StoreServer  = "server"
)

// Which images there are.
const (
	OneImage         = "application" // the whole application, from which every process starts
	ImagesOfServices = "services"    // and one for each service besides
)

// Profile prepares all services for Slowpoke.
type Profile struct {
	Secret string   `yaml:"secret"`
	Cores  float64  `yaml:"cores"`
	Target string   `yaml:"target"`
	Delay  Duration `yaml:"delay"`
	Batch  *int     `yaml:"batch"`
	Prerun bool     `yaml:"prerun"`
}

// Service is what may differ between services.
type Service struct {
	Expose   *bool     `yaml:"expose"`
	Traffic  []Traffic `yaml:"traffic"`
	Settings `yaml:",inline"`
}

// Traffic is the part of the requests that a revision gets.
type Traffic struct {
	Revision string `yaml:"revision"`
	Percent  *int   `yaml:"percent"`
	Tag      string `yaml:"tag"`
}

// Settings can be given for all services and for each.
type Settings struct {
	Replicas    Replicas       `yaml:"replicas"`
	Concurrency *int           `yaml:"concurrency"`
	Requests    Resources      `yaml:"requests"`
	Limits      Resources      `yaml:"limits"`
	Timeout     *Duration      `yaml:"timeout"`
	Drain       *Duration      `yaml:"drain"`
	Throttle    *Throttle      `yaml:"throttle"`
	Env         map[string]Env `yaml:"env"`
}

// Replicas bounds the number of replicas.
type Replicas struct {
	Min *int `yaml:"min"`
	Max *int `yaml:"max"`
}

// Resources are amounts for one replica.
type Resources struct {
	CPU    *Quantity `yaml:"cpu"`
	Memory *Quantity `yaml:"memory"`
}

// Throttle bounds what the throttle controller may do.
type Throttle struct {
	Ratio *Ratio    `yaml:"ratio"`
	Min   *Quantity `yaml:"min"`
	Max   *Quantity `yaml:"max"`
}

// Env is the value of an environment variable: itself, or a key of a secret.
type Env struct {
	Value  string `yaml:"-"`
	Secret string `yaml:"secret"`
	Key    string `yaml:"key"`
}

func (e *Env) set(text string) error {
	e.Value = text
	return nil
}

// ParseConfig reads a configuration; file is its name in errors. The error lists
// everything that is wrong, each with its position.
func ParseConfig(file string, data []byte) (*Config, error) {
	c := &Config{file: file}
	d := &decoder{file: file, at: map[string]*yaml.Node{}}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("%s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) > 0 {
		d.decode(document.Content[0], "", c)
	}
	c.at = d.at
	d.problems.sort()
	return c, d.problems.err()
}

// Secrets are what a deployment needs beside its manifests.
type Secrets struct {
	Namespace string
	Keys      string   // the secret of keys
	KeyNames  []string // what is in it; nothing where no process talks to another
	Needs     []string // secrets that only the user can make
}

// Secrets returns the secrets that manifests mention.
func (c *Config) Secrets(app App, target Target) Secrets {
	d := plan(app, c, target)
	s := Secrets{Namespace: c.namespace(), Keys: d.keysSecret()}
	for i := range d.workloads {
		s.KeyNames = append(s.KeyNames, d.keys(&d.workloads[i])...)
	}
	s.KeyNames = set(s.KeyNames)
	if c.kind() == FoundationDB {
		s.Needs = []string{d.storeSecret()}
	}
	if c.Profile != nil {
		s.Needs = append(s.Needs, c.Profile.secret(app.Name))
	}
	return s
}

// settings returns those of a service, over those for all.
func (c *Config) settings(service string) Settings {
	s := c.Settings
	own := c.Services[service]
	if own == nil {
		return s
	}
	s.Replicas.Min = or(own.Replicas.Min, s.Replicas.Min)
	s.Replicas.Max = or(own.Replicas.Max, s.Replicas.Max)
	s.Concurrency = or(own.Concurrency, s.Concurrency)
	s.Requests = own.Requests.over(s.Requests)
	s.Limits = own.Limits.over(s.Limits)
	s.Timeout = or(own.Timeout, s.Timeout)
	s.Drain = or(own.Drain, s.Drain)
	s.Throttle = or(own.Throttle, s.Throttle)
	s.Env = maps.Clone(s.Env)
	if s.Env == nil {
		s.Env = map[string]Env{}
	}
	maps.Copy(s.Env, own.Env)
	return s
}

// together returns the settings of a process that hosts all services: those for
// all, and everybody's environment.
func (c *Config) together(app App) Settings {
	s := c.settings("")
	s.Env = map[string]Env{}
	for _, service := range app.Services {
		maps.Copy(s.Env, c.settings(service.Name).Env)
	}
	return s
}

// bounds returns the bounds of replicas, defaults filled in.
func (c *Config) bounds(r Replicas, target Target) (low, high int) {
	low, high = 2, 10
	if target == Knative {
		low = 0
	}
	if r.Max != nil {
		high = *r.Max
		low = min(low, high)
	}
	if r.Min != nil {
		low = *r.Min
		if r.Max == nil {
			high = max(low, high)
		}
	}
	return low, high
}

func (r Resources) over(base Resources) Resources {
	return Resources{CPU: or(r.CPU, base.CPU), Memory: or(r.Memory, base.Memory)}
}

func or[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

// sortedKeys returns the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
