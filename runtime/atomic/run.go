package atomic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
)

// run is one delivery of a request: what outlives its attempts.
type run struct {
	*Runner
	req        Request
	fn         Func
	sequential bool // branches run in program order from now on
	unknown    bool // an attempt's commit may have landed, or may land yet
	tried      int
	started    time.Time
	ticket     ticket      // places in the queues of contended keys
	guest      *invitation // to a batch, of the next attempt or the one under way
	alone      bool        // it joins no batch
	lost       string      // key that it lost last
	spited     int         // how often it lost it in spite of its turn
	claim      *claim      // place among other processes that want the key
	hints      [][]byte    // of attempts that asked for a commit
	first      attempt
	kept       kept // the read version of an attempt that starts again
}

// outcome is how an attempt ended.
type outcome struct {
	reply Reply
	err   error // nil if reply is to be sent
	again bool  // whether another attempt may end otherwise
}

func (r *run) attempts(ctx context.Context) (Reply, error) {
	r.started = time.Now()
	defer func() {
		r.kept.release()
		r.tell(r.hints)
	}()
	for {
		r.tried++
		out := r.attempt(ctx)
		if errors.Is(out.err, errInvited) {
			r.tried-- // it has not read anything yet
			continue
		}
		r.stats.attempts.Add(1)
		if out.err == nil {
			out.reply.Attempts = r.tried
			return out.reply, nil
		}
		if !out.again {
			return Reply{}, r.outcomeOf(out.err)
		}
		if err := r.prepare(ctx, out.err); err != nil {
			return Reply{}, r.outcomeOf(err)
		}
	}
}

// outcomeOf returns err, or that the outcome is unknown if a commit was.
func (r *run) outcomeOf(err error) error {
	if r.unknown && !errors.Is(err, ErrMismatch) {
		return &OutcomeUnknownError{ID: r.req.ID, Err: err}
	}
	return err
}

// attempt makes one attempt.
func (r *run) attempt(ctx context.Context) outcome {
	guest := r.guest
	a := r.begin(ctx)
	out := r.attemptBy(ctx, a)
	a.free()
	if guest != nil {
		if guest.state.Load() != joined {
			out = r.leave()
		}
		r.guest = nil
	}
	return out
}

// attemptBy makes the attempt a, which has ended when it returns.
func (r *run) attemptBy(ctx context.Context, a *attempt) outcome {
	tx := &a.root
	defer a.end()
	defer tx.join()

	var keys recordKeys
	var found chan lookUp
	if r.req.Journal != nil {
		return r.journaled(ctx, a)
	}
	if !r.req.ReadOnly {
		keys = r.recordKeys(&r.req, r.now())
		if r.guest != nil && r.guest.batch.repeats(&keys) {
			return r.leave()
		}
		switch {
		case r.req.Fresh && r.tried == 1:
			keys.observe(tx.overlay)
		case r.opts.Remote:
			found = keys.lookUpBeside(a)
			keys.observe(tx.overlay)
			r.lookForClaims(a)
		default:
			rec, err := keys.lookUp(ctx, tx.overlay)
			if rec != nil || err != nil {
				return r.recorded(ctx, a, rec, err)
			}
		}
	}
	body, appErr := a.call(ctx, r.fn)
	if r.guest != nil {
		r.guest.lookUp, found = found, nil // the leader waits for it
	}
	if found != nil {
		if _, err := a.take(ctx, nil); err != nil {
			return r.failed(a, err)
		}
		l := <-found
		if l.rec != nil || l.err != nil {
			return r.recorded(ctx, a, l.rec, l.err)
		}
	}
	if u := a.dead.Load(); u != nil {
		return r.failed(a, u.err)
	}
	if appErr != nil {
		return r.refused(ctx, a, &keys, appErr)
	}
	return r.finish(ctx, a, &keys, body)
}

