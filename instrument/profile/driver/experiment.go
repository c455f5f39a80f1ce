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

// The parts that a window is cut into, and the phases that one needs.
const (
	segments    = 10
	leastPhases = 5
)

// experiment is the phases of one window.
type experiment struct {
	sys    *system
	load   *load.Runner
	target *service
	batch  int
	stops  map[*service]stop

	sending sync.Mutex // phases go out in order
	mu      sync.Mutex
	edges   []edge
	settled int64 // when measuring began, ns
	paused  map[uint64]*pauses
	failure error
	pending sync.WaitGroup
	busy    busyness
}

// edge is the begin of a phase.
type edge struct {
	at           int64 // ns
	done, failed int64 // end-to-end requests
	phase        uint64
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

func (e *experiment) seen() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.edges)
}

// watch sets the batch of all replicas of the target.
func (e *experiment) watch(ctx context.Context, batch int) error {
	for _, c := range e.target.pokers {
		if err := c.Watch(ctx, batch); err != nil {
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

// wait waits for the window, and for enough phases in it.
func (e *experiment) wait(ctx context.Context, settle settling, window time.Duration) error {
	if err := settle.wait(ctx, e.load); err != nil {
		return err
	}
	e.settled = precise.Now()
	settled := e.seen()
	for waited := time.Duration(0); waited < 4*window; waited += window / 4 {
		if err := pause(ctx, window/4); err != nil {
			return err
		}
		if waited+window/4 >= window && e.seen()-settled > 2*leastPhases {
			return nil
		}
	}
	return nil
}

// cut makes segments of whole phases.
func (e *experiment) cut() []profile.Segment {
	edges := e.edges
	for len(edges) > 0 && edges[0].at < e.settled {
		edges = edges[1:]
	}
	each := max(1, (len(edges)-1)/segments)
	var segs []profile.Segment
	for i := 0; i+each < len(edges); i += each {
		a, b := edges[i], edges[i+each]
		s := profile.Segment{
			Wall: float64(b.at-a.at) / 1e9, Requests: b.done - a.done, Errors: b.failed - a.failed,
			Target: int64(each * e.batch), Phases: each,
		}
		for _, edge := range edges[i : i+each] {
			if p := e.paused[edge.phase]; p != nil {
				s.Paused += float64(p.nanos) / p.parts / 1e9
			}
		}
		segs = append(segs, s)
	}
	return segs
}

// plain measures without phases.
func plain(ctx context.Context, runner *load.Runner, settle settling, window time.Duration) ([]profile.Segment, error) {
	if err := settle.wait(ctx, runner); err != nil {
		return nil, err
	}
	read := func() edge {
		return edge{at: precise.Now(), done: runner.Completed(), failed: runner.Failed()}
	}
	var segs []profile.Segment
	for last := read(); len(segs) < segments; {
		if err := pause(ctx, window/segments); err != nil {
			return nil, err
		}
		now := read()
		segs = append(segs, profile.Segment{
			Wall: float64(now.at-last.at) / 1e9, Requests: now.done - last.done, Errors: now.failed - last.failed,
		})
		last = now
	}
	return segs, nil
}
