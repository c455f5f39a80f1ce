package stage

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/control/cgroup"
	"github.com/onefold/onefold/runtime/gateway"
	"github.com/onefold/onefold/runtime/peer"
)

// replica is one process of a service.
type replica struct {
	service  string
	number   int
	address  string // where the gateway finds it
	internal string // where other processes find it
	process  *process
	leaving  atomic.Bool // it gets no more calls
}

// A Replica is what is known of a process at one moment.
type Replica struct {
	Service  string        `json:"service"`
	Number   int           `json:"number"` // counts the service's replicas, from 1
	State    string        `json:"state"`  // starting, up, down, paused, waiting (to be restarted) or draining
	PID      int           `json:"pid"`    // 0 while it does not run
	Restarts int           `json:"restarts"`
	Address  string        `json:"address"`
	Cgroup   string        `json:"cgroup,omitempty"` // folder of its control group
	Quota    float64       `json:"quota"`            // CPUs that it may use; 0 is all
	CPU      time.Duration `json:"cpuNanoseconds"`   // used so far, by all its processes where it has a control group
	InFlight int           `json:"inFlight"`         // requests that the gateway has given it
	Requests uint64        `json:"requests"`         // so far
}

// Name returns the replica's name, as in Hotel/2.
func (r *Replica) Name() string { return name(r.Service, r.Number) }

func name(service string, number int) string { return fmt.Sprintf("%s/%d", service, number) }

// StorageService is the name under which Replicas lists the storage process.
const StorageService = "storage"

// Replicas lists the replicas by service and number, after them the storage process.
func (s *Stage) Replicas() []Replica {
	status := s.opts.Gateway.Status()
	var list []Replica
	for _, r := range s.all() {
		seen := r.seen(status)
		out := Replica{Service: r.service, Number: r.number, Address: r.address, InFlight: seen.InFlight, Requests: seen.Requests}
		r.process.describe(&out)
		if out.State == running {
			out.State = seen.State.String()
		}
		if r.leaving.Load() {
			out.State = gateway.Draining.String()
		}
		list = append(list, out)
	}
	if s.storage != nil {
		out := Replica{Service: StorageService, Number: 1}
		s.storage.describe(&out)
		if out.State == running {
			out.State = gateway.Up.String()
		}
		list = append(list, out)
	}
	return list
}

// seen returns what the gateway knows of the replica.
func (r *replica) seen(status []gateway.Status) gateway.Replica {
	for _, service := range status {
		for _, known := range service.Replicas {
			if service.Service == r.service && known.Address == r.address {
				return known
			}
		}
	}
	return gateway.Replica{}
}

// add makes a replica, which does not run yet.
func (s *Stage) add(service string, number int) (*replica, error) {
	base := filepath.Join(s.opts.Dir, fmt.Sprintf("%s-%d", strings.ToLower(service), number))
	public, internal := base+".sock", base+".calls.sock"
	r := &replica{service: service, number: number, address: "unix://" + public, internal: "unix://" + internal}
	c := command{
		args: slices.Concat(s.opts.Parent(name(service, number)), []string{s.opts.Program, "--listen", r.address}, s.opts.Args),
		env: []string{
			peer.EnvServices + "=" + service,
			peer.EnvPeers + "=@" + s.peers(),
			peer.EnvInternal + "=" + r.internal,
			peer.EnvStore + "=" + s.store(),
		},
		sockets: []string{public, internal},
	}
	if s.opts.Groups != nil {
		var err error
		if c.group, err = s.opts.Groups.Group(fmt.Sprintf("%s-%d", service, number)); err != nil {
			return nil, err
		}
	}
	r.process = s.newProcess(name(service, number), c)
	s.mu.Lock()
	s.members = append(s.members, r)
	slices.SortFunc(s.members, func(a, b *replica) int {
		if c := strings.Compare(a.service, b.service); c != 0 {
			return c
		}
		return a.number - b.number
	})
	s.mu.Unlock()
	s.opts.Gateway.Add(service, r.address)
	return r, nil
}

// store returns where the replicas find the state.
func (s *Stage) store() string {
	if s.opts.Store != "" {
		return s.opts.Store
	}
	return "unix://" + filepath.Join(s.opts.Dir, "store.sock")
}

// process returns the process of a replica, or the storage process.
func (s *Stage) process(service string, number int) (*process, error) {
	if service == StorageService && s.storage != nil {
		return s.storage, nil
	}
	for _, r := range s.all() {
		if r.service == service && r.number == number {
			return r.process, nil
		}
	}
	return nil, fmt.Errorf("there is no replica %s", name(service, number))
}

// SetQuota limits a replica to that many CPUs' time, also after it was restarted;
// 0 is no limit. It is an error where replicas have no control groups.
func (s *Stage) SetQuota(service string, number int, cpus float64) error {
	p, err := s.process(service, number)
	if err != nil {
		return err
	}
	return p.setQuota(cpus)
}

// Usage returns how much CPU a replica has used. Where replicas have no control
// groups, only the time is known, and only that of the replica's own process.
func (s *Stage) Usage(service string, number int) (cgroup.Usage, error) {
	p, err := s.process(service, number)
	if err != nil {
		return cgroup.Usage{}, err
	}
	return p.usage()
}

// Pause stops a replica, with all its processes, wherever it is, until Resume.
func (s *Stage) Pause(service string, number int) error { return s.signal(service, number, true) }

// Resume lets a paused replica go on.
func (s *Stage) Resume(service string, number int) error { return s.signal(service, number, false) }

func (s *Stage) signal(service string, number int, pause bool) error {
	p, err := s.process(service, number)
	if err != nil {
		return err
	}
	return p.pause(pause)
}
