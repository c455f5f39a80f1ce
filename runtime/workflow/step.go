package workflow

import (
	"context"

	"github.com/onefold/onefold/runtime/atomic"
)

// Step calls an atomic method as a step of a workflow: exactly once, and with the
// same result in every replay. The method gets a copy of the arguments, the caller one of the result.
func Step[A, R any](ctx context.Context, run *Run, target *Target[A, R], args A) (R, error) {
	raw := encode(run, "arguments of "+target.Name, target.Args, &args)
	s, rec := run.begin(callStep, target.Name, hashBytes(raw))
	if rec != nil {
		return outcome(run, &s, rec, target.Result)
	}
	hooks, c := &run.exec.engine.opts.Hooks, Call{ID: run.exec.id, Step: s.path.String(), Method: target.Name, Args: args}
	failed := hooks.call(c)
	rec = run.commit(&s, func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
		if failed != nil {
			return nil, failed
		}
		return target.receive(ctx, tx, raw)
	})
	result, err := outcome(run, &s, rec, target.Result)
	hooks.called(c, result, err)
	return result, err
}

// commit runs fn as an atomic request that commits the record of s too.
func (r *Run) commit(s *step, fn atomic.Func) *record {
	c := &commit{what: s.name, step: s}
	if err := r.exec.commit(c, fn); err != nil {
		r.fail(err)
	}
	return c.rec
}
