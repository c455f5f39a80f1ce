package atomic

import (
	"context"
	"errors"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
)

// spillSize is how many bytes of writes a stage of Init collects before it commits them.
const spillSize = store.MaxCommitSize / 10

// Init runs fn, which writes initial state by the Init of fields (package state).
// It may take several commits, see [Tx.Spill], and is tried again from the start if one of
// them conflicts or has an unknown result; fn must find out what is done already.
func (r *Runner) Init(ctx context.Context, fn func(tx *Tx)) error {
	start := time.Now()
	for n := 1; ; n++ {
		err := r.init(ctx, fn)
		again := errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnknown) || errors.Is(err, store.ErrTooOld)
		if !again || n >= r.opts.Attempts || time.Since(start) >= r.opts.Timeout {
			return err
		}
		if err := sleep(ctx, backOff(r.opts.Rand, n)); err != nil {
			return err
		}
	}
}

func (r *Runner) init(ctx context.Context, fn func(tx *Tx)) (err error) {
	a := r.begin(ctx)
	a.stages = true
	defer a.end()
	defer func() {
		if v := recover(); v != nil {
			a.recovered(v)
			err = a.dead.Load().err
		}
	}()
	fn(&a.root)
	a.root.flush()
	if err := a.root.shared(); err != nil {
		return err
	}
	a.root.stage()
	return nil
}

// Spill commits what was written so far, and goes on at a new version, if the Tx is
// that of [Runner.Init] and has much to commit. It reports whether it did. The caller
// must see to it that the stages make sense one by one.
func (tx *Tx) Spill() bool {
	tx.check()
	if !tx.attempt.stages || tx.overlay.Size() < spillSize {
		return false
	}
	tx.stage()
	return true
}

// stage commits what was written so far and goes on at a new version.
func (tx *Tx) stage() {
	a := tx.attempt
	if tx.overlay.Dirty() {
		if err := a.commit(a.ctx, tx.overlay.Commit()); err != nil {
			tx.Fail(err)
		}
	}
	a.release()
	a.held.Store(false)
	tx.overlay = overlay.New(a, 0)
}
