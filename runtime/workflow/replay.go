package workflow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Check replays a history, for instance one that was exported as JSON, with the
// program's code. It has no effects and touches no store. It returns a *[DivergedError] if a running workflow with
// this history would be stopped, and an error too if a finished one would end otherwise.
func (e *Engine) Check(h *History) error {
	m := e.workflows[h.Method]
	if m == nil {
		return fmt.Errorf("%w: %s", ErrNoMethod, h.Method)
	}
	x := e.newExecution(h.ID)
	x.method, x.offline = m, true
	x.head = head{method: h.Method, args: h.Args, code: h.Code, start: h.Started}
	if err := x.recall(h); err != nil {
		return err
	}
	x.ctx, x.cancel = context.WithCancel(context.Background())
	defer x.cancel()
	end := x.play()
	switch {
	case errors.Is(end.err, errEndOfLog):
		if h.Status == Completed || h.Status == Failed {
			return &DivergedError{Step: "end", Recorded: "return", Reason: "the code now goes on where the log ends"}
		}
		return nil
	case end.err != nil:
		return end.err
	}
	return x.sameEnd(h, &end)
}

// recall makes the execution's log that of a history.
func (x *execution) recall(h *History) error {
	x.log, x.versions = map[string]*entry{}, map[string]bool{}
	for change, answer := range h.Versions {
		x.versions[change] = answer
	}
	for _, s := range h.Steps {
		rec := &record{name: s.Name, args: s.Args, from: s.Begun, at: s.Done, due: s.Due, value: s.Result}
		for kind, name := range stepKinds {
			if name == s.Kind {
				rec.kind = stepKind(kind)
			}
		}
		switch {
		case s.TimedOut:
			rec.state = timedOut
		case s.Done.IsZero():
			rec.state, rec.at = waiting, s.Begun
		}
		if s.Failure != nil {
			f, err := parse(failureCodec, []byte(s.Path), s.Failure)
			if err != nil {
				return err
			}
			rec.err = f
		}
		p, err := pathOf(s.Path)
		if err != nil {
			return err
		}
		x.log[s.Path] = &entry{path: p, record: rec}
	}
	x.unseen = len(x.log)
	return nil
}

// pathOf parses what path.String returns.
func pathOf(text string) (p path, err error) {
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, fmt.Errorf("step %q: %w", text, err)
		}
		p = append(p, n)
	}
	return p, nil
}

// sameEnd returns an error unless the replay ended as the history did, if that has ended.
func (x *execution) sameEnd(h *History, end *ending) error {
	f, err := x.engine.errors.save(end.appErr)
	if err != nil {
		return err
	}
	switch h.Status {
	case Completed, Failed:
		if !bytes.Equal(end.result, h.Result) || f.message() != h.Error {
			return &DivergedError{Step: "end", Recorded: "return", Reason: "the code now returns something else"}
		}
	case Running, Suspended, Parked, Cancelled:
		// It would end now, as it would have done.
	}
	return nil
}
