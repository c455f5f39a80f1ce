package workflow

import (
	"context"

	"github.com/onefold/onefold/runtime/atomic"
)

// Child runs another workflow and waits for its end. It is one of its own, with the
// id of the parent and the path of the step; when the parent is cancelled, so is it. The
// error is the child's, or [ErrCancelled].
func Child[A, R any](ctx context.Context, run *Run, child *Definition[A, R], args A) (R, error) {
	raw := encode(run, "arguments of "+child.Name, child.Args, &args)
	s, rec := run.begin(childStep, child.Name, hashBytes(raw))
	if rec == nil {
		rec = s.record(run.exec.engine.now())
		rec.state = waiting
		x := run.exec
		h := head{method: child.Name, args: raw, code: child.Code, start: rec.at, parent: x.id, path: s.path}
		x.ride(func(c *carrier) {
			c.setRecord(s.path, rec)
			startIn(c.Tx, c.keys, x.childID(s.path), &h)
		})
		run.wait(wait{inbox: childInbox(s.path)})
	}
	rec = run.receive(&s, rec, childInbox(s.path), false)
	return outcome(run, &s, rec, child.Result)
}

// childID returns the id of the child that the step at p starts.
func (x *execution) childID(p path) string { return x.id + "/" + p.String() }

// startIn stores the intent of a workflow, which the loop then executes.
func startIn(tx *atomic.Tx, k keys, id string, h *head) {
	writeOne(tx, k.head(id), headCodec, h)
	tx.Set(k.index(h.start, id), []byte(h.method))
	writeState(tx, k, id, &state{status: Suspended, changed: h.start})
	writeOne(tx, k.lease(id), leaseCodec, &lease{due: h.start, kind: dueWake})
	addDue(tx, k, h.start, id, dueWake, nil)
}

// started reports whether there is a workflow with this id.
func started(tx *atomic.Tx, k keys, id string) bool {
	_, ok := tx.Get(k.state(id))
	return ok
}
