package workflow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// A Start asks for a workflow to be run.
type Start struct {
	// ID identifies the workflow: the same one again is the same workflow. A UUIDv7
	// whose time is further back than the retention is refused unless the workflow exists.
	ID string
	// Method is the workflow method, as in "Orders.Fulfil".
	Method string
	// Args are the arguments, as [Engine.ParseArgs] returns them.
	Args []byte
	// Time is when the request came in: the workflow's time at its start. Default: now.
	Time time.Time
}

// Outcome is how a workflow ended.
type Outcome struct {
	ID, Method string
	Status     Status // Completed, Failed or Cancelled
	Result     []byte // for AppendResult, if Completed
	Err        error  // that it returned, or ErrCancelled
	Ended      time.Time
}

// NewID mints an id for a workflow.
func (e *Engine) NewID() string { return newID(e.runner.Rand, e.now()) }

// ParseArgs takes the arguments of a workflow method out of a request. Its error is a
// *[codec.InputError], or [ErrNoMethod].
func (e *Engine) ParseArgs(method string, in *codec.Args) ([]byte, error) {
	m := e.workflows[method]
	if m == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoMethod, method)
	}
	return m.parse(in)
}

// AppendResult appends the result of a completed workflow as JSON.
func (e *Engine) AppendResult(out []byte, o *Outcome) ([]byte, error) {
	m := e.workflows[o.Method]
	if m == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoMethod, o.Method)
	}
	return m.json(out, o.Result)
}

// Run starts a workflow unless it has been started, and waits for its end as long as
// ctx allows; the workflow goes on without whoever waits. What the workflow ended in
// is in the outcome. An error says that nothing was started, unless it is ctx's or an
// [atomic.OutcomeUnknownError].
func (e *Engine) Run(ctx context.Context, start Start) (*Outcome, error) {
	for {
		begun, err := e.Begin(ctx, start)
		if err != nil {
			return nil, err
		}
		o, err := e.Wait(ctx, start.ID)
		if begun || !errors.Is(err, ErrNotFound) {
			return o, err
		}
		// Somebody else's start of it failed before anything was stored.
	}
}

// Begin is the first half of [Engine.Run]: it starts a workflow unless it has been started, and
// returns when the first execution, if it is this one, is over. begun is false if the
// workflow had been started before; that start may yet fail before anything is stored, and
// [Engine.Wait] then returns [ErrNotFound].
func (e *Engine) Begin(ctx context.Context, start Start) (begun bool, err error) {
	begun, err = e.begin(ctx, &start, false)
	if errors.Is(err, errNotStored) {
		return false, nil
	}
	return begun, err
}

// Start starts a workflow unless it has been started; when it returns nil, the
// workflow will run, whatever happens.
func (e *Engine) Start(ctx context.Context, start Start) error {
	for {
		changed := e.waiter(start.ID)
		_, err := e.begin(ctx, &start, true)
		if !errors.Is(err, errNotStored) {
			e.forget(start.ID, changed)
			return err
		}
		// The first execution is another call's, and may yet fail before anything is stored.
		select {
		case <-changed:
		case <-e.ctx.Done():
			e.forget(start.ID, changed)
			return ErrClosed
		case <-ctx.Done():
			e.forget(start.ID, changed)
			return context.Cause(ctx)
		}
	}
}

// begin starts a workflow. It returns when its intent is durable or, unless that is to be so at
// once, when its first execution is over. begun is false if the workflow had been started before;
// the error then is errNotStored if that start has not stored anything yet.
func (e *Engine) begin(ctx context.Context, start *Start, durable bool) (begun bool, err error) {
	x, err := e.newRun(start)
	if err != nil {
		return false, err
	}
	over := make(chan error, 2)
	if durable {
		x.intent = over
	}
	if t, ok := timeOf(start.ID); ok && t.Sub(e.now()) > e.opts.Retention {
		return false, fmt.Errorf("%w: minted at %s", atomic.ErrFuture, t.UTC().Format(time.RFC3339))
	}
	if e.expired(start.ID) {
		over <- errExists // or it is no more: same finds out
	} else if !e.spawn(func() { over <- e.first(x) }) {
		over <- ErrClosed
	}
	select {
	case err = <-over:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if errors.Is(err, errExists) {
		return false, e.same(ctx, start)
	}
	return err == nil, err
}

// first makes the first execution of a workflow. Its error says that nothing was stored.
func (e *Engine) first(x *execution) error {
	err := e.through(x)
	if err != nil && x.claimed {
		e.opts.Log.Error("first execution of workflow", "id", x.id, "error", err)
		return nil // the loop sees to it
	}
	if blameable(err) {
		e.opts.Log.Error("workflow not started", "id", x.id, "method", x.head.method, "error", err, "stack", stackOf(err))
		return fmt.Errorf("%w: %w", ErrNotStarted, err)
	}
	return err
}

// newRun prepares the first execution of a workflow.
func (e *Engine) newRun(start *Start) (*execution, error) {
	m := e.workflows[start.Method]
	if m == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoMethod, start.Method)
	}
	if start.ID == "" {
		return nil, errors.New("workflow: start without id")
	}
	if start.Time.IsZero() {
		start.Time = e.now()
	}
	x := e.newExecution(start.ID)
	x.method, x.fresh = m, true
	x.head = head{method: start.Method, args: start.Args, code: m.code(), start: start.Time.Round(0).UTC()}
	x.log, x.versions = map[string]*entry{}, map[string]bool{}
	return x, nil
}

