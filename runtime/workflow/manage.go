package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// Cancel cancels a workflow and its children: it does no more. The error is
// [ErrNotFound] or, if it has ended otherwise, [ErrEnded]. A dead letter that is a
// message is thrown away.
func (e *Engine) Cancel(ctx context.Context, id string) error {
	err := e.update(ctx, "cancel "+id, func(tx *atomic.Tx) error {
		if key, _, ok := e.deadMessage(tx, id); ok {
			tx.Clear(key)
			return nil
		}
		return e.cancelIn(tx, id)
	})
	if err == nil {
		e.fence(id)
	}
	return err
}

// cancelIn cancels a workflow with the commit of tx.
func (e *Engine) cancelIn(tx *atomic.Tx, id string) error {
	st, err := readState(tx, e.keys, id)
	switch {
	case err != nil:
		return err
	case st == nil:
		return ErrNotFound
	case st.status == Cancelled:
		return nil
	case st.status.Final():
		return ErrEnded
	}
	h, _, err := readOne(tx, e.keys.head(id), headCodec)
	if err != nil {
		return err
	}
	if err := e.cancelChildren(tx, id); err != nil {
		return err
	}
	if st.status == Parked {
		tx.Clear(e.keys.dead(st.changed, id, dueWake))
	}
	f, err := e.errors.save(ErrCancelled)
	if err != nil {
		return err
	}
	st.status, st.changed, st.awaits = Cancelled, e.now(), nil
	st.epoch++
	writeState(tx, e.keys, id, st)
	e.endIn(tx, id, h, &parcel{err: f})
	return nil
}

// cancelChildren has the loop cancel the children that a workflow waits for. Its log is a
// conflict of the commit, so that no child is started beside it.
func (e *Engine) cancelChildren(tx *atomic.Tx, id string) error {
	prefix := e.keys.part(id, "step")
	for r := tuple.Range(prefix); ; {
		kvs, more := tx.Range(r, store.RangeOptions{Limit: page})
		for _, kv := range kvs {
			rec, err := parse(recordCodec, kv.Key, kv.Value)
			if err != nil {
				return err
			}
			if rec.kind != childStep || rec.state != waiting {
				continue
			}
			p, err := parsePath(kv.Key[len(prefix):])
			if err != nil {
				return err
			}
			addDue(tx, e.keys, e.now(), id+"/"+p.String(), dueCancel, nil)
		}
		if !more {
			return nil
		}
		r.Begin = store.Point(kvs[len(kvs)-1].Key).End
	}
}

// cancelChild cancels a workflow whose parent was cancelled.
func (e *Engine) cancelChild(ctx context.Context, row dueRow) error {
	err := e.update(ctx, "cancel "+row.id, func(tx *atomic.Tx) error {
		tx.Clear(row.key)
		switch err := e.cancelIn(tx, row.id); err {
		case ErrNotFound, ErrEnded:
			return nil
		default:
			return err
		}
	})
	if err == nil {
		e.fence(row.id)
	}
	return err
}

// fence ends the execution of a workflow here at once, which could not commit anyway.
func (e *Engine) fence(id string) {
	e.mu.Lock()
	x := e.active[id]
	e.mu.Unlock()
	if x != nil {
		x.kill(errFenced)
	}
}

// Retry lets a dead letter, a workflow or a message, be tried again at once, as
// often as if it had not failed before. The error is [ErrNotFound] if there is no such dead letter.
func (e *Engine) Retry(ctx context.Context, id string) error {
	return e.update(ctx, "retry "+id, func(tx *atomic.Tx) error {
		if key, m, ok := e.deadMessage(tx, id); ok {
			m.failures = 0
			tx.Clear(key)
			addDue(tx, e.keys, e.now(), id, dueMessage, mustAppend(messageCodec, m))
			return nil
		}
		st, err := readState(tx, e.keys, id)
		switch {
		case err != nil:
			return err
		case st == nil:
			return ErrNotFound
		case st.status != Parked:
			return nil
		}
		tx.Clear(e.keys.dead(st.changed, id, dueWake))
		st.status, st.failures, st.stopped, st.changed = Suspended, 0, "", e.now()
		st.epoch++
		writeState(tx, e.keys, id, st)
		moveDue(tx, e.keys, id, e.now(), dueWake)
		return nil
	})
}

// deadMessage returns the message among the dead letters that has this id.
func (e *Engine) deadMessage(tx *atomic.Tx, id string) (key []byte, m *message, ok bool) {
	at, isUUID := timeOf(id)
	if !isUUID {
		return nil, nil, false
	}
	key = e.keys.dead(at, id, dueMessage)
	m, ok, err := readOne(tx, key, messageCodec)
	if err != nil {
		tx.Fail(err)
	}
	return key, m, ok
}

// resumeStopped lets workflows go on whose log did not fit code that has changed since.
func (l *loop) resumeStopped(ctx context.Context) error {
	for cursor := ""; ; {
		list, next, err := l.DeadLetters(ctx, cursor, page)
		if err != nil {
			return err
		}
		for _, d := range list {
			m := l.workflows[d.Method]
			if d.Stopped == "" || m == nil || m.code() == d.Stopped {
				continue
			}
			if err := l.Retry(ctx, d.ID); err != nil {
				return fmt.Errorf("resume workflow %s: %w", d.ID, err)
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

// collect removes workflows whose retention is over; if one of them cannot be removed, the others are.
func (e *Engine) collect(ctx context.Context, rows []dueRow) error {
	err := e.collectTogether(ctx, rows)
	if err == nil || len(rows) == 1 {
		return err
	}
	var all []error
	for i := range rows {
		all = append(all, e.collectTogether(ctx, rows[i:i+1]))
	}
	return errors.Join(all...)
}

func (e *Engine) collectTogether(ctx context.Context, rows []dueRow) error {
	return e.update(ctx, "remove workflows", func(tx *atomic.Tx) error {
		for _, row := range rows {
			if err := e.collectIn(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *Engine) collectIn(tx *atomic.Tx, row dueRow) error {
	st, err := readState(tx, e.keys, row.id)
	if err != nil {
		return err
	}
	tx.Clear(row.key)
	if st == nil || !st.status.Final() {
		return nil
	}
	h, _, err := readOne(tx, e.keys.head(row.id), headCodec)
	if err != nil {
		return err
	}
	tx.Clear(e.keys.index(h.start, row.id))
	e.clearFlow(tx, row.id)
	return nil
}

// fewRows is up to how many rows of a workflow are cleared singly.
const fewRows = 50

// clearFlow clears all that is stored of a workflow, singly where that is little: an
// LSM tree takes long to read past many ranges that were cleared lately.
func (e *Engine) clearFlow(tx *atomic.Tx, id string) {
	r := tuple.Range(e.keys.flow(id))
	kvs, more := tx.SnapshotRange(r, store.RangeOptions{Limit: fewRows})
	if more {
		tx.ClearRange(r)
		return
	}
	for _, kv := range kvs {
		tx.Clear(kv.Key)
	}
}

// postpone moves the row of a workflow that this program does not know out of the way.
func (e *Engine) postpone(ctx context.Context, row dueRow, d time.Duration) error {
	return e.update(ctx, "postpone "+row.id, func(tx *atomic.Tx) error {
		if l := readLease(tx, e.keys, row.id); l.due.Equal(row.at) {
			moveDue(tx, e.keys, row.id, e.now().Add(d), dueWake)
		}
		return nil
	})
}
