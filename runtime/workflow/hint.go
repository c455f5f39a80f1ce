package workflow

import (
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store/wire"
)

// Hints tell the process that makes a commit what it adds: its kind and a lane of the
// loop or a workflow.
const (
	hintDue = iota // a row of the due index: the shard, the time in nanoseconds
	hintOut        // a message: the shard
	hintEnd        // a workflow has ended: its id
)

func tellDue(tx *atomic.Tx, shard int, at time.Time) {
	b := wire.AppendUint([]byte{hintDue}, uint64(shard))
	tx.Hint(wire.AppendUint(b, uint64(at.UnixNano())))
}

func tellOut(tx *atomic.Tx, shard int) { tx.Hint(wire.AppendUint([]byte{hintOut}, uint64(shard))) }

func tellEnd(tx *atomic.Tx, id string) { tx.Hint(append([]byte{hintEnd}, id...)) }

// hint is the runner's watcher. Hints come from other processes too: what makes no
// sense is passed over, and the loop sees at its next look what was meant.
func (e *Engine) hint(h []byte) {
	r := wire.NewReader(h)
	switch kind := r.Byte(); kind {
	case hintEnd:
		if r.OK() {
			e.wake(string(h[1:]))
		}
	case hintDue, hintOut:
		shard, at := int(min(r.Uint(), shards)), time.Time{}
		if kind == hintDue {
			at = time.Unix(0, int64(r.Uint()))
		}
		if !r.Ended() || shard == shards {
			return
		}
		if kind == hintDue {
			e.pace.due(shard, at)
		} else {
			e.pace.out(shard)
		}
	}
}
