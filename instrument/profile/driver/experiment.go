package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/poker"
	"github.com/onefold/onefold/instrument/precise"
	"github.com/onefold/onefold/instrument/profile"
)

// leastPhases is how many phases a window needs.
const leastPhases = 5

// experiment is the phases of one window.
type experiment struct {
	sys    *system
	load   *load.Runner
	target *service
	route  string // of the target, if only its requests count
	batch  int
	stops  map[*service]stop

	sending sync.Mutex // phases go out in order
	mu      sync.Mutex
	edges   []edge
	settled int64 // when measuring began, ns
	from    int   // the first edge since then, if not the next to come
	paused  map[uint64]*pauses
	failure error
	pending sync.WaitGroup
	busy    busyness
}

// stop is what a service has to pause in each phase.
type stop struct {
	part float64 // of the whole pause; less than 1 for a part of the target
	time time.Duration
}

// pauses sums the pauses of one phase.
type pauses struct {
	parts float64
	nanos int64
}

// phase begins a phase: the target has had a batch of requests.
func (e *experiment) phase(work poker.Work) {
	e.sending.Lock()
	defer e.sending.Unlock()
	now := edge{at: precise.Now(), done: e.load.Completed(), failed: e.load.Failed()}
	e.sys.phase++
	now.phase = e.sys.phase
	e.mu.Lock()
	e.edges = append(e.edges, now)
	e.mu.Unlock()
	e.busy.begin(now.phase, work)
	for _, svc := range e.sys.services {
		s, ok := e.stops[svc]
		if !ok {
			continue
		}
		for _, c := range svc.pokers {
			e.pending.Add(1)
			c.Pause(now.phase, s.time, func(in poker.Interval, err error) { e.done(svc, now.phase, in, err) })
		}
	}
}

// done records one pause.
func (e *experiment) done(svc *service, phase uint64, in poker.Interval, err error) {
	defer e.pending.Done()
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		e.failure = errors.Join(e.failure, err)
		return
	}
	p := e.paused[phase]
	if p == nil {
		p = &pauses{}
		e.paused[phase] = p
		if e.busy.wants(phase) {
			e.target.pokers[0].Work(func(w poker.Work) { e.busy.end(phase, w) })
		}
	}
	svc.egress.add(in)
	p.parts += e.stops[svc].part
	p.nanos += in.Continue - in.Stop
}

// watch sets the batch of all replicas of the target.
func (e *experiment) watch(ctx context.Context, batch int) error {
	for _, c := range e.target.pokers {
		if err := c.Watch(ctx, batch, e.route); err != nil {
			return fmt.Errorf("service %s: %w", e.target.Name, err)
		}
	}
	return nil
}

// run lets phases happen for the length of a window after they have settled, longer
// if they are rare, and returns the segments.
func (e *experiment) run(ctx context.Context, settle settling, window time.Duration) ([]profile.Segment, error) {
	e.paused = map[uint64]*pauses{}
	e.sys.current.Store(e)
	if err := e.watch(ctx, e.batch); err != nil {
		return nil, err
	}
	err := e.wait(ctx, settle, window)
	// Whatever happened, no phase may be under way when the next window begins.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = errors.Join(err, e.watch(end, 0))
	e.sys.current.Store(nil)
	e.drain()
	if err != nil {
		return nil, err
	}
	return e.cut(), e.failure
}

// drain waits for the phases that were begun.
func (e *experiment) drain() {
	e.sending.Lock() // what was begun has been sent now
	defer e.sending.Unlock()
	e.pending.Wait() // each pause is answered, or its connection fails
}

// wait waits for the window, and for enough phases and whole turns in it.
func (e *experiment) wait(ctx context.Context, settle settling, window time.Duration) error {
	if err := settle.wait(ctx, e.load); err != nil {
		return err
	}
	e.settled = precise.Now()
	goal := wholeTurns{turn: int64(e.load.Clients())}
	for begun := time.Now(); time.Since(begun) < longest*window; {
		if err := pause(ctx, look); err != nil {
			return err
		}
		phases, requests := e.seen()
		if time.Since(begun) >= window && phases > 2*leastPhases && goal.reached(requests) {
			return nil
		}
	}
	return nil
}

// seen returns the phases since the system has settled, and the requests between the
// first and the last of them.
func (e *experiment) seen() (phases int, requests int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	edges := e.measured()
	if len(edges) == 0 {
		return 0, 0
	}
	return len(edges), edges[len(edges)-1].done - edges[0].done
}

// measured returns the edges since the system has settled.
func (e *experiment) measured() []edge {
	for e.from < len(e.edges) && e.edges[e.from].at < e.settled {
		e.from++
	}
	return e.edges[e.from:]
}

// cut makes segments of whole phases, as near as those come to whole turns.
func (e *experiment) cut() []profile.Segment {
	edges := e.measured()
	var segs []profile.Segment
	for a, b := range turns(edges, int64(e.load.Clients())) {
		s := between(edges[a], edges[b])
		s.Phases, s.Target = b-a, int64((b-a)*e.batch)
		for _, edge := range edges[a:b] {
			if p := e.paused[edge.phase]; p != nil {
				s.Paused += float64(p.nanos) / p.parts / 1e9
			}
		}
		segs = append(segs, s)
	}
	return segs
}
