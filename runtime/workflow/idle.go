package workflow

import (
	"context"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// Idle reports whether nothing is left to be done until time passes: no message is on its
// way, nothing is due, and no workflow runs or is to be tried again after a failure. It
// looks at everything that is stored, so it is for tests.
func (e *Engine) Idle(ctx context.Context) (idle bool, err error) {
	err = e.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		messages, _ := tx.SnapshotRange(tuple.Range(e.keys.of("out")), store.RangeOptions{Limit: 1})
		if idle = len(messages) == 0; !idle {
			return nil
		}
		for shard := range shards {
			if idle, err = e.idleShard(tx, shard); err != nil || !idle {
				return err
			}
		}
		return nil
	})
	return idle, err
}

// idleShard looks at one shard of the due index.
func (e *Engine) idleShard(tx *atomic.Tx, shard int) (bool, error) {
	prefix := e.keys.dueShard(shard)
	kvs, _ := tx.SnapshotRange(tuple.Range(prefix), store.RangeOptions{})
	for _, kv := range kvs {
		row, err := parseDue(len(prefix), kv.Key, kv.Value)
		if err != nil {
			return false, err
		}
		if !row.at.After(e.now()) || row.kind == dueMessage {
			return false, nil
		}
		if row.kind != dueWake {
			continue
		}
		st, err := readState(tx, e.keys, row.id)
		if err != nil {
			return false, err
		}
		if st != nil && (st.status == Running || st.failures > 0 || st.reason != "") {
			return false, nil
		}
	}
	return true, nil
}

// NextTick returns when a schedule, as in [Definition], ticks next after t.
func NextTick(text string, t time.Time) (time.Time, error) {
	s, err := parseSchedule(text)
	if err != nil {
		return time.Time{}, err
	}
	return s.next(t), nil
}
