package workflow

import (
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// dueKind says what is to be done with a row of the due index.
type dueKind uint8

const (
	dueWake     dueKind = iota + 1 // execute the workflow: a timer, a lease that ran out, a retry
	dueCollect                     // remove the workflow, whose retention is over
	dueCancel                      // cancel the workflow, as its parent was
	dueMessage                     // deliver a message that failed; it is the value
	dueSchedule                    // start a run of the workflow with this name
)

// dueRow is a row of the due index.
type dueRow struct {
	key   []byte
	at    time.Time
	id    string
	kind  dueKind
	value []byte
}

func parseDue(prefixLen int, key, value []byte) (r dueRow, err error) {
	r.key, r.value = key, value
	at, rest, err := tuple.DecodeInt(key[prefixLen:])
	if err != nil {
		return r, err
	}
	r.at = fromUnixNano(at)
	if r.id, rest, err = tuple.DecodeString(rest); err != nil {
		return r, err
	}
	kind, _, err := tuple.DecodeInt(rest)
	r.kind = dueKind(kind)
	return r, err
}

// addDue adds a row to the due index.
func addDue(tx *atomic.Tx, k keys, at time.Time, id string, kind dueKind, value []byte) {
	tx.Set(k.due(at, id, kind), value)
	tellDue(tx, shardOf(id), at)
}

// schedule moves the row of the workflow to at, or removes it if at is zero.
func (c *carrier) schedule(id string, at time.Time, kind dueKind) {
	moveDue(c.Tx, c.keys, id, at, kind)
}

func moveDue(tx *atomic.Tx, k keys, id string, at time.Time, kind dueKind) {
	l := readLease(tx, k, id)
	if !l.due.IsZero() {
		tx.Clear(k.due(l.due, id, l.kind))
	}
	if !at.IsZero() {
		addDue(tx, k, at, id, kind, nil)
	}
	writeOne(tx, k.lease(id), leaseCodec, &lease{due: at, kind: kind})
}

func readLease(tx *atomic.Tx, k keys, id string) *lease {
	l, _, err := readOne(tx, k.lease(id), leaseCodec)
	if err != nil {
		tx.Fail(err)
	}
	return l
}

// readOne returns the value of key, the zero value if there is none.
func readOne[T any](tx *atomic.Tx, key []byte, t codec.Type[T]) (*T, bool, error) {
	b, ok := tx.Get(key)
	if !ok {
		return new(T), false, nil
	}
	v, err := parse(t, key, b)
	return v, true, err
}

func writeOne[T any](tx *atomic.Tx, key []byte, t codec.Type[T], v *T) { tx.Set(key, mustAppend(t, v)) }

// readState returns the state of a workflow, nil if there is no such workflow.
func readState(tx *atomic.Tx, k keys, id string) (*state, error) {
	st, ok, err := readOne(tx, k.state(id), stateCodec)
	if err != nil || !ok {
		return nil, err
	}
	return st, nil
}

func writeState(tx *atomic.Tx, k keys, id string, st *state) {
	writeOne(tx, k.state(id), stateCodec, st)
}
