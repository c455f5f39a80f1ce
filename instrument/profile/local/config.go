// Package local runs the services of a profile on this machine, each command under a
// poker, and removes everything again.
package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/onefold/onefold/instrument/load"
)

// Config is an application as a file describes it.
type Config struct {
	Name     string    `yaml:"name"`
	Build    []string  `yaml:"build,omitempty"` // shell commands, before anything starts
	Services []Service `yaml:"services"`
	Load     *load.Mix `yaml:"load,omitempty"` // what to send
	Mix      string    `yaml:"mix,omitempty"`  // or the file that says so
	Clients  int       `yaml:"clients,omitempty"`

	dir string // relative paths start here
}

// Service is one command, or one that runs already: then its pokers are named, those
// of all its replicas. A service with neither is not paused.
type Service struct {
	Name    string            `yaml:"name"`
	Command []string          `yaml:"command,omitempty"`
	Control []string          `yaml:"control,omitempty"` // unix:PATH or tcp:HOST:PORT
	Token   string            `yaml:"token,omitempty"`   // of the pokers; $NAME is from the environment
	Dir     string            `yaml:"dir,omitempty"`
	Env     map[string]string `yaml:"env,omitempty"`
	// Address is where it listens: it is ready when that can be reached, and calls
	// to it are calls to this service.
	Address string `yaml:"address,omitempty"`
	// Ready is a URL that answers with a status below 400 when the service is ready.
	Ready string `yaml:"ready,omitempty"`
	// Cores that it can use; default: those of the machine.
	Cores float64 `yaml:"cores,omitempty"`
	// Limit is the cores that its poker lets it use, for a slow processor of its own.
	Limit float64 `yaml:"limit,omitempty"`
	// Time of one request, where it is not processor time.
	Time time.Duration `yaml:"time,omitempty"`
}

// ReadConfig reads a file.
func ReadConfig(name string) (*Config, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c, err := parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if c.dir, err = filepath.Abs(filepath.Dir(name)); err != nil {
		return nil, err
	}
	if c.Name == "" {
		c.Name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	}
	return c, nil
}

func parse(rd io.Reader) (*Config, error) {
	dec := yaml.NewDecoder(rd)
	dec.KnownFields(true)
	var c Config
	if err := dec.Decode(&c); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		return nil, err
	}
	return &c, c.check()
}

func (c *Config) check() error {
	if len(c.Services) == 0 {
		return errors.New("there are no services")
	}
	if c.Load != nil && c.Mix != "" {
		return errors.New("want either load or mix")
	}
	names := map[string]bool{}
	for i, s := range c.Services {
		switch {
		case s.Name == "":
			return fmt.Errorf("service %d has no name", i+1)
		case strings.ContainsAny(s.Name, "+:"):
			return fmt.Errorf("service %s: a + joins the names of several targets and a : is before a route, so that no name can have one", s.Name)
		case names[s.Name]:
			return fmt.Errorf("there are two services %s", s.Name)
		case len(s.Command) > 0 && len(s.Control) > 0:
			return fmt.Errorf("service %s has a command and a control channel: want the first to start it, or the second if it runs already", s.Name)
		case len(s.Command) > 0 && s.Address == "" && s.Ready == "":
			return fmt.Errorf("service %s has neither an address nor a URL that says when it is ready", s.Name)
		case s.Cores < 0 || s.Time < 0 || s.Limit < 0:
			return fmt.Errorf("service %s: cores, limit and time cannot be negative", s.Name)
		case s.Limit > 0 && len(s.Command) == 0:
			return fmt.Errorf("service %s has a limit, which needs a command: the poker of one that runs already has its own, --cores", s.Name)
		}
		names[s.Name] = true
	}
	return nil
}

// Requests returns the mix of the application, nil if it has none.
func (c *Config) Requests() (*load.Mix, error) {
	if c.Mix == "" {
		return c.Load, nil
	}
	file, err := os.Open(c.path(c.Mix))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return load.ParseMix(file)
}

func (c *Config) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}
