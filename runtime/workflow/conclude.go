package workflow

import (
	"context"
	"errors"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// errWoken says that a workflow need not wait: what it waits for has come.
var errWoken = errors.New("something that the workflow waits for has come")

// perform makes an execution of x, and stores how it ended. The error is errWoken if there
// is reason for another one at once, errExists if a start came too late, why it failed
// otherwise; failed executions that are stored are no error.
func (e *Engine) perform(x *execution) error {
	x.ctx, x.cancel = context.WithCancel(e.ctx)
	defer x.cancel()
	if err := e.enter(x); err != nil {
		return err
	}
	defer e.leave(x)
	if x.intent != nil {
		if err := x.commit(&commit{what: x.method.MethodName()}, nil); err != nil {
			return err
		}
		x.intent <- nil
	} else if x.claimed {
		x.startRenewal()
	}
	return x.conclude(x.play())
}

// enter makes x the execution of its workflow in this process.
func (e *Engine) enter(x *execution) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return ErrClosed
	case e.active[x.id] != nil:
		return errExists
	}
	e.active[x.id] = x
	return nil
}

func (e *Engine) leave(x *execution) {
	x.stopRenewal()
	e.mu.Lock()
	delete(e.active, x.id)
	due := x.due
	e.mu.Unlock()
	if due {
		e.pace.due(shardOf(x.id), time.Time{})
	}
	if !x.claimed {
		e.wake(x.id) // whoever waits for it must look again
	}
}

// afterLeave has the loop look at a workflow's row again that was due while an execution
// was under way here: at once, or as soon as that has ended. It may have stored that it waits,
// and been woken, before it left.
func (e *Engine) afterLeave(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.active[id]; x != nil {
		x.due = true
		return
	}
	e.pace.due(shardOf(id), time.Time{})
}

// conclude stores how the execution ended.
func (x *execution) conclude(end ending) error {
	var diverged *DivergedError
	switch {
	case end.err == nil:
		return x.finish(end)
	case errors.Is(end.err, errSuspended):
		return x.suspend()
	case errors.Is(end.err, errFenced):
		return nil
	case errors.Is(end.err, errExists):
		return errExists
	case x.fresh && !x.claimed:
		return end.err // nothing is stored
	case errors.Is(end.err, ErrClosed):
		return x.release()
	case errors.As(end.err, &diverged):
		return x.park(end.err, true)
	}
	return x.failed(end.err)
}

// settle commits the end of an execution, which must be stored whatever becomes of its context.
func (x *execution) settle(c *commit) error {
	c.ctx = context.WithoutCancel(x.ctx)
	c.what = x.method.MethodName()
	err := x.commit(c, nil)
	if errors.Is(err, errFenced) {
		return nil
	}
	return err
}

// suspend stores that the workflow waits.
func (x *execution) suspend() error {
	var due time.Time
	var names []string
	for _, w := range x.waits {
		if !w.due.IsZero() && (due.IsZero() || w.due.Before(due)) {
			due = w.due
		}
		if w.inbox != "" {
			names = append(names, w.inbox)
		}
	}
	return x.settle(&commit{
		status: Suspended,
		check:  func(c *carrier) error { return x.arrived(c, names) },
		add: func(c *carrier, st *state) {
			st.awaits, st.failures, st.reason = names, 0, ""
			c.schedule(x.id, due, dueWake)
		},
	})
}

// arrived returns errWoken if something that the workflow waits for was sent since it was
// loaded. What was sent is a conflict of the commit that asks.
func (x *execution) arrived(c *carrier, names []string) error {
	known := map[string]bool{}
	for _, p := range x.inbox {
		known[string(p.key)] = true
	}
	for _, name := range names {
		for r := tuple.Range(tuple.AppendString(c.part(x.id, "in"), name)); ; {
			kvs, more := c.Range(r, store.RangeOptions{Limit: page})
			for _, kv := range kvs {
				if !known[string(kv.Key)] {
					return errWoken
				}
			}
			if !more {
				break
			}
			r.Begin = store.Point(kvs[len(kvs)-1].Key).End
		}
	}
	return nil
}

// finish stores what the workflow returned.
func (x *execution) finish(end ending) error {
	f, err := x.engine.errors.save(end.appErr)
	if err != nil {
		return x.failed(err)
	}
	result := &parcel{value: end.result, err: f}
	status := Completed
	if f != nil {
		status = Failed
	}
	return x.settle(&commit{status: status, add: func(c *carrier, st *state) {
		st.failures, st.reason = 0, ""
		x.engine.endIn(c.Tx, x.id, &x.head, result)
	}})
}

