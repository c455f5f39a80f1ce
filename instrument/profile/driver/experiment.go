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
	stops  map[*service]float64 // the part of a phase's pause that each makes; less than 1 for a part of the target
	pause  float64              // of a phase, ns
	work   float64              // of the target's cores in a phase, ns, that the pause is for; 0: as long whatever they do

	sending sync.Mutex // phases go out in order
	mu      sync.Mutex
	edges   []edge
	worked  map[*poker.Client]int64 // by each replica of the target, until its last phase
	owed    float64                 // ns of pauses that were longer than one may be
	settled int64                   // when measuring began, ns
	from    int                     // the first edge since then, if not the next to come
	paused  map[uint64]*pauses
	failure error
	pending sync.WaitGroup
	busy    busyness
}

// pauses sums the pauses of one phase.
type pauses struct {
	parts float64
	nanos int64
}

// phase begins a phase: a replica of the target has had a batch of requests.
func (e *experiment) phase(c *poker.Client, work poker.Work) {
	e.sending.Lock()
	defer e.sending.Unlock()
	now := edge{at: precise.Now(), done: e.load.Completed(), failed: e.load.Failed()}
	now.saved = e.saved(c, work.Done)
	e.sys.phase++
	now.phase = e.sys.phase
	e.mu.Lock()
	e.edges = append(e.edges, now)
	e.mu.Unlock()
	e.busy.begin(now.phase, work)
	for _, svc := range e.sys.services {
		part, ok := e.stops[svc]
		if !ok {
			continue
		}
		for _, c := range svc.pokers {
			e.pending.Add(1)
			c.Pause(now.phase, time.Duration(part*now.saved), func(in poker.Interval, err error) { e.done(svc, now.phase, in, err) })
		}
	}
}

// longestPause is how many times the usual one a pause can be; what is left is made up for
// later.
const longestPause = 3

// saved returns how long a phase has to pause the others, in nanoseconds: what was to be saved
// of the time that the target has really taken since its last phase. That time changes
// with what is asked for and with how fast the machine is.
func (e *experiment) saved(c *poker.Client, done int64) float64 {
	last, ok := e.worked[c]
	e.worked[c] = done
	if e.work == 0 || !ok {
		return e.pause
	}
	e.owed += e.pause * float64(max(0, done-last)) / e.work
	now := min(e.owed, longestPause*e.pause)
	e.owed -= now
	return now
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
	p.parts += e.stops[svc]
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
	e.paused, e.worked = map[uint64]*pauses{}, map[*poker.Client]int64{}
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
			if e.work > 0 {
				s.Saved += edge.saved / 1e9
			}
			if p := e.paused[edge.phase]; p != nil {
				s.Paused += float64(p.nanos) / p.parts / 1e9
			}
		}
		segs = append(segs, s)
	}
	return segs
}
