package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/onefold/onefold/control/cgroup"
	"github.com/onefold/onefold/runtime/gateway"
)

// Options say what a [Stage] runs.
type Options struct {
	// Program is the compiled application, and Args are flags for each replica.
	Program string
	Args    []string
	// Services are the services of the application, and Replicas the numbers of their
	// replicas; a service that is not in it has one.
	Services []string
	Replicas map[string]int
	// Parent returns a command that starts a process, to which the process's own is
	// appended; name is that of a replica, or StorageService. The default is none.
	Parent func(name string) []string
	// Store is where the state is, as in the environment variable ONEFOLD_STORE. ""
	// starts a storage process on the folder Data.
	Store, Data string
	// Dir is a folder for sockets; its path should be short.
	Dir string
	// Gateway learns of the replicas.
	Gateway *gateway.Gateway
	// Groups is where replicas get control groups; nil gives them none.
	Groups *cgroup.Tree
	// Drain is how long a process may take to end its requests. Default 10 s.
	Drain time.Duration
	// Log gets the lines that processes write to standard error, each after the
	// process's name, and what happens to processes. Default nothing.
	Log io.Writer
}

// A Stage is the running processes. It is safe for concurrent use.
type Stage struct {
	opts    Options
	starter *starter
	log     *lines
	storage *process // nil where the store is elsewhere
	failed  chan error

	scaling sync.Mutex // one change of the number of replicas at a time
	mu      sync.Mutex
	members []*replica // by service and number
}

// Start starts all processes, and returns when every service has its replicas
// ready. Its error says which process ended before, and what it said.
func Start(ctx context.Context, opts Options) (*Stage, error) {
	if opts.Drain == 0 {
		opts.Drain = 10 * time.Second
	}
	if opts.Log == nil {
		opts.Log = io.Discard
	}
	if opts.Parent == nil {
		opts.Parent = func(string) []string { return nil }
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	s := &Stage{opts: opts, starter: newStarter(), log: &lines{to: opts.Log}, failed: make(chan error, 1)}
	if err := s.start(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (o *Options) check() error {
	for name, n := range o.Replicas {
		if !slices.Contains(o.Services, name) {
			return fmt.Errorf("replicas of %s: there is no such service; the application has %v", name, o.Services)
		}
		if n < 1 {
			return fmt.Errorf("%d replicas of %s: want at least 1", n, name)
		}
	}
	return nil
}

func (s *Stage) start(ctx context.Context) error {
	if s.opts.Store == "" {
		if err := s.startStorage(ctx); err != nil {
			return err
		}
	}
	for _, service := range s.opts.Services {
		for number := range cmp.Or(s.opts.Replicas[service], 1) {
			if _, err := s.add(service, number+1); err != nil {
				return err
			}
		}
	}
	if err := s.writePeers(); err != nil {
		return err
	}
	members := s.all()
	for _, r := range members {
		r.process.begin()
	}
	for _, r := range members {
		if err := s.await(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// startStorage starts the storage process and waits until its socket answers.
func (s *Stage) startStorage(ctx context.Context) error {
	socket := filepath.Join(s.opts.Dir, "store.sock")
	s.storage = s.newProcess(StorageService, command{
		args:    slices.Concat(s.opts.Parent(StorageService), []string{s.opts.Program, "store", "--listen", "unix://" + socket, "--data", s.opts.Data}),
		sockets: []string{socket},
	})
	s.storage.begin()
	return s.storage.await(ctx, func() bool { return answers(socket) })
}

// await waits until the gateway knows that a replica is ready.
func (s *Stage) await(ctx context.Context, r *replica) error {
	return r.process.await(ctx, func() bool { return r.seen(s.opts.Gateway.Status()).State == gateway.Up })
}

// Failed tells of an error that the stage cannot go on with.
func (s *Stage) Failed() <-chan error { return s.failed }

// Stop ends all processes and waits for them: first the replicas, so that they can
// answer what they have begun, then the storage.
func (s *Stage) Stop() error {
	s.scaling.Lock()
	defer s.scaling.Unlock()
	var errs []error
	var ending sync.WaitGroup
	members := s.all()
	for _, r := range members {
		ending.Go(r.process.stop)
	}
	ending.Wait()
	for _, r := range members {
		s.opts.Gateway.Remove(r.service, r.address)
		errs = append(errs, r.process.removeGroup())
	}
	if s.storage != nil {
		s.storage.stop()
	}
	s.starter.close()
	return errors.Join(errs...)
}

// all returns the replicas.
func (s *Stage) all() []*replica {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.members)
}

// writePeers tells the processes where calls to services go.
func (s *Stage) writePeers() error {
	var text []byte
	for _, r := range s.all() {
		if !r.leaving.Load() {
			text = fmt.Appendf(text, "%s=%s\n", r.service, r.internal)
		}
	}
	name := s.peers()
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

func (s *Stage) peers() string { return filepath.Join(s.opts.Dir, "peers") }
