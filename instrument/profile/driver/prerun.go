package driver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile"
)

// mostErrors is the share of failed requests above which a window is not used.
const mostErrors = 0.001

// busyLoad is the share of this machine above which the load may be the limit.
const busyLoad = 0.7

// prerun measures the system as it is: the ratios of requests, the time of each, and
// who calls whom.
func (r *run) prerun(ctx context.Context) error {
	r.opts.Progress(Progress{Doing: "measuring the services as they are"})
	// The first answers are slow: connections are made, caches are cold, and all
	// clients stand in one queue.
	if err := r.awaitAnswers(ctx, 2*int64(r.opts.Load.Clients)); err != nil {
		return err
	}
	if err := pause(ctx, r.opts.Settle); err != nil {
		return err
	}
	before, err := r.sys.works(ctx, r.load)
	if err != nil {
		return err
	}
	noise := r.canary.listen()
	start, used, done, failed := time.Now(), load.ProcessorTime(), r.load.Completed(), r.load.Failed()
	if err := pause(ctx, 2*r.opts.Window); err != nil {
		return err
	}
	if err := r.awaitAnswers(ctx, done+1); err != nil {
		return err
	}
	after, err := r.sys.works(ctx, r.load)
	if err != nil {
		return err
	}
	r.own = noise()
	wall := time.Since(start).Seconds()
	loadCores := (load.ProcessorTime() - used).Seconds() / wall
	done, failed = r.load.Completed()-done, r.load.Failed()-failed
	if err := checkLoad(done, failed); err != nil {
		return err
	}
	if loadCores > busyLoad*float64(runtime.NumCPU()) {
		r.warn("the load uses %.1f of this machine's %d cores: it may be the bottleneck itself", loadCores, runtime.NumCPU())
	}
	r.measured = map[string]bool{}
	for i, svc := range r.sys.services {
		r.measured[svc.Name] = svc.Time == 0 && after[i].processor
	}
	r.describe(before, after)
	return r.checkTargets(after)
}

// patience is how long the system may take to answer.
const patience = 30 * time.Second

