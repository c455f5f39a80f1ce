package atomic

import (
	"context"
	"errors"
	"hash/fnv"

	"github.com/onefold/onefold/runtime/store/overlay"
)

// Perform runs fn as the part of another process's attempt that c asks for. It
// commits nothing. fn returns the encoded results and the method's error, of which
// results come back with an error too. The error is a failure: the part did not happen.
func (r *Runner) Perform(ctx context.Context, c *Call, fn Func) (*Part, error) {
	method := hashOf(c.Service, c.Method)
	sequential := c.Sequential || r.opts.Sequential || r.inOrder.applies(method)
	part, err := r.perform(ctx, c, fn, sequential)
	if errors.Is(err, errRestart) && !sequential {
		// The part starts again by itself: nobody has seen it yet.
		r.stats.restarts.Add(1)
		r.inOrder.learn(method)
		part, err = r.perform(ctx, c, fn, true)
	}
	return part, err
}

func (r *Runner) perform(ctx context.Context, c *Call, fn Func, sequential bool) (*Part, error) {
	r.stats.parts.Add(1)
	a := new(attempt)
	r.setUp(ctx, a)
	a.caller, a.sequential, a.version = c.ID, sequential, c.Version
	a.held.Store(true)
	base := overlay.New(a, c.Version)
	base.Apply(c.Pending)
	tx := &a.root
	tx.overlay, tx.path = base.Fork(), c.Path
	defer a.end()
	defer tx.join()
	results, appErr := a.part(ctx, fn)
	if u := a.dead.Load(); u != nil {
		return nil, u.err
	}
	part := &Part{Part: tx.overlay.Part(), Results: results, Err: appErr, Calls: tx.calls, Hints: a.hints}
	if c.ReadOnly {
		part.Reads, part.Inherited = nil, nil
	}
	return part, nil
}

// part runs fn up to where its writes are in the overlay, those of a method that
// fails too: its caller may go on.
func (a *attempt) part(ctx context.Context, fn Func) (results []byte, appErr error) {
	tx := &a.root
	defer func() {
		if v := recover(); v != nil {
			a.recovered(v)
		}
	}()
	results, appErr = fn(ctx, tx)
	tx.check()
	tx.merged()
	tx.flush()
	if err := tx.shared(); err != nil {
		tx.Fail(err)
	}
	return results, appErr
}

func hashOf(service, method string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(service))
	h.Write([]byte{'.'})
	h.Write([]byte(method))
	return h.Sum64()
}