// endIn writes what follows from the end of a workflow, besides its state.
func (e *Engine) endIn(tx *atomic.Tx, id string, h *head, result *parcel) {
	now := e.now()
	result.at = now
	writeOne(tx, e.keys.result(id), parcelCodec, result)
	moveDue(tx, e.keys, id, now.Add(e.opts.Retention), dueCollect)
	if h.parent != "" {
		// An error says that the parent has ended: nobody wants to know.
		_ = e.keys.deliver(tx, h.parent, childInbox(h.path), result)
	}
	tellEnd(tx, id)
}

// release stores that any process may go on with the workflow.
func (x *execution) release() error {
	if !x.claimed {
		return nil
	}
	x.dropRiders()
	return x.settle(&commit{status: Suspended, add: func(c *carrier, _ *state) {
		c.schedule(x.id, x.engine.now(), dueWake)
	}})
}

// dropRiders forgets what the execution decided and did not commit.
func (x *execution) dropRiders() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.riders = nil
}

// failed stores that the execution failed because of err, and when to try again.
func (x *execution) failed(err error) error {
	e := x.engine
	counts := blameable(err)
	e.opts.Log.Error("workflow failed", "id", x.id, "method", x.method.MethodName(), "error", err, "stack", stackOf(err))
	x.dropRiders()
	var parked bool
	failed := x.settle(&commit{status: Suspended, add: func(c *carrier, st *state) {
		st.reason = err.Error()
		if counts {
			e.countFailure(c.Tx, x.id, st, st.reason)
		}
		if parked = st.failures >= e.opts.MaxFailures; parked {
			parkIn(c.Tx, c.keys, x.id, st)
			return
		}
		c.schedule(x.id, e.now().Add(e.backoff(st.failures)), dueWake)
	}})
	if parked && failed == nil {
		e.opts.Log.Error("workflow parked", "id", x.id, "method", x.method.MethodName(), "failures", e.opts.MaxFailures)
	}
	return failed
}

// park makes the workflow a dead letter at once.
func (x *execution) park(err error, diverged bool) error {
	x.engine.opts.Log.Error("workflow stopped", "id", x.id, "method", x.method.MethodName(), "error", err)
	x.dropRiders()
	return x.settle(&commit{status: Suspended, add: func(c *carrier, st *state) {
		st.reason = err.Error()
		if diverged {
			st.stopped = x.method.code()
		}
		parkIn(c.Tx, c.keys, x.id, st)
	}})
}

// blameable reports whether err is the workflow's own fault, and will probably
// come again: not one of the store or the network.
func blameable(err error) bool {
	var (
		inStep *atomic.PanicError
		inBody *panicError
		limit  *atomic.LimitError
		shared *atomic.SharedError
		coding *codec.Error
		own    misuse
	)
	return errors.As(err, &inStep) || errors.As(err, &inBody) || errors.As(err, &limit) ||
		errors.As(err, &shared) || errors.As(err, &coding) || errors.As(err, &own)
}

// stackOf returns the stack of the panic that err is, if it is one.
func stackOf(err error) string {
	var inStep *atomic.PanicError
	var inBody *panicError
	switch {
	case errors.As(err, &inStep):
		return string(inStep.Stack)
	case errors.As(err, &inBody):
		return string(inBody.stack)
	}
	return ""
}

// backoff returns how long to wait after the n-th failure in a row.
func (e *Engine) backoff(n int) time.Duration {
	d := min(e.opts.Backoff<<min(max(n-1, 0), 20), e.opts.MaxBackoff)
	return d + time.Duration(e.runner.Rand(int64(d/8+1)))
}

// startRenewal has the lease renewed as long as the execution runs.
func (x *execution) startRenewal() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.renewal == nil {
		x.renewal = time.AfterFunc(x.engine.opts.LeaseTime/3, func() { x.engine.spawn(x.renewInTurn) })
	}
}

func (x *execution) stopRenewal() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.renewal != nil {
		x.renewal.Stop()
	}
}

// renewInTurn renews the lease, and sees to the next time.
func (x *execution) renewInTurn() {
	if x.ctx.Err() != nil {
		return
	}
	if err := x.renew(x.ctx); err != nil && x.ctx.Err() == nil {
		x.engine.opts.Log.Warn("lease of workflow not renewed", "id", x.id, "error", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.renewal.Reset(x.engine.opts.LeaseTime / 3)
}

// renew renews the lease, or ends the execution if that is not its own any more.
func (x *execution) renew(ctx context.Context) error {
	e := x.engine
	until := e.now().Add(e.opts.LeaseTime)
	err := e.update(ctx, "renew "+x.id, func(tx *atomic.Tx) error {
		st, err := readState(tx, e.keys, x.id)
		if err != nil {
			return err
		}
		if st == nil || st.owner != x.owner || st.status != Running {
			return errFenced
		}
		moveDue(tx, e.keys, x.id, until, dueWake)
		return nil
	})
	switch {
	case errors.Is(err, errFenced):
		x.kill(errFenced)
	case err == nil:
		x.until.Store(until.UnixNano())
	}
	return err
}
