package workflow

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// Info is what is known of a workflow.
type Info struct {
	ID       string    `json:"id"`
	Method   string    `json:"method"`
	Status   Status    `json:"status"`
	Code     string    `json:"code"` // that started it
	Started  time.Time `json:"started"`
	Changed  time.Time `json:"changed"`           // of the status
	Due      time.Time `json:"due,omitzero"`      // when something happens by itself: a timer, the end of a lease, a retry, the removal
	Epoch    uint64    `json:"epoch"`             // executions so far, those apart that committed nothing
	Failures int       `json:"failures"`          // in a row
	Reason   string    `json:"reason,omitempty"`  // of the last failure
	Stopped  string    `json:"stopped,omitempty"` // the code that does not fit the log, if that is why it is parked
	Awaits   []string  `json:"awaits,omitempty"`  // signals and children that it waits for, as in "signal approve"
	Parent   string    `json:"parent,omitempty"`  // workflow that waits for it
}

func infoOf(id string, h *head, st *state, l *lease) Info {
	i := Info{
		ID: id, Method: h.method, Status: st.status, Code: h.code, Started: h.start, Changed: st.changed,
		Due: l.due, Epoch: st.epoch, Failures: st.failures, Reason: st.reason, Stopped: st.stopped, Parent: h.parent,
	}
	for _, name := range st.awaits {
		if name[0] == 's' {
			i.Awaits = append(i.Awaits, "signal "+name[1:])
		} else {
			i.Awaits = append(i.Awaits, "child "+id+"/"+name[1:])
		}
	}
	return i
}

// Status returns what is known of a workflow. The error is [ErrNotFound] if there is none.
func (e *Engine) Status(ctx context.Context, id string) (info Info, err error) {
	err = e.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		var ok bool
		if info, ok, err = e.info(tx, id); err == nil && !ok {
			err = ErrNotFound
		}
		return err
	})
	return info, err
}

func (e *Engine) info(tx *atomic.Tx, id string) (Info, bool, error) {
	h, ok, err := readOne(tx, e.keys.head(id), headCodec)
	if err != nil || !ok {
		return Info{}, false, err
	}
	st, err := readState(tx, e.keys, id)
	if err != nil || st == nil {
		return Info{}, false, err
	}
	return infoOf(id, h, st, readLease(tx, e.keys, id)), true, nil
}

// A Filter says which workflows [Engine.List] lists; the zero value is all.
type Filter struct {
	Status Status
	Method string
	// Limit is how many workflows are looked at. Default 100.
	Limit int
	// Cursor is where to go on, from an earlier list.
	Cursor string
}

// List returns workflows, the youngest first. With next, another call goes on; it is empty at the end.
func (e *Engine) List(ctx context.Context, f Filter) (list []Info, next string, err error) {
	r := tuple.Range(e.keys.of("wfi"))
	if f.Cursor != "" {
		if r.End, err = parseCursor(f.Cursor, r); err != nil {
			return nil, "", err
		}
	}
	err = e.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		list, next = nil, ""
		kvs, more := tx.SnapshotRange(r, store.RangeOptions{Limit: cmp.Or(f.Limit, 100), Reverse: true})
		for _, kv := range kvs {
			if f.Method != "" && string(kv.Value) != f.Method {
				continue
			}
			id, err := e.lastString(kv.Key)
			if err != nil {
				return err
			}
			info, ok, err := e.info(tx, id)
			if err != nil {
				return err
			}
			if ok && (f.Status == 0 || f.Status == info.Status) {
				list = append(list, info)
			}
		}
		if more {
			next = hex.EncodeToString(kvs[len(kvs)-1].Key)
		}
		return nil
	})
	return list, next, err
}

// parseCursor returns the key in within that a list goes on from.
func parseCursor(text string, within store.Range) ([]byte, error) {
	key, err := hex.DecodeString(text)
	if err != nil || bytes.Compare(key, within.Begin) < 0 || bytes.Compare(key, within.End) > 0 {
		return nil, &codec.InputError{Param: "cursor", Message: fmt.Sprintf("%q is not one that an earlier list gave", text)}
	}
	return key, nil
}

// lastString returns the last element of an index key: family, time, id.
func (e *Engine) lastString(key []byte) (string, error) {
	_, rest, err := tuple.DecodeString(key[len(e.keys.prefix):])
	if err != nil {
		return "", err
	}
	if _, rest, err = tuple.DecodeInt(rest); err != nil {
		return "", err
	}
	id, _, err := tuple.DecodeString(rest)
	return id, err
}

// A DeadLetter is a workflow or a message that failed too often, or a workflow whose
// code does not fit its log.
type DeadLetter struct {
	ID       string    `json:"id"`      // for Retry and Cancel
	Message  bool      `json:"message"` // not a workflow
	Method   string    `json:"method"`
	From     string    `json:"from,omitempty"` // the workflow and step that sent the message, if one did
	Parked   time.Time `json:"parked"`
	Failures int       `json:"failures"`
	Reason   string    `json:"reason"`
	Stopped  string    `json:"stopped,omitempty"` // the code that does not fit the log
}

// DeadLetters returns dead letters, the oldest first.
func (e *Engine) DeadLetters(ctx context.Context, cursor string, limit int) (list []DeadLetter, next string, err error) {
	r := tuple.Range(e.keys.of("dead"))
	if cursor != "" {
		if r.Begin, err = parseCursor(cursor, r); err != nil {
			return nil, "", err
		}
	}
	prefixLen := len(e.keys.of("dead"))
	err = e.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		list, next = nil, ""
		kvs, more := tx.SnapshotRange(r, store.RangeOptions{Limit: cmp.Or(limit, 100)})
		for _, kv := range kvs {
			row, err := parseDue(prefixLen, kv.Key, kv.Value)
			if err != nil {
				return err
			}
			d, err := e.deadLetter(tx, row)
			if err != nil {
				return err
			}
			list = append(list, d)
		}
		if more {
			next = hex.EncodeToString(store.Point(kvs[len(kvs)-1].Key).End)
		}
		return nil
	})
	return list, next, err
}

func (e *Engine) deadLetter(tx *atomic.Tx, row dueRow) (DeadLetter, error) {
	d := DeadLetter{ID: row.id, Parked: row.at, Message: row.kind == dueMessage}
	if d.Message {
		m, err := parse(messageCodec, row.key, row.value)
		if err != nil {
			return d, err
		}
		d.Method, d.From, d.Failures, d.Reason = m.method, m.from, m.failures, m.reason
		return d, nil
	}
	info, _, err := e.info(tx, row.id)
	if err != nil {
		return d, err
	}
	d.Method, d.Failures, d.Reason, d.Stopped = info.Method, info.Failures, info.Reason, info.Stopped
	return d, nil
}
