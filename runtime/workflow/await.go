package workflow

import (
	"context"
	"time"

	"github.com/onefold/onefold/runtime/codec"
)

// Await waits for a signal called name and returns its value. If none comes within
// timeout, ok is false; a timeout of zero is none. Signals wait too: one that
// was sent before is taken at once, the oldest first.
func Await[T any](ctx context.Context, run *Run, name string, timeout time.Duration, value codec.Type[T]) (v T, ok bool, err error) {
	s, rec := run.begin(awaitStep, name, 0)
	begins := rec == nil
	if begins {
		rec = s.record(run.exec.engine.now())
		rec.state = waiting
		if timeout > 0 {
			rec.due = rec.at.Add(timeout)
		}
	}
	rec = run.receive(&s, rec, signalInbox(name), begins)
	run.seen(rec.at)
	if rec.state == timedOut {
		return v, false, nil
	}
	v, err = outcome(run, &s, rec, value)
	return v, err == nil, err
}

// receive returns rec, the record of a step that waits for something sent, or what
// becomes of it now. Otherwise the branch waits. begins says that rec is not stored yet.
func (r *Run) receive(s *step, rec *record, inbox string, begins bool) *record {
	if rec.state != waiting {
		return rec
	}
	x := r.exec
	now := x.engine.now()
	next := *rec
	next.at = now
	p := x.take(inbox)
	switch {
	case p != nil:
		next.state, next.value, next.err = done, p.value, p.err
	case x.offline:
		r.unwind(errEndOfLog)
	case !rec.due.IsZero() && !now.Before(rec.due):
		next.state = timedOut
	default:
		if begins {
			x.ride(func(c *carrier) { c.setRecord(s.path, rec) })
		}
		r.wait(wait{due: rec.due, inbox: inbox})
	}
	x.ride(func(c *carrier) {
		c.setRecord(s.path, &next)
		if p != nil {
			c.Clear(p.key)
		}
	})
	return &next
}

// take takes the oldest parcel out of an inbox, nil if it is empty.
func (x *execution) take(inbox string) *sent {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range x.inbox {
		if p.name == inbox && !p.taken {
			p.taken = true
			return p
		}
	}
	return nil
}

// The inboxes of a workflow are one for each name of signals and one for each child.
func signalInbox(name string) string { return "s" + name }
func childInbox(p path) string       { return "c" + p.String() }
