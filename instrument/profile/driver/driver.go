// Package driver measures a live system for package profile. All it needs of the
// system is a poker beside each replica of each service, and a mix of requests:
// whether the services run on this machine or in a cluster, and who started them, is
// no matter.
//
// The load runs all the time in this process. An experiment sets the target's
// poker to tell when a batch of requests is full; then all other pokers are told to
// pause their services, for the time that the batch would have saved. Nothing is
// restarted between experiments.
package driver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile"
)

// Service is one service of the system.
type Service struct {
	Name     string
	Replicas []Replica // none for one that cannot be paused
	// Cores that all replicas can use together; 0: what the pokers or else the machine
	// let them.
	Cores float64
	// Background is a service that is paused with the others, and profiled only if
	// Targets names it.
	Background bool
	// Time that one request takes of a core; 0: measured.
	Time time.Duration
	// Addresses under which others call it, for the table of calls.
	Addresses []string
}

// Replica is one process of a service, and its poker.
type Replica struct {
	Control string // unix:PATH or tcp:HOST:PORT
	Token   string
}

// Options say what to measure. Zero values take the defaults that are named.
type Options struct {
	Name        string
	Services    []Service
	Mix         *load.Mix
	Load        load.Options  // closed loop; default 64 clients
	MaxClients  int           // clients may be raised to this for pauses to be long enough; default 256
	Targets     []string      // default: all services that have requests; a+b is two at once, a:r one route
	Fractions   []float64     // default 10, 25, 50, 75, 90 %
	Repetitions int           // of every experiment; default 4
	Window      time.Duration // default 3 s
	Settle      time.Duration // before each window, at least; default 500 ms
	Interval    float64       // half width to reach by further repetitions; default 3 %
	Budget      time.Duration // for all; default: no further repetitions
	Seed        uint64
	// AllowQuota measures services that a quota of processor time throttles, whose
	// predictions are wrong.
	AllowQuota bool
	// Truth makes a service really faster by a fraction, 0 for as it was. Where it is
	// set, the truth is measured beside every prediction.
	Truth func(ctx context.Context, service string, fraction float64) error
	// Progress is told what is being done.
	Progress func(Progress)
}

// Progress is how far a measurement is.
type Progress struct {
	Doing string
	Done  int // windows
	Total int
	Left  time.Duration // at least
}

func (o *Options) defaults() error {
	if o.Load.Clients == 0 && o.Load.Rate == 0 {
		o.Load.Clients = 64
	}
	if o.Load.Clients == 0 {
		return errors.New("a profile needs a load in closed loop: want a number of clients")
	}
	setDefault(&o.MaxClients, max(256, o.Load.Clients))
	setDefault(&o.Repetitions, 4)
	setDefault(&o.Window, 3*time.Second)
	setDefault(&o.Settle, 500*time.Millisecond)
	setDefault(&o.Interval, 0.03)
	if len(o.Fractions) == 0 {
		o.Fractions = []float64{0.1, 0.25, 0.5, 0.75, 0.9}
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if err := profile.CheckFractions(o.Fractions); err != nil {
		return err
	}
	for _, t := range o.Targets {
		if err := o.checkTarget(t); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) checkTarget(target string) error {
	parts := profile.Parts(target)
	for i, name := range parts {
		if !slices.ContainsFunc(o.Services, func(s Service) bool { return s.Name == name }) {
			return fmt.Errorf("there is no service %q to profile", name)
		}
		if slices.Contains(parts[:i], name) {
			return fmt.Errorf("target %s names %s twice", target, name)
		}
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Run measures. When the context ends, or something fails, it returns what it has
// beside the error.
func Run(ctx context.Context, opts Options) (*profile.Raw, error) {
	if err := opts.defaults(); err != nil {
		return nil, err
	}
	sys, err := connect(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer sys.close()
	raw := &profile.Raw{Schema: profile.Schema, Name: opts.Name, Seed: opts.Seed}
	r := &run{opts: opts, sys: sys, raw: raw, begun: time.Now(), canary: newCanary()}
	defer r.canary.close()
	defer func() { r.stopLoad() }()
	err = r.measure(ctx)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	return raw, err
}
