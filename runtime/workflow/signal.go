package workflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// Signal sends a signal to the workflow id, as a step of another one. The error is
// [ErrNotFound] or [ErrEnded].
func Signal[T any](ctx context.Context, run *Run, id, name string, t codec.Type[T], value T) error {
	raw := encode(run, "signal "+name, t, &value)
	s, rec := run.begin(signalStep, name, hashBytes(append(raw, id...)))
	if rec == nil {
		rec = run.commit(&s, func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
			return nil, signal(tx, id, name, raw)
		})
	}
	run.seen(rec.at)
	return run.exec.engine.errors.load(rec.err)
}

// SignalTx sends a signal to the workflow id with the commit of tx. The error is
// [ErrNotFound] or [ErrEnded].
func SignalTx[T any](tx *atomic.Tx, id, name string, t codec.Type[T], value T) error {
	raw, err := t.Append(nil, &value)
	if err != nil {
		tx.Fail(fmt.Errorf("signal %s: %w", name, err))
	}
	return signal(tx, id, name, raw)
}

func signal(tx *atomic.Tx, id, name string, raw []byte) error {
	k := keys{tx.Prefix()}
	return k.deliver(tx, id, signalInbox(name), &parcel{value: raw, at: tx.Now()})
}

// Signal sends the workflow id a signal whose value is JSON. name must be one that the
// workflow's method declares. The identity of the delivery is that of req: its ID,
// Fresh and Key. The error is [ErrNotFound], [ErrEnded], a *[codec.InputError] or one of the runner's.
func (e *Engine) Signal(ctx context.Context, req atomic.Request, id, name string, json []byte) error {
	req.Method, req.MethodHash = "signal "+name, hashString("signal "+id+" "+name)
	req.ArgsHash = hashBytes(json)
	req.Problem = func(err error) ([]byte, bool) {
		f, _ := e.errors.save(err)
		var input *codec.InputError
		return mustAppend(failureCodec, f), !errors.As(err, &input)
	}
	reply, err := e.runner.Run(ctx, req, func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
		h, ok, err := readOne(tx, e.keys.head(id), headCodec)
		if err != nil {
			tx.Fail(err)
		}
		if !ok {
			return nil, ErrNotFound
		}
		raw, err := e.signalValue(h.method, name, json)
		if err != nil {
			return nil, err
		}
		return nil, signal(tx, id, name, raw)
	})
	if err != nil || reply.Err != nil || !reply.Failed {
		return cmp.Or(err, reply.Err)
	}
	f, err := parse(failureCodec, []byte(id), reply.Body)
	if err != nil {
		return err
	}
	return e.errors.load(f)
}

func (e *Engine) signalValue(method, name string, json []byte) ([]byte, error) {
	m := e.workflows[method]
	if m == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoMethod, method)
	}
	var names []string
	for _, t := range m.signals() {
		if t.Name != name {
			names = append(names, t.Name)
			continue
		}
		raw, err := t.parse(json)
		if err != nil {
			return nil, &codec.InputError{Param: name, Message: err.Error()}
		}
		return raw, nil
	}
	return nil, &codec.InputError{Message: fmt.Sprintf("%s waits for no signal %q; there are: %s", method, name, strings.Join(names, ", "))}
}

// deliver puts p into an inbox of the workflow id, and wakes it if it waits for that.
func (k keys) deliver(tx *atomic.Tx, id, inbox string, p *parcel) error {
	st, err := readState(tx, k, id)
	switch {
	case err != nil:
		tx.Fail(err)
	case st == nil:
		return ErrNotFound
	case st.status.Final():
		return ErrEnded
	}
	tx.SetStamped(k.sent(id, inbox), mustAppend(parcelCodec, p))
	if st.status == Suspended && slices.Contains(st.awaits, inbox) {
		moveDue(tx, k, id, tx.Now(), dueWake)
	}
	return nil
}