// call runs the body of a request up to where its writes are in the overlay.
func (a *attempt) call(ctx context.Context, fn Func) (body []byte, appErr error) {
	tx := &a.root
	defer func() {
		if v := recover(); v != nil {
			a.recovered(v)
		}
	}()
	body, appErr = fn(ctx, tx)
	tx.check()
	if appErr != nil {
		return nil, appErr
	}
	tx.merged()
	tx.flush()
	if err := tx.shared(); err != nil {
		tx.Fail(err)
	}
	return body, nil
}

// recorded is the outcome of an attempt that looked its record up and found it, or failed to.
func (r *run) recorded(ctx context.Context, a *attempt, rec *record, err error) outcome {
	if err != nil {
		return r.failed(a, err)
	}
	reply, err := rec.reply(&r.req)
	if err != nil {
		return outcome{err: err}
	}
	reply.Replayed = !r.unknown // else this very delivery may have done it
	return r.settled(ctx, a, reply)
}

// settled is the outcome of an attempt that commits nothing: the reply, once
// what it is based on is durable.
func (r *run) settled(ctx context.Context, a *attempt, reply Reply) outcome {
	if r.guest != nil {
		return r.leave()
	}
	if err := a.settle(ctx); err != nil {
		return r.failed(a, err)
	}
	reply.Counts = a.root.Counts()
	return outcome{reply: reply}
}

// refused is the outcome of an attempt that ended in an application error.
func (r *run) refused(ctx context.Context, a *attempt, keys *recordKeys, appErr error) outcome {
	problem := r.req.Problem
	if problem == nil {
		problem = func(err error) ([]byte, bool) { return []byte(err.Error()), true }
	}
	body, record := problem(appErr)
	reply := Reply{Body: body, Failed: true, Err: appErr}
	if r.mustRecord(record) {
		return r.recordOnly(ctx, a, keys, reply)
	}
	return r.settled(ctx, a, reply)
}

// mustRecord reports whether a reply that changes nothing must be recorded: where
// another delivery may be under way, or an earlier commit may still land. Either
// would contradict the reply if it were not to meet its record. worth is whether the
// reply could be another one the next time.
func (r *run) mustRecord(worth bool) bool {
	return !r.req.ReadOnly && (r.unknown || worth && !r.req.Fresh)
}

// finish is the outcome of an attempt whose body returned without error.
func (r *run) finish(ctx context.Context, a *attempt, keys *recordKeys, body []byte) outcome {
	reply := Reply{Body: body}
	o := a.root.overlay
	switch {
	case !o.Dirty() && r.mustRecord(true):
		return r.recordOnly(ctx, a, keys, reply)
	case !o.Dirty():
		return r.settled(ctx, a, reply)
	case r.req.ReadOnly:
		return outcome{err: fmt.Errorf("%s: a read-only method wrote", r.req.Method)}
	}
	return r.commit(ctx, a, o, keys, reply)
}

// recordOnly commits the record of a reply that changes nothing. What the body
// read is no conflict: the reply was right at the attempt's version, which is
// after the request came in.
func (r *run) recordOnly(ctx context.Context, a *attempt, keys *recordKeys, reply Reply) outcome {
	if r.guest != nil {
		return r.leave()
	}
	o := overlay.New(a, 0)
	keys.observe(o)
	out := r.commit(ctx, a, o, keys, reply)
	o.Free()
	return out
}

// commit commits o and the record of reply.
func (r *run) commit(ctx context.Context, a *attempt, o *overlay.Overlay, keys *recordKeys, reply Reply) outcome {
	rec := record{failed: reply.Failed, methodHash: r.req.MethodHash, argsHash: r.req.ArgsHash, body: reply.Body}
	o.Set(keys.write, rec.append(make([]byte, 0, 256))) // which copies it
	if r.guest != nil {
		return r.visit(ctx, a, o, keys, reply)
	}
	if r.overtakes(ctx, a) {
		return outcome{err: &yield{key: []byte(r.lost), foreign: true}, again: true}
	}
	var b *batch
	if o == a.root.overlay { // what the body read is a conflict
		var err error
		if b, err = r.lead(ctx, a, o, keys); err != nil {
			return r.failed(a, err)
		}
	}
	return r.commitAll(ctx, a, o, b, reply)
}

