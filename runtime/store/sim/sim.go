// Package sim wraps a store engine and makes its operations fail: where a test
// says, or at random from a seed.
//
// To try every crash point of a request, run it once and take [Engine.Trace],
// then for each operation i of the trace and each of its [Faults] f run it
// again after
//
//	e.Reset()
//	e.FaultAt(i, sim.Fault{Kind: f})
//
// A crash is the client's: the operation and everything after it return
// [ErrCrashed] until [Engine.Restart], and the store stays as it is.
package sim

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/store"
)

// ErrCrashed is what a crashed client's operations return. No client must make
// anything of it: it stands for the process being gone.
var ErrCrashed = errors.New("sim: crashed")

// Op is one operation of a trace.
type Op struct {
	Index int // among all operations since Reset
	Nth   int // among those of its kind
	Kind  Kind
	Fault Fault // that struck it
}

// Counts counts operations by kind.
type Counts struct {
	ReadVersions, Gets, Ranges, Commits, Settles int
}

// Engine is an engine whose operations fail as planned. It is safe for
// concurrent use; with concurrent clients the order of operations, and so who
// is struck, is whatever it happens to be.
type Engine struct {
	*plan
	inner store.Engine
}

// plan is what engines share that fail together.
type plan struct {
	mu      sync.Mutex
	trace   []Op
	nth     [kinds]int
	byIndex map[int]Fault
	byNth   [kinds]map[int]Fault
	fired   int
	rates   *Rates
	rng     *rand.Rand
	crashed bool
	late    []lateCommit
}

// lateCommit is a commit on its way to the store.
type lateCommit struct {
	commit *store.Commit
	after  int // commits until it lands; 0 is until Land
}

var _ store.Engine = (*Engine)(nil)

// New returns an engine that does what inner does until it is told otherwise.
// Closing it closes inner.
func New(inner store.Engine) *Engine {
	e := &Engine{plan: new(plan), inner: inner}
	e.Reset()
	return e
}

// Over returns an engine that does what inner does, another way to the same store,
// under the plan of e: its operations are counted with those of e, and a crash is
// that of both.
func (e *Engine) Over(inner store.Engine) *Engine { return &Engine{plan: e.plan, inner: inner} }

// Reset forgets the trace, the counts, the plan and the rates. Commits on their
// way stay on their way, and a crashed client stays crashed.
func (e *Engine) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trace, e.nth, e.fired = nil, [kinds]int{}, 0
	e.byIndex, e.byNth = map[int]Fault{}, [kinds]map[int]Fault{}
	e.rates, e.rng = nil, nil
}

// FaultAt plans a fault for the i-th operation after Reset, counted from 0. It
// does not strike if it does not apply to the operation; see Fired.
func (e *Engine) FaultAt(i int, f Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.byIndex[i] = f
}

// FaultNth plans a fault for the n-th operation of kind k after Reset, counted
// from 0.
func (e *Engine) FaultNth(k Kind, n int, f Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byNth[k] == nil {
		e.byNth[k] = map[int]Fault{}
	}
	e.byNth[k][n] = f
}

// Random makes operations fail at random, besides those that are planned.
func (e *Engine) Random(seed uint64, rates Rates) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rates, e.rng = &rates, rand.New(rand.NewPCG(seed, 0))
}

// Fired returns how many faults have struck since Reset.
func (e *Engine) Fired() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fired
}

// Trace returns the operations since Reset in the order in which they began.
func (e *Engine) Trace() []Op {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Op(nil), e.trace...)
}

// Counts returns the number of operations since Reset, failed ones included.
func (e *Engine) Counts() Counts {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.nth
	return Counts{ReadVersions: n[ReadVersion], Gets: n[Get], Ranges: n[Range], Commits: n[Commit], Settles: n[Settle]}
}

// Crashed reports whether the client has crashed and was not restarted.
func (e *Engine) Crashed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.crashed
}

// Crash crashes the client.
func (e *Engine) Crash() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.crashed = true
}

// Restart lets a crashed client work again.
func (e *Engine) Restart() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.crashed = false
}

// Land makes all commits that are on their way arrive, in the order in which
// they were made, and returns how many of them the store took: those that
// conflict by now, or whose version is too old, are lost.
func (e *Engine) Land(ctx context.Context) int {
	return e.land(ctx, func(*lateCommit) bool { return true })
}

// land submits the commits on their way that are due.
func (e *Engine) land(ctx context.Context, due func(*lateCommit) bool) int {
	e.mu.Lock()
	var now []lateCommit
	rest := e.late[:0]
	for _, l := range e.late {
		if due(&l) {
			now = append(now, l)
		} else {
			rest = append(rest, l)
		}
	}
	e.late = rest
	e.mu.Unlock()
	landed := 0
	for _, l := range now {
		if _, err := e.inner.Commit(ctx, l.commit); err == nil {
			landed++
		}
	}
	return landed
}