// awaitAnswers waits until the load has so many answers, good or bad.
func (r *run) awaitAnswers(ctx context.Context, n int64) error {
	for deadline := time.Now().Add(patience); r.load.Completed()+r.load.Failed() < n; {
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d requests were answered within %v: try the mix with onefold load", r.load.Completed(), n, patience)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func checkLoad(done, failed int64) error {
	switch {
	case done == 0:
		return errors.New("no request of the load is answered well: try the mix with onefold load")
	case float64(failed) > mostErrors*float64(done+failed):
		return fmt.Errorf("%.1f %% of the load's requests fail: try the mix with onefold load", 100*float64(failed)/float64(done+failed))
	}
	return nil
}

// describe fills the document's services and edges.
func (r *run) describe(before, after []work) {
	names := map[string]string{} // of services by address
	for _, svc := range r.sys.services {
		for _, a := range svc.Addresses {
			names[a] = svc.Name
		}
	}
	r.raw.Services, r.raw.Edges = nil, nil
	for i, svc := range r.sys.services {
		requests := float64(after[i].requests - before[i].requests)
		done := max(1, after[i].done-before[i].done)
		s := profile.Service{
			Name: svc.Name, Cores: svc.Cores, Replicas: len(svc.pokers), Pausable: len(svc.pokers) > 0,
			Ratio: requests / done, Time: svc.Time.Seconds(),
		}
		if s.Cores == 0 {
			s.Cores = float64(max(1, after[i].affinity))
		}
		if s.Time == 0 && requests > 0 {
			s.Time = float64(after[i].nanos-before[i].nanos) / 1e9 / requests
		}
		for _, name := range slices.Sorted(maps.Keys(after[i].routes)) {
			if n := after[i].routes[name] - before[i].routes[name]; n > 0 {
				s.Routes = append(s.Routes, profile.Route{Name: name, Ratio: float64(n) / done})
			}
		}
		r.raw.Services = append(r.raw.Services, s)
		for _, address := range slices.Sorted(maps.Keys(after[i].calls)) {
			to, ok := names[address]
			if !ok {
				to = address
			}
			if n := after[i].calls[address] - before[i].calls[address]; n > 0 {
				r.raw.Edges = append(r.raw.Edges, profile.Edge{From: svc.Name, To: to, Ratio: float64(n) / done})
			}
		}
	}
	r.checkReplicas(before, after)
	for i := range r.raw.Services { // what counts nothing itself is known from who calls it
		if s := &r.raw.Services[i]; !s.Pausable {
			for _, e := range r.raw.Edges {
				if e.To == s.Name {
					s.Ratio += e.Ratio
				}
			}
		}
	}
}

// unequal is how many times the requests of the least used replica the most used may have,
// where that has more than a few.
const (
	unequal = 2
	few     = 20
)

// checkReplicas finds services whose replicas do not share the work. A prediction takes
// their cores together, as if they did.
func (r *run) checkReplicas(before, after []work) {
	for i, svc := range r.sys.services {
		var each []int64
		for n := range after[i].replicas {
			each = append(each, after[i].replicas[n]-before[i].replicas[n])
		}
		if len(each) == 0 {
			continue
		}
		if least, most := slices.Min(each), slices.Max(each); most > few && most > unequal*least {
			r.warn("the replicas of %s do not share its requests equally, one had %d and one %d: predictions for it are too low", svc.Name, least, most)
		}
	}
}

// checkTargets finds the services that can be profiled, or says why none can.
func (r *run) checkTargets(works []work) error {
	problems := map[string]string{}
	for i, s := range r.raw.Services {
		problems[s.Name] = unprofilable(s, works[i].attached)
		if !s.Pausable {
			r.warn("%s %s", s.Name, problems[s.Name])
		}
	}
	r.targets = nil
	for _, target := range r.opts.Targets {
		for _, name := range profile.Parts(target) {
			if problem := problems[name]; problem != "" {
				return fmt.Errorf("service %s %s", name, problem)
			}
		}
		if err := r.checkRoute(target); err != nil {
			return err
		}
		r.targets = append(r.targets, target)
	}
	if len(r.targets) > 0 {
		return nil
	}
	for i, s := range r.raw.Services {
		switch problem := problems[s.Name]; {
		case r.sys.services[i].Background:
		case problem != "":
			r.warn("%s %s", s.Name, problem)
		default:
			r.targets = append(r.targets, s.Name)
		}
	}
	if len(r.targets) == 0 {
		return errors.New("no service can be profiled: " + fmt.Sprint(r.raw.Warnings))
	}
	return nil
}

// checkRoute reports a target whose route had no requests.
func (r *run) checkRoute(target string) error {
	if _, ok := r.raw.Target(target); ok {
		return nil
	}
	s, _ := r.raw.Target(profile.Parts(target)[0])
	var names []string
	for _, route := range s.Routes {
		names = append(names, fmt.Sprintf("%q", route.Name))
	}
	return fmt.Errorf("service %s had no request of route %q: those it had were of %s", s.Name, profile.RouteOf(target), strings.Join(names, ", "))
}

// unprofilable says why a service cannot be profiled, "" for one that can.
func unprofilable(s profile.Service, attached bool) string {
	switch {
	case !s.Pausable:
		return "has no poker, so it cannot be paused: it keeps its speed while others are, and predictions that it may limit reach down to what is sure"
	case !attached:
		return "counts no requests: it is not instrumented, so it can be paused but not profiled"
	case s.Ratio == 0:
		return "gets no requests from this load"
	case s.Time == 0:
		return "uses no measurable time"
	}
	return ""
}

// needClients returns the clients with which all pauses can be long enough, and not
// more than allowed.
func (r *run) needClients() int {
	need := r.opts.Load.Clients
	for _, name := range r.targets {
		s, _ := r.raw.Target(name)
		for _, f := range r.opts.Fractions {
			saved := f * s.Time / s.Cores
			need = max(need, profile.Clients(saved))
		}
	}
	return min(need, r.opts.MaxClients)
}

// pause waits, unless the context ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(d, 0)):
		return nil
	}
}

// relative returns the distance of two figures as a share of the second.
func relative(a, b float64) float64 {
	if b == 0 {
		return math.Inf(1)
	}
	return math.Abs(a/b - 1)
}