// commitAll commits o, in which everything is, for all members of b if there is one.
func (r *run) commitAll(ctx context.Context, a *attempt, o *overlay.Overlay, b *batch, reply Reply) outcome {
	if r.claim != nil && r.claim.row != nil {
		o.Clear(r.claim.row)
	}
	c := o.Commit()
	if err := r.giveWay(c.Reads); err != nil {
		return outcome{err: err, again: true}
	}
	if len(r.ticket.held()) > 0 {
		c.Applied = r.ticket.release // the next in line reads what this commit wrote
	}
	r.hints = append(r.hints, a.hints...)
	if b != nil {
		if err := b.decide(ctx, a, c); err != nil {
			return r.failedTogether(a, err)
		}
	} else if err := a.commit(ctx, c); err != nil {
		return r.failed(a, err)
	}
	r.claim = nil
	reply.Counts = a.root.Counts()
	reply.Counts.Commits = 1
	return outcome{reply: reply}
}

// failed is the outcome of an attempt that could not be finished because of err.
func (r *run) failed(a *attempt, err error) outcome {
	switch {
	case errors.Is(err, errRestart):
		r.sequential = true
		r.stats.restarts.Add(1)
		r.inOrder.learn(r.req.MethodHash)
		r.kept.from(a)
		return outcome{err: err, again: true}
	case errors.Is(err, errInvited):
		return outcome{err: err, again: true}
	case errors.Is(err, store.ErrConflict):
		r.stats.conflicts.Add(1)
		return outcome{err: err, again: true}
	case errors.Is(err, store.ErrUnknown):
		r.stats.unknown.Add(1)
		r.unknown = true
		return outcome{err: err, again: true}
	case errors.Is(err, ErrUnreachable):
		return outcome{err: err, again: true}
	case errors.Is(err, store.ErrTooLarge):
		return outcome{err: &LimitError{Method: r.req.Method, Err: err}}
	case errors.Is(err, store.ErrTooOld):
		if a.age() >= store.MaxAge*9/10 {
			return outcome{err: &LimitError{Method: r.req.Method, Err: err}}
		}
		return outcome{err: err, again: true}
	}
	var panicked *PanicError
	if errors.As(err, &panicked) {
		return outcome{err: err}
	}
	return outcome{err: fmt.Errorf("%s: %w", r.req.Method, err)}
}

// prepare waits until another attempt makes sense, after one that ended in err.
func (r *run) prepare(ctx context.Context, err error) error {
	if r.tried >= r.opts.Attempts || time.Since(r.started) >= r.opts.Timeout {
		return r.exhausted(err)
	}
	if errors.Is(err, errRestart) || errors.Is(err, errAlone) {
		return nil
	}
	ctx, cancel := context.WithDeadlineCause(ctx, r.started.Add(r.opts.Timeout), r.exhausted(err))
	defer cancel()
	var gaveWay *yield
	if errors.As(err, &gaveWay) {
		r.stats.yields.Add(1)
		if gaveWay.foreign {
			r.queue.setForeign(r.lost, true)
			return r.claimTurn(ctx, r.lost)
		}
		return r.queueFor(ctx, gaveWay.key)
	}
	var lost *store.ConflictError
	if errors.As(err, &lost) {
		r.lost = string(lost.Range.Begin)
		return r.queueFor(ctx, lost.Range.Begin)
	}
	return sleep(ctx, backOff(r.opts.Rand, r.tried))
}

// exhausted is the error of a run whose budget ended with an attempt that ended in err.
func (r *run) exhausted(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("%s: %w: %d attempts in %s", r.req.Method, ErrContention, r.tried, time.Since(r.started).Round(time.Millisecond))
	}
	return fmt.Errorf("%s: %w", r.req.Method, err)
}

// backOff returns how long to wait after the n-th attempt: at random, so that
// requests that met once do not meet again, and twice as long each time.
func backOff(rand func(int64) int64, n int) time.Duration {
	const first, most = 500 * time.Microsecond, 100 * time.Millisecond
	return time.Duration(rand(int64(min(first<<min(n-1, 16), most))))
}

// sleep waits for d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