// begin traces an operation and returns the fault that strikes it. An error
// ends the operation at once.
func (e *Engine) begin(ctx context.Context, k Kind) (Fault, error) {
	f, err := e.next(k)
	if err == nil && f.Kind == Delay {
		select {
		case <-time.After(f.Delay):
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	return f, err
}

func (e *Engine) next(k Kind) (Fault, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.crashed {
		return Fault{}, ErrCrashed
	}
	op := Op{Index: len(e.trace), Nth: e.nth[k], Kind: k}
	op.Fault = e.planned(op)
	e.trace = append(e.trace, op)
	e.nth[k]++
	if op.Fault.Kind == None {
		return op.Fault, nil
	}
	e.fired++
	switch op.Fault.Kind {
	case CrashBefore:
		e.crashed = true
		return op.Fault, ErrCrashed
	case Conflict:
		return op.Fault, store.ErrConflict
	case TooOld:
		return op.Fault, store.ErrTooOld
	case Full:
		return op.Fault, store.ErrFull
	case UnknownLost:
		return op.Fault, store.ErrUnknown
	}
	return op.Fault, nil
}

// planned returns the fault for op.
func (e *Engine) planned(op Op) Fault {
	f, ok := e.byIndex[op.Index]
	if !ok {
		f, ok = e.byNth[op.Kind][op.Nth]
	}
	if !ok && e.rates != nil {
		f = e.rates.pick(e.rng, op.Kind)
	}
	if !f.Kind.Applies(op.Kind) {
		return Fault{}
	}
	return f
}

// end gives an operation that was made its result under fault f.
func (e *Engine) end(f Fault, err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f.Kind == CrashAfter {
		e.crashed = true
	}
	if e.crashed {
		// Also if another operation crashed the client meanwhile.
		return ErrCrashed
	}
	return err
}

// ReadVersion is the inner engine's, under the plan.
func (e *Engine) ReadVersion(ctx context.Context) (store.Version, error) {
	f, err := e.begin(ctx, ReadVersion)
	if err != nil {
		return 0, err
	}
	v, err := e.inner.ReadVersion(ctx)
	if err != nil {
		return 0, e.end(f, err)
	}
	if err := e.end(f, nil); err != nil {
		e.inner.Release(v)
		return 0, err
	}
	return v, nil
}

// Release is the inner engine's.
func (e *Engine) Release(v store.Version) { e.inner.Release(v) }

// Get is the inner engine's, under the plan.
func (e *Engine) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	f, err := e.begin(ctx, Get)
	if err != nil {
		return nil, false, err
	}
	value, ok, err := e.inner.Get(ctx, v, key)
	if err = e.end(f, err); err != nil {
		return nil, false, err
	}
	return value, ok, nil
}

// Range is the inner engine's, under the plan.
func (e *Engine) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	f, err := e.begin(ctx, Range)
	if err != nil {
		return nil, false, err
	}
	kvs, more, err := e.inner.Range(ctx, v, r, opts)
	if err = e.end(f, err); err != nil {
		return nil, false, err
	}
	return kvs, more, nil
}

// Commit is the inner engine's, under the plan. Commits on their way that are
// due land before it.
func (e *Engine) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	f, err := e.begin(ctx, Commit)
	// Even a commit that fails lets time pass for those on their way.
	e.land(ctx, func(l *lateCommit) bool {
		if l.after > 0 {
			l.after--
			return l.after == 0
		}
		return false
	})
	if err != nil {
		return 0, err
	}
	if f.Kind == UnknownLate {
		e.mu.Lock()
		e.late = append(e.late, lateCommit{commit: clone(c), after: f.After})
		e.mu.Unlock()
		return 0, store.ErrUnknown
	}
	v, err := e.inner.Commit(ctx, c)
	if err = e.end(f, err); err != nil {
		return 0, err
	}
	if f.Kind == UnknownLanded {
		return 0, store.ErrUnknown
	}
	return v, nil
}

// Settle is the inner engine's, under the plan.
func (e *Engine) Settle(ctx context.Context, v store.Version) error {
	f, err := e.begin(ctx, Settle)
	if err != nil {
		return err
	}
	return e.end(f, e.inner.Settle(ctx, v))
}

// Close closes the inner engine. Commits still on their way are lost.
func (e *Engine) Close() error { return e.inner.Close() }

// clone copies a commit with all that it refers to.
func clone(c *store.Commit) *store.Commit {
	d := &store.Commit{Version: c.Version}
	for _, r := range c.Reads {
		d.Reads = append(d.Reads, store.Range{Begin: bytes.Clone(r.Begin), End: bytes.Clone(r.End)})
	}
	for _, op := range c.Ops {
		d.Ops = append(d.Ops, store.Op{Kind: op.Kind, Key: bytes.Clone(op.Key), Value: bytes.Clone(op.Value)})
	}
	return d
}
