package atomic

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A Group runs branches of a request in parallel, as errgroup.Group runs
// goroutines. S is the service whose method made the group: each branch gets an
// instance of its own, bound to a fork of the group's Tx. Wait merges the forks in
// program order. Where that would not give what the branches do one after the
// other, the attempt starts again with each branch run inside Go.
type Group[S any] struct {
	core group
	bind func(*Tx) S
}

// NewGroup returns a group whose branches see services bound by bind.
func NewGroup[S any](tx *Tx, bind func(*Tx) S) *Group[S] {
	g := &Group[S]{bind: bind}
	g.core.init(tx)
	return g
}

// WithContext is [NewGroup] with a context that is cancelled when Wait returns, or
// when a branch has failed and all branches before it have returned: then no
// branch sees a cancellation that it would not see if the branches ran in turn.
func WithContext[S any](ctx context.Context, tx *Tx, bind func(*Tx) S) (*Group[S], context.Context) {
	g := NewGroup(tx, bind)
	ctx, g.core.cancel = context.WithCancelCause(ctx)
	return g, ctx
}

// Go runs fn as a branch. It blocks while as many branches run as the limit allows.
func (g *Group[S]) Go(fn func(S) error) { g.start(fn, true) }

// TryGo runs fn as a branch unless as many run as the limit allows, and reports whether it did.
func (g *Group[S]) TryGo(fn func(S) error) bool { return g.start(fn, false) }

// SetLimit limits the number of branches that run at a time. A negative n is no
// limit; none may be running.
func (g *Group[S]) SetLimit(n int) { g.core.setLimit(n) }

// Wait waits for all branches and returns the first error in program order.
func (g *Group[S]) Wait() error { return g.core.wait() }

func (g *Group[S]) start(fn func(S) error, block bool) bool {
	c := &g.core
	if !c.acquire(block) {
		return false
	}
	if c.tx.sequential() {
		c.runHere(func(tx *Tx) error { return fn(g.bind(tx)) })
		return true
	}
	c.fork(func(tx *Tx) error { return fn(g.bind(tx)) })
	return true
}

// sequential reports whether branches must run in the Tx itself. Within a
// savepoint they do, so that rolling back finds all live memory in one place.
func (tx *Tx) sequential() bool { return tx.attempt.sequential || tx.depth > 0 }

// group is a Group without its type parameter.
type group struct {
	tx     *Tx
	cancel context.CancelCauseFunc
	limit  chan struct{}
	zero   bool  // the limit is 0
	err    error // the first in program order, of branches that were merged

	wg       sync.WaitGroup
	mu       sync.Mutex
	branches []*branch
	ended    int // branches before it have returned without error
}

// branch is one fork that runs, or has run and is not merged yet.
type branch struct {
	tx   *Tx
	done bool
	err  error
}

func (g *group) init(tx *Tx) {
	tx.check()
	g.tx = tx
	tx.groups = append(tx.groups, g)
}

