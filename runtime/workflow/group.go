package workflow

import (
	"context"
	"sync"
)

// A Group runs branches of a workflow in parallel, as errgroup.Group runs
// goroutines. S is the service whose workflow made the group: each branch gets an
// instance of its own, bound to a Run of its own. While branches wait, the
// others go on; when all of them have ended or wait, the workflow waits.
type Group[S any] struct {
	core group
	bind func(*Run) S
}

// NewGroup returns a group whose branches see services bound by bind.
func NewGroup[S any](run *Run, bind func(*Run) S) *Group[S] {
	g := &Group[S]{bind: bind}
	g.core.init(run)
	return g
}

// WithContext is [NewGroup] with a context that is cancelled when Wait returns. That a
// branch has failed does not cancel it: the others could tell when it did.
func WithContext[S any](ctx context.Context, run *Run, bind func(*Run) S) (*Group[S], context.Context) {
	g := NewGroup(run, bind)
	ctx, g.core.cancel = context.WithCancelCause(ctx)
	return g, ctx
}

// Go runs fn as a branch. While as many branches run as the limit allows it blocks.
func (g *Group[S]) Go(fn func(S) error) {
	g.core.start(func(r *Run) error { return fn(g.bind(r)) })
}

// SetLimit limits the number of branches that run at a time, those that wait
// included. A negative n is no limit; none may be running.
func (g *Group[S]) SetLimit(n int) { g.core.setLimit(n) }

// Wait waits for all branches and returns the first error in program order.
func (g *Group[S]) Wait() error { return g.core.wait() }

// group is a Group without its type parameter.
type group struct {
	run    *Run // that made it
	path   path
	cancel context.CancelCauseFunc
	limit  int // 0 is none

	mu       sync.Mutex
	changed  sync.Cond // a branch has ended or waits
	branches []*branch
	live     int // branches that have neither ended nor wait
	held     int // branches that wait
}

// branch is one branch of a group.
type branch struct {
	run *Run
	err error
}

func (g *group) init(r *Run) {
	s, rec := r.begin(groupStep, "", 0)
	_ = rec // a group has no record; begin refuses one of another kind
	g.run, g.path = r, s.path
	g.changed.L = &g.mu
}

func (g *group) setLimit(n int) {
	g.run.check()
	switch {
	case n < 0:
		g.limit = 0
	case n == 0:
		g.run.fail(misuse("errgroup: Go with a limit of zero blocks forever"))
	default:
		g.limit = n
	}
}

// start runs a branch.
func (g *group) start(fn func(*Run) error) {
	g.run.check()
	g.mu.Lock()
	for g.limit > 0 && g.live+g.held >= g.limit && g.live > 0 {
		g.changed.Wait()
	}
	full := g.limit > 0 && g.live+g.held >= g.limit
	if full {
		g.mu.Unlock()
		g.run.check()
		g.run.unwind(errSuspended) // until a branch that waits has ended
	}
	b := &branch{run: &Run{exec: g.run.exec, prefix: g.path.with(len(g.branches) + 1), now: g.run.now}}
	g.branches = append(g.branches, b)
	g.live++
	g.mu.Unlock()
	g.run.exec.wg.Go(func() { g.runBranch(b, fn) })
}

// runBranch runs a branch to where it ends or waits.
func (g *group) runBranch(b *branch, fn func(*Run) error) {
	b.run.exec.guard(b.run, func() { b.err = fn(b.run) })
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live--
	if b.run.over.Load() != nil {
		g.held++
	}
	g.changed.Broadcast()
}

// wait waits for all branches. If some of them wait, so does the workflow.
func (g *group) wait() error {
	g.mu.Lock()
	for g.live > 0 {
		g.changed.Wait()
	}
	g.mu.Unlock()
	g.run.check()
	var first error
	for _, b := range g.branches {
		if u := b.run.over.Load(); u != nil {
			g.run.unwind(u.err)
		}
		g.run.seen(b.run.now)
		if first == nil {
			first = b.err
		}
	}
	g.branches, g.held = nil, 0
	if g.cancel != nil {
		g.cancel(first)
	}
	return first
}