// through executes x, and again as long as there is reason to at once.
func (e *Engine) through(x *execution) error {
	for {
		err := e.perform(x)
		if !errors.Is(err, errWoken) {
			return err
		}
		if x, err = e.reload(e.ctx, x); err != nil {
			return err
		}
	}
}

// expired reports whether id is a UUIDv7 whose workflow may have been removed.
func (e *Engine) expired(id string) bool {
	t, ok := timeOf(id)
	return ok && e.now().Sub(t) > e.opts.Retention
}

// same returns nil if the workflow that exists is the one that start asks for.
func (e *Engine) same(ctx context.Context, start *Start) error {
	return e.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		h, ok, err := readOne(tx, e.keys.head(start.ID), headCodec)
		switch {
		case err != nil:
			return err
		case !ok && e.expired(start.ID):
			return atomic.ErrExpired
		case !ok:
			return e.sameHere(start)
		case h.method != start.Method || string(h.args) != string(start.Args):
			return atomic.ErrMismatch
		}
		return nil
	})
}

// errNotStored says that nothing is stored yet of a workflow that has been started here.
var errNotStored = errors.New("nothing is stored of the workflow yet")

// sameHere is same for a workflow of which nothing is stored yet: its first execution is
// under way here, or has failed.
func (e *Engine) sameHere(start *Start) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	x := e.active[start.ID]
	if x != nil && (x.head.method != start.Method || string(x.head.args) != string(start.Args)) {
		return atomic.ErrMismatch
	}
	return errNotStored
}

// Wait waits until a workflow has ended, as long as ctx allows.
func (e *Engine) Wait(ctx context.Context, id string) (*Outcome, error) {
	for {
		ended := e.waiter(id)
		o, err := e.outcome(ctx, id)
		if err != nil || o != nil {
			e.forget(id, ended)
			return o, err
		}
		var poll <-chan time.Time
		if e.opts.Shared {
			poll = time.After(e.opts.Poll) // it may end in another process
		}
		select {
		case <-ended:
		case <-poll:
			e.forget(id, ended)
		case <-e.ctx.Done():
			e.forget(id, ended)
			return nil, ErrClosed
		case <-ctx.Done():
			e.forget(id, ended)
			return nil, context.Cause(ctx)
		}
	}
}

// outcome returns how a workflow ended, nil if it has not.
func (e *Engine) outcome(ctx context.Context, id string) (o *Outcome, err error) {
	err = e.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		o = nil
		st, err := readState(tx, e.keys, id)
		if err != nil {
			return err
		}
		if st == nil && e.running(id) {
			return nil // nothing is stored of it yet
		}
		if st == nil {
			return ErrNotFound
		}
		if !st.status.Final() {
			return nil
		}
		h, _, err := readOne(tx, e.keys.head(id), headCodec)
		if err != nil {
			return err
		}
		result, _, err := readOne(tx, e.keys.result(id), parcelCodec)
		if err != nil {
			return err
		}
		o = &Outcome{ID: id, Method: h.method, Status: st.status, Result: result.value, Err: e.errors.load(result.err), Ended: result.at}
		return nil
	})
	return o, err
}

func (e *Engine) running(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active[id] != nil
}

// waiter returns a channel that is closed when the workflow ends in this process.
func (e *Engine) waiter(id string) chan struct{} {
	c := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiters[id] = append(e.waiters[id], c)
	return c
}

// forget removes a waiter that does not wait any more.
func (e *Engine) forget(id string, c chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var rest []chan struct{}
	for _, w := range e.waiters[id] {
		if w != c {
			rest = append(rest, w)
		}
	}
	if e.waiters[id] = rest; rest == nil {
		delete(e.waiters, id)
	}
}

// timeOf returns when a UUIDv7 was minted; ok is false for other ids.
func timeOf(id string) (t time.Time, ok bool) {
	if len(id) != 36 || id[14] != '7' || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return t, false
	}
	ms, err := strconv.ParseInt(id[:8]+id[9:13], 16, 64)
	return time.UnixMilli(ms), err == nil
}