// acquire takes a place below the limit.
func (g *group) acquire(block bool) bool {
	g.tx.check()
	switch {
	case g.zero && block:
		g.tx.Fail(errors.New("errgroup: Go with a limit of zero blocks forever"))
	case g.zero:
		return false
	case g.limit == nil || g.tx.sequential():
		return true
	case block:
		g.limit <- struct{}{}
		return true
	}
	select {
	case g.limit <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g *group) setLimit(n int) {
	if active := len(g.limit); n >= 0 && active != 0 {
		panic(fmt.Errorf("errgroup: modify limit while %v goroutines in the group are still active", active))
	}
	g.zero = n == 0
	g.limit = nil
	if n > 0 {
		g.limit = make(chan struct{}, n)
	}
}

// runHere runs a branch in the group's own Tx.
func (g *group) runHere(fn func(*Tx) error) {
	if len(g.branches) > 0 {
		g.tx.Fail(errRestart) // some of the group's branches have forked already
	}
	err := g.tx.guard(fn)
	g.tx.check()
	if err != nil && g.err == nil {
		g.err = err
		if g.cancel != nil {
			g.cancel(err)
		}
	}
}

// fork runs a branch in a goroutine and a fork of the group's Tx.
func (g *group) fork(fn func(*Tx) error) {
	b := &branch{tx: g.tx.fork()}
	g.mu.Lock()
	g.branches = append(g.branches, b)
	g.mu.Unlock()
	limit := g.limit
	g.wg.Go(func() {
		err := b.tx.guard(fn)
		g.finish(b, err)
		if limit != nil {
			<-limit
		}
	})
}

// fork returns a Tx for a branch, which sees what tx has written so far.
func (tx *Tx) fork() *Tx {
	tx.flush()
	if tx.shared() != nil {
		tx.Fail(errRestart) // a branch could not tell the places apart
	}
	return &Tx{attempt: tx.attempt, overlay: tx.overlay.Fork(), parent: tx, path: tx.nextPath()}
}

// guard runs the body of a branch. Its panics fail the request, as they would
// end a plain program, whatever user code recovers.
func (tx *Tx) guard(fn func(*Tx) error) (err error) {
	returned := false
	defer func() {
		if v := recover(); v != nil {
			tx.attempt.recovered(v)
		} else if !returned {
			tx.attempt.kill(errGoexit)
		}
		if tx.parent != nil {
			tx.join()
		}
	}()
	err = fn(tx)
	if tx.parent != nil && tx.attempt.dead.Load() == nil {
		tx.flush()
		tx.merged()
	}
	returned = true
	return err
}

// finish notes that b has returned, and cancels the group's context if b or a
// later branch is now known to be the first that failed.
func (g *group) finish(b *branch, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.done, b.err = true, err
	if g.tx.attempt.dead.Load() != nil && g.cancel != nil {
		g.cancel(context.Canceled)
	}
	for g.ended < len(g.branches) && g.branches[g.ended].done && g.branches[g.ended].err == nil {
		g.ended++
	}
	if g.ended < len(g.branches) && g.branches[g.ended].done && g.cancel != nil {
		g.cancel(g.branches[g.ended].err)
	}
}

// wait merges all branches that have forked.
func (g *group) wait() error {
	g.wg.Wait()
	g.tx.check()
	if len(g.branches) > 0 {
		g.tx.flush() // for the branches' writes to come after
	}
	for _, b := range g.branches {
		g.tx.merge(b.tx)
		if g.err == nil {
			g.err = b.err
		}
	}
	g.branches, g.ended = nil, 0
	if g.cancel != nil {
		g.cancel(g.err)
	}
	return g.err
}

// merge appends what a branch did.
func (tx *Tx) merge(child *Tx) {
	if tx.depth > 0 || !tx.overlay.Merge(child.overlay) {
		tx.Fail(errRestart)
	}
	tx.calls += child.calls
	if len(child.left) > 0 {
		tx.leave(child.left)
	}
	for _, t := range child.tracked {
		mine := tx.Tracked(t.field)
		switch {
		case mine == nil:
			t.live.Rebase(tx)
			tx.tracked = append(tx.tracked, t)
		case !mine.Adopt(t.live):
			tx.Fail(errRestart)
		}
	}
}

// errNotWaited ends a request whose effects would depend on how far a branch got.
var errNotWaited = errors.New("errgroup: a method returned without waiting for its group")

// merged unwinds unless all branches were waited for.
func (tx *Tx) merged() {
	for _, g := range tx.groups {
		if len(g.branches) > 0 {
			tx.Fail(errNotWaited)
		}
	}
}

// join waits until no branch runs any more, whatever became of it.
func (tx *Tx) join() {
	for _, g := range tx.groups {
		if g.cancel != nil {
			g.cancel(context.Canceled)
		}
		g.wg.Wait()
	}
}
