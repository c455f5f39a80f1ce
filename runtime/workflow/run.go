package workflow

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime/codec"
)

// Run is one branch of one execution of a workflow; the method itself is a
// branch. The instance of the service that runs it is bound to it. It is not for
// concurrent use; the branches of a [Group] have one each.
//
// Its methods, and the functions that take one, unwind the branch by a panic when the
// workflow has to wait, or cannot go on.
type Run struct {
	exec   *execution
	prefix path // of the paths of its steps
	next   int  // number of the last step
	now    time.Time
	random *rand.ChaCha8
	effect bool // within the function of Do
	over   atomic.Pointer[unwinding]
}

// ID returns the workflow's id, for others to signal it by.
func (r *Run) ID() string { return r.exec.id }

// unwinding is what a branch panics with when it cannot go on, and why.
type unwinding struct{ err error }

// String is what user code sees that prints what it recovered.
func (u *unwinding) String() string {
	return "onefold: the workflow does not go on here: " + u.err.Error()
}

// unwind ends the branch because of err. User code cannot recover it: every use
// of the Run unwinds again.
func (r *Run) unwind(err error) {
	r.over.CompareAndSwap(nil, &unwinding{err})
	panic(r.over.Load())
}

// fail ends the whole execution because of err.
func (r *Run) fail(err error) {
	r.exec.kill(err)
	r.unwind(err)
}

// check unwinds if the branch, or the execution, is over.
func (r *Run) check() {
	if u := r.over.Load(); u != nil {
		panic(u)
	}
	if u := r.exec.over.Load(); u != nil {
		r.unwind(u.err)
	}
	if r.effect {
		r.fail(misuse("step " + r.prefix.with(r.next).String() + ": a service or the runtime was called inside the function of onefold.Do"))
	}
}

// step is one step of a branch that begins.
type step struct {
	path path
	kind stepKind
	name string
	args uint64
	from time.Time
}

// begin begins a step, and returns its record if it has one. The step must be what the log says.
func (r *Run) begin(kind stepKind, name string, args uint64) (step, *record) {
	r.check()
	r.next++
	s := step{path: r.prefix.with(r.next), kind: kind, name: name, args: args}
	rec := r.exec.visit(s.path)
	if rec == nil && kind != groupStep {
		r.live(&s)
	}
	if rec == nil {
		return s, nil
	}
	if err := r.exec.mismatch(&s, rec); err != nil {
		r.fail(err)
	}
	return s, rec
}

// live prepares for a step that is not in the log.
func (r *Run) live(s *step) {
	if err := r.exec.passed(s); err != nil {
		r.fail(err)
	}
	if r.exec.offline {
		r.unwind(errEndOfLog)
	}
	if panicking() {
		r.fail(&panicError{err: errPanicking, stack: stack()})
	}
	s.from = r.exec.engine.now()
}

// record begins the record of a step.
func (s *step) record(at time.Time) *record {
	return &record{kind: s.kind, name: s.name, args: s.args, from: s.from, at: at}
}

// seen takes note of the time in a step's record.
func (r *Run) seen(t time.Time) {
	if t.After(r.now) {
		r.now = t
	}
}

// encode returns the arguments or the result of a step as the log keeps them.
func encode[T any](r *Run, what string, t codec.Type[T], v *T) []byte {
	b, err := t.Append(nil, v)
	if err != nil {
		r.fail(fmt.Errorf("%s: %w", what, err))
	}
	return b
}

// outcome returns what a finished step ended in. It is decoded from the record also
// when the step has just run, so that a replay makes no difference.
func outcome[R any](r *Run, s *step, rec *record, t codec.Type[R]) (result R, err error) {
	r.seen(rec.at)
	if rec.err != nil {
		return result, r.exec.engine.errors.load(rec.err)
	}
	if err := t.Parse(rec.value, &result); err != nil {
		r.fail(&DivergedError{Step: s.path.String(), Recorded: s.kind.String() + " " + s.name, Reason: fmt.Sprintf("its recorded result does not decode: %v", err)})
	}
	return result, nil
}
