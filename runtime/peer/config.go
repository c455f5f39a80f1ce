package peer

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Names of the environment variables.
const (
	EnvServices = "ONEFOLD_SERVICES"
	EnvPeers    = "ONEFOLD_PEERS"
	EnvInternal = "ONEFOLD_INTERNAL"
	EnvStore    = "ONEFOLD_STORE"
	EnvKeys     = "ONEFOLD_KEYS"
	EnvTLS      = "ONEFOLD_TLS"
)

// Config says which part of an application a process is. The zero value is all of it.
type Config struct {
	Services []string // hosted here, sorted; nil is all
	Peers    Peers    // where the others are
	Internal Address  // where calls are answered; zero is nowhere
	Store    string   // where the state is, as in ONEFOLD_STORE; "" is the embedded store
	Keys     *Keys    // nil without keys
	TLS      *TLS     // nil without certificates
}

// FromEnv returns the configuration that the environment gives to a process of an
// application with the given services. The error names the variable and what it should be.
func FromEnv(lookup func(name string) (string, bool), services []string) (Config, error) {
	var c Config
	var errs []error
	read := func(name string, parse func(value string) error) {
		value, ok := lookup(name)
		if !ok || value == "" {
			return
		}
		if err := parse(value); err != nil {
			errs = append(errs, fmt.Errorf("environment variable %s: %w", name, err))
		}
	}
	read(EnvServices, func(v string) (err error) { c.Services, err = hosted(v, services); return err })
	read(EnvPeers, func(v string) (err error) { c.Peers, err = ParsePeers(v, services); return err })
	read(EnvInternal, func(v string) (err error) { c.Internal, err = ParseAddress(v); return err })
	read(EnvStore, func(v string) error { c.Store = v; return nil })
	read(EnvKeys, func(v string) (err error) { c.Keys, err = OpenKeys(v); return err })
	read(EnvTLS, func(v string) (err error) { c.TLS, err = OpenTLS(v); return err })
	if err := errors.Join(errs...); err != nil {
		return c, err
	}
	if c.Keys != nil {
		if err := c.Keys.check(services); err != nil {
			return c, fmt.Errorf("environment variable %s: %w", EnvKeys, err)
		}
	}
	return c, c.check()
}

// Hosts reports whether the process hosts a service of the application.
func (c *Config) Hosts(service string) bool {
	return c.Services == nil || slices.Contains(c.Services, service)
}

// check finds what is wrong with variables together.
func (c *Config) check() error {
	if c.Internal.Network == "tcp" && c.Keys == nil && c.TLS == nil {
		return fmt.Errorf("%s=%s: calls over TCP need %s or %s, so that nobody else can make them", EnvInternal, c.Internal, EnvKeys, EnvTLS)
	}
	return nil
}

// Finds reports, as an error, the services among those that a hosted one calls that
// the process neither hosts nor can call elsewhere.
func (c *Config) Finds(caller string, services []string) error {
	var errs []error
	for _, s := range services {
		switch {
		case c.Hosts(s):
		case !c.Peers.know(s):
			errs = append(errs, fmt.Errorf("service %s calls %s, which is neither in %s nor in %s: host it here, or say where it is", caller, s, EnvServices, EnvPeers))
		case c.Keys != nil && c.Keys.file(caller+"."+s) == nil:
			errs = append(errs, fmt.Errorf("environment variable %s: the folder has no file %s.%s with the key that %[2]s shows to %[3]s", EnvKeys, caller, s))
		}
	}
	return errors.Join(errs...)
}

// hosted parses a list of services.
func hosted(list string, services []string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == "" || slices.Contains(names, name) {
			continue
		}
		if err := known(name, services); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func known(name string, services []string) error {
	if slices.Contains(services, name) {
		return nil
	}
	return fmt.Errorf("there is no service %q: the application has %s", name, strings.Join(services, ", "))
}

// Address is where somebody listens.
type Address struct {
	Network string // "tcp" or "unix"; "" is nowhere
	Name    string // host:port, or the path of a socket
}

// ParseAddress parses host:port, tcp://host:port or unix:///path.
func ParseAddress(text string) (Address, error) {
	if path, ok := strings.CutPrefix(text, "unix://"); ok {
		if !strings.HasPrefix(path, "/") {
			return Address{}, fmt.Errorf("%q: want unix:// and an absolute path, as in unix:///run/hotel.sock", text)
		}
		return Address{"unix", path}, nil
	}
	name := strings.TrimPrefix(text, "tcp://")
	if i := strings.LastIndexByte(name, ':'); i < 0 || strings.Contains(name, "/") {
		return Address{}, fmt.Errorf("%q: want host:port or unix:///path", text)
	}
	return Address{"tcp", name}, nil
}

func (a Address) String() string {
	if a.Network == "unix" {
		return "unix://" + a.Name
	}
	return a.Name
}

// Peers says where services are that other processes host.
type Peers struct {
	fixed map[string][]target
	file  *watched[map[string][]target]
}

// target is one replica of a service.
type target struct {
	Address
	secure bool // TLS
}

// ParsePeers parses a value of ONEFOLD_PEERS: a list, or @ and the name of a file with one.
func ParsePeers(value string, services []string) (Peers, error) {
	parse := func(text []byte) (map[string][]target, error) { return parsePeers(string(text), services) }
	if name, ok := strings.CutPrefix(value, "@"); ok {
		file, err := watch(name, parse)
		return Peers{file: file}, err
	}
	fixed, err := parse([]byte(value))
	return Peers{fixed: fixed}, err
}

func parsePeers(text string, services []string) (map[string][]target, error) {
	peers := map[string][]target{}
	for entry := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		entry = strings.TrimSpace(entry)
		if entry == "" || entry[0] == '#' {
			continue
		}
		name, address, ok := strings.Cut(entry, "=")
		if !ok {
			return nil, fmt.Errorf("%q: want Service=address, as in Hotel=http://10.0.0.7:7070", entry)
		}
		if err := known(name, services); err != nil {
			return nil, err
		}
		t, err := parseTarget(address)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		peers[name] = append(peers[name], t)
	}
	return peers, nil
}

func parseTarget(text string) (target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return target{}, err
	}
	switch {
	case u.Scheme == "unix" && u.Host == "" && u.Path != "":
		return target{Address: Address{"unix", u.Path}}, nil
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.Trim(u.Path, "/") == "":
		port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
		return target{Address: Address{"tcp", u.Hostname() + ":" + cmp.Or(u.Port(), port)}, secure: u.Scheme == "https"}, nil
	}
	return target{}, fmt.Errorf("%q: want http://host:port, https://host:port or unix:///path", text)
}

// of returns the replicas of a service.
func (p *Peers) of(service string) []target {
	if p.file != nil {
		return p.file.get()[service]
	}
	return p.fixed[service]
}

// know reports whether a service has a place, now or later.
func (p *Peers) know(service string) bool { return p.file != nil || len(p.fixed[service]) > 0 }
