package workflow

import (
	"context"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// Do has an effect on the world outside the store: it calls fn, and records what that
// returns, an error included. If the process dies in between, fn is called again
// by the next execution, with the same key: what fn calls can tell by it.
func Do[T any](ctx context.Context, run *Run, name string, result codec.Type[T], fn func(ctx context.Context, key string) (T, error)) (T, error) {
	s, rec := run.begin(effectStep, name, 0)
	if rec == nil {
		run.ready(name)
		rec = effect(ctx, run, &s, result, fn)
	}
	return outcome(run, &s, rec, result)
}

// effect calls fn and records what it returned.
func effect[T any](ctx context.Context, run *Run, s *step, result codec.Type[T], fn func(ctx context.Context, key string) (T, error)) *record {
	run.effect = true
	var value T
	key := run.exec.id + "/" + s.path.String()
	err := run.exec.engine.opts.Hooks.effect(s.name, key, func() (err error) {
		value, err = fn(ctx, key)
		return err
	})
	run.effect = false
	if run.exec.ctx.Err() != nil {
		// What fn returned may be due to that: it is not to be believed.
		run.fail(ErrClosed)
	}
	var raw []byte
	if err == nil {
		raw = encode(run, "result of effect "+s.name, result, &value)
	}
	return run.commit(s, func(context.Context, *atomic.Tx) ([]byte, error) { return raw, err })
}

// ready makes everything durable that an effect may depend on, and makes sure that
// the execution still is the workflow's only one.
func (r *Run) ready(name string) {
	x := r.exec
	x.gate.enter(false)
	clean := x.claimed && len(x.waiting()) == 0
	x.gate.leave(false)
	if !clean {
		if err := x.commit(&commit{what: name}, nil); err != nil {
			r.fail(err)
		}
	}
	if x.engine.now().UnixNano() >= x.until.Load() {
		if err := x.renew(x.ctx); err != nil {
			r.fail(err)
		}
	}
}
