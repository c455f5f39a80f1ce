package atomic

import (
	"context"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
)

// A Journal keeps the record of a request somewhere else than among the records
// of invocations, and adds to its commit. The steps of workflows and the delivery
// of messages have one. A request with a Journal commits what the Journal adds, also
// where its method wrote nothing or failed.
type Journal interface {
	// Begin is called once in every attempt, before the request's body or beside
	// it, with a Tx of its own: what it reads is a conflict of the commit. The reply that
	// it finds is the request's, which has run before; an error ends the request.
	Begin(tx *Tx) (*Reply, error)
	// Record writes to tx what is to be committed together with the reply, or with
	// the application error, that the attempt ended in.
	Record(tx *Tx, reply *Reply)
}

// found is what Begin came to.
type found struct {
	reply *Reply
	err   error
	reads []store.Range
}

// consult asks the request's journal.
func (r *run) consult(a *attempt) (f found) {
	tx := &Tx{attempt: a, overlay: overlay.New(a, 0)}
	defer func() {
		if v := recover(); v != nil {
			a.recovered(v)
			f.err = a.dead.Load().err
		}
	}()
	f.reply, f.err = r.req.Journal.Begin(tx)
	f.reads = tx.overlay.Reads()
	return f
}

// consultBeside is consult while the request's body runs.
func (r *run) consultBeside(a *attempt) chan found {
	done := make(chan found, 1)
	go func() {
		f := r.consult(a)
		if f.reply != nil || f.err != nil {
			a.kill(errReplay) // spare the body the rest of its work
		}
		done <- f
	}()
	return done
}

// record lets the journal add its part to o.
func (r *run) record(a *attempt, o *overlay.Overlay, reply *Reply) (err error) {
	defer func() {
		if v := recover(); v != nil {
			a.recovered(v)
			err = a.dead.Load().err
		}
	}()
	r.req.Journal.Record(&Tx{attempt: a, overlay: o}, reply)
	return nil
}

// observe makes what Begin read a read conflict of o.
func (f *found) observe(o *overlay.Overlay) {
	for _, r := range f.reads {
		o.Observe(r)
	}
}

// Hint has the runner tell its watcher about hint, once the request has ended
// and may have committed: after a commit whose result is unknown too, and though
// a savepoint was rolled back. In a part of another process's attempt it is that
// process's runner. It is for those who wait for what a commit writes.
func (tx *Tx) Hint(hint []byte) {
	tx.check()
	tx.attempt.mu.Lock()
	defer tx.attempt.mu.Unlock()
	tx.attempt.hints = append(tx.attempt.hints, hint)
}

// Watch makes fn the runner's watcher; fn must not block.
func (r *Runner) Watch(fn func(hint []byte)) { r.watcher.Store(&fn) }

// tell passes the hints of attempts that asked for a commit on to the watcher.
func (r *Runner) tell(hints [][]byte) {
	fn := r.watcher.Load()
	if fn == nil {
		return
	}
	for _, h := range hints {
		(*fn)(h)
	}
}

// journaled makes one attempt at a request that has a journal.
func (r *run) journaled(ctx context.Context, a *attempt) outcome {
	var f found
	var beside chan found
	if r.opts.Remote {
		beside = r.consultBeside(a)
	} else if f = r.consult(a); f.reply != nil || f.err != nil {
		return r.foundIn(ctx, a, &f)
	}
	body, appErr := a.call(ctx, r.fn)
	if beside != nil {
		if f = <-beside; f.reply != nil || f.err != nil {
			return r.foundIn(ctx, a, &f)
		}
	}
	if u := a.dead.Load(); u != nil {
		return r.failed(a, u.err)
	}
	reply, o := Reply{Body: body}, a.root.overlay
	if appErr != nil {
		reply = Reply{Failed: true, Err: appErr}
	}
	if appErr != nil || !o.Dirty() {
		o = overlay.New(a, 0) // what the body read is no conflict: see recordOnly
	}
	f.observe(o)
	if err := r.record(a, o, &reply); err != nil {
		return r.failed(a, err)
	}
	if !o.Dirty() {
		return r.settled(ctx, a, reply)
	}
	return r.commitAll(ctx, a, o, nil, reply)
}

// foundIn is the outcome of an attempt whose journal ended it.
func (r *run) foundIn(ctx context.Context, a *attempt, f *found) outcome {
	if f.err != nil {
		return r.failed(a, f.err)
	}
	return r.settled(ctx, a, *f.reply)
}

// Prefix returns the key prefix of the application; do not modify it.
func (r *Runner) Prefix() []byte { return r.prefix }

// Now returns the time by the runner's clock.
func (r *Runner) Now() time.Time { return r.now() }
