package driver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/poker"
	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// system is the services behind their pokers.
type system struct {
	services []*service
	phase    uint64 // of the last pause; rises
	current  atomic.Pointer[experiment]
}

type service struct {
	Service
	pokers []*poker.Client
	egress egress
}

// connectTime is how long a poker may take to be there.
const connectTime = 15 * time.Second

// connect connects to all pokers.
func connect(ctx context.Context, opts Options) (*system, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	sys := &system{}
	experiment := fmt.Sprintf("%s-%d", opts.Name, time.Now().UnixNano())
	for _, s := range opts.Services {
		svc := &service{Service: s}
		sys.services = append(sys.services, svc)
		for _, r := range s.Replicas {
			var c *poker.Client // phases come only when it is there
			var err error
			c, err = dial(ctx, r, experiment, func(p poker.Phase) {
				if e := sys.current.Load(); e != nil && e.target == svc {
					e.phase(c, p.Work)
				}
			})
			if err != nil {
				sys.close()
				return nil, fmt.Errorf("service %s: %w", s.Name, err)
			}
			svc.pokers = append(svc.pokers, c)
		}
		if svc.Cores == 0 {
			svc.Cores = svc.limit()
		}
	}
	if opts.AllowQuota {
		return sys, nil
	}
	if err := sys.checkQuotas(ctx); err != nil {
		sys.close()
		return nil, err
	}
	return sys, nil
}

// dial tries until the poker is there.
func dial(ctx context.Context, r Replica, experiment string, onPhase func(poker.Phase)) (*poker.Client, error) {
	for {
		c, err := poker.Dial(ctx, r.Control, r.Token, experiment, onPhase)
		if err == nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *system) close() {
	for _, svc := range s.services {
		for _, c := range svc.pokers {
			c.Close() // the poker continues its service
		}
	}
}

// checkQuotas refuses services that the kernel throttles: those stand still most of
// the time anyway, so that pausing them costs them nothing.
func (s *system) checkQuotas(ctx context.Context) error {
	var problems []error
	for _, svc := range s.services {
		for _, c := range svc.pokers {
			stats, err := c.Stats(ctx)
			if err != nil {
				return fmt.Errorf("service %s: %w", svc.Name, err)
			}
			// A limit that the poker keeps does not have that fault.
			if q, limit := stats.Quota, c.Info.Cores; q.Cores > 0 && q.Cores < float64(q.Affinity) && (limit == 0 || limit > q.Cores) {
				problems = append(problems, fmt.Errorf("service %s has a quota of %.3g cores, with which pauses cost it nothing and predictions are wrong: profile it without the limit (in Kubernetes, without limits.cpu), or give the limit to its poker, --cores", svc.Name, q.Cores))
			}
		}
	}
	return errors.Join(problems...)
}

// limit returns the cores that the pokers let all replicas use, 0 if one of them has
// no limit.
func (s *service) limit() float64 {
	sum := 0.0
	for _, c := range s.pokers {
		if c.Info.Cores == 0 {
			return 0
		}
		sum += c.Info.Cores
	}
	return sum
}

// work is a service's counters, summed over its replicas.
type work struct {
	requests, nanos int64
	done            float64          // end-to-end requests when that was read
	calls           map[string]int64 // by address
	routes          map[string]int64
	replicas        []int64 // requests of each
	affinity        int
	attached        bool
	processor       bool // nanos are processor time
}

func (s *service) work(ctx context.Context, runner *load.Runner) (w work, err error) {
	w.calls, w.routes = map[string]int64{}, map[string]int64{}
	before := runner.Completed()
	defer func() { w.done = float64(before+runner.Completed()) / 2 }()
	for _, c := range s.pokers {
		stats, err := c.Stats(ctx)
		if err != nil {
			return w, fmt.Errorf("service %s: %w", s.Name, err)
		}
		requests := stats.Requests()
		w.requests += requests
		w.replicas = append(w.replicas, requests)
		w.nanos += stats.Work().Done
		w.affinity = max(w.affinity, stats.Quota.Affinity)
		w.attached = w.attached || stats.Attached
		w.processor = stats.Busy == 0
		for _, count := range stats.Counts {
			switch count.Kind {
			case string(page.Edge):
				w.calls[count.Name] += count.Value
			case string(page.Route):
				w.routes[count.Name] += count.Value
			}
		}
	}
	return w, nil
}

// works is work of all services.
func (s *system) works(ctx context.Context, runner *load.Runner) ([]work, error) {
	all := make([]work, len(s.services))
	for i, svc := range s.services {
		var err error
		if all[i], err = svc.work(ctx, runner); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *system) find(name string) *service {
	for _, svc := range s.services {
		if svc.Name == name {
			return svc
		}
	}
	panic("driver: no service " + name) // names come from the list of services
}
