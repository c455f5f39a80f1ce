package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// How an execution ends other than by a result or a failure.
var (
	errSuspended = errors.New("it waits")
	errFenced    = errors.New("another execution has taken over, or the workflow has ended")
	errExists    = errors.New("the workflow has been started before")
	errEndOfLog  = errors.New("the log ends here")
)

// misuse is a failure that the workflow's code is to blame for, and the compiler
// should have refused.
type misuse string

func (m misuse) Error() string { return string(m) }

const errNotWaited = misuse("errgroup: a workflow returned without waiting for its group")

// execution is one run through the body of a workflow: the replay of its log, then
// what is new.
type execution struct {
	engine  *Engine
	id      string
	method  definition
	head    head
	owner   uint64       // tells the execution from others
	offline bool         // replays the log and ends where it ends
	intent  chan<- error // is told when the intent is durable, which is to be so first
	due     bool         // the loop must look at it again when it is over; guarded by engine.mu

	ctx    context.Context
	cancel context.CancelFunc
	over   atomic.Pointer[unwinding] // why the execution as a whole cannot go on
	wg     sync.WaitGroup            // branches

	mu       sync.Mutex // guards what follows
	log      map[string]*entry
	unseen   int // entries not visited
	versions map[string]bool
	inbox    []*sent
	riders   []rider
	waits    []wait

	gate    gate // held alone by commits that claim or carry riders
	claimed bool
	fresh   bool  // nothing is stored of the workflow yet
	state   state // as it was loaded, or as the claim wrote it
	until   atomic.Int64
	renewal *time.Timer
}

// entry is a record and whether the execution came by it.
type entry struct {
	path path
	*record
	seen bool
}

// sent is something in the workflow's inbox.
type sent struct {
	key   []byte
	name  string
	taken bool
	parcel
}

// wait is what a branch waits for.
type wait struct {
	due   time.Time // zero: no time
	inbox string    // empty: nothing that is sent
}

// A rider is part of the next commit.
type rider func(c *carrier)

func (x *execution) ride(r rider) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.riders = append(x.riders, r)
}

// kill ends the execution because of err, unless it has ended before.
func (x *execution) kill(err error) {
	if x.over.CompareAndSwap(nil, &unwinding{err}) {
		x.cancel()
	}
}

// ending is how the body of a workflow ended.
type ending struct {
	result []byte
	appErr error // that it returned
	err    error // why it did not return
}

// play runs the body up to where all its branches have ended.
func (x *execution) play() (end ending) {
	root := &Run{exec: x, now: x.head.start}
	x.guard(root, func() {
		end.result, end.appErr = x.method.run(x.ctx, root, x.head.args)
	})
	x.wg.Wait()
	switch u, o := x.over.Load(), root.over.Load(); {
	case u != nil:
		end.err = u.err
	case o != nil:
		end.err = o.err
	case len(x.waits) > 0:
		end.err = errNotWaited
	default:
		end.err = x.leftOver()
	}
	return end
}

// guard runs user code in a branch, and recovers what it panics with.
func (x *execution) guard(r *Run, fn func()) {
	returned := false
	defer func() {
		v := recover()
		_, ours := v.(*unwinding)
		switch {
		case v == nil && !returned:
			x.kill(&panicError{err: errors.New("runtime.Goexit was called in a workflow")})
		case v != nil && !ours:
			x.kill(newPanicError(v))
		}
	}()
	fn()
	returned = true
}

// wait leaves the branch until what it waits for is there.
func (r *Run) wait(w wait) {
	x := r.exec
	if x.offline {
		r.unwind(errEndOfLog)
	}
	x.mu.Lock()
	x.waits = append(x.waits, w)
	x.mu.Unlock()
	r.unwind(errSuspended)
}

// visit returns the record at p, nil if there is none.
func (x *execution) visit(p path) *record {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.log[p.String()]
	if e == nil {
		return nil
	}
	if !e.seen {
		e.seen = true
		x.unseen--
	}
	return e.record
}

// ahead returns a record at or after p in the order of the program, nil if there is none.
func (x *execution) ahead(p path) *entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.unseen == 0 {
		return nil
	}
	var first *entry
	for _, e := range x.log {
		if within(e.path, p) || e.path.after(p) {
			if first == nil || slices.Compare(e.path, first.path) < 0 {
				first = e
			}
		}
	}
	return first
}

// within reports whether p is q, or a step of a branch of the group at q.
func within(p, q path) bool { return len(p) >= len(q) && slices.Equal(p[:len(q)], q) }

// reached reports whether a wait at p until due is over: whether it is time, or the
// workflow went on before.
func (x *execution) reached(p path, due time.Time) bool {
	if e := x.ahead(p); e != nil && !slices.Equal(e.path, p) {
		return true
	}
	return !x.engine.now().Before(due)
}

// A DivergedError says that a workflow's code does not do what its log says it did.
type DivergedError struct {
	Step     string // path
	Recorded string // what the log says, as in "call Hotel.Reserve"
	Found    string // what the code asks for; empty if that is not the point
	Reason   string
}

func (e *DivergedError) Error() string {
	msg := fmt.Sprintf("step %s is recorded as %q", e.Step, e.Recorded)
	if e.Found != "" {
		msg += fmt.Sprintf(", but the code now does %q there", e.Found)
	}
	if e.Reason != "" {
		msg += ": " + e.Reason
	}
	return msg + "; bring the code back, or let onefold.Version tell old runs from new ones"
}

func describe(kind stepKind, name string) string {
	if name == "" {
		return kind.String()
	}
	return kind.String() + " " + name
}

// mismatch returns a *DivergedError if s is not the step that rec records.
func (x *execution) mismatch(s *step, rec *record) error {
	diverged := &DivergedError{Step: s.path.String(), Recorded: describe(rec.kind, rec.name), Found: describe(s.kind, s.name)}
	switch {
	case !rec.is(s.kind, s.name):
		return diverged
	case rec.args != s.args && x.head.code == x.method.code():
		diverged.Found, diverged.Reason = "", "the code is the same, but its arguments differ, so it is not deterministic"
		return diverged
	}
	return nil
}

// passed returns a *DivergedError if the log says that the workflow went on after s,
// which it has no record of.
func (x *execution) passed(s *step) error {
	e := x.ahead(s.path)
	if e == nil {
		return nil
	}
	return &DivergedError{
		Step: e.path.String(), Recorded: describe(e.kind, e.name), Found: describe(s.kind, s.name),
		Reason: fmt.Sprintf("the code's step %s is not in the log", s.path),
	}
}

// leftOver returns a *DivergedError if the body returned before it came by all records.
func (x *execution) leftOver() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.unseen == 0 {
		return nil
	}
	var first *entry
	for _, e := range x.log {
		if !e.seen && (first == nil || slices.Compare(e.path, first.path) < 0) {
			first = e
		}
	}
	return &DivergedError{Step: first.path.String(), Recorded: describe(first.kind, first.name), Reason: "the code now returns without it"}
}
