package workflow

import (
	"hash/fnv"
	"time"

	"github.com/onefold/onefold/runtime/store/tuple"
)

// Where things are, below the prefix of the application:
//
//	wf/id/head            what is to run, written once
//	wf/id/state           status, epoch, owner: every commit of the workflow reads it
//	wf/id/lease           where its row in the due index is
//	wf/id/step/path…      the log
//	wf/id/in/name/stamp   what was sent to it and not taken yet
//	wf/id/ver/change      what Version answered
//	wf/id/result          what it returned
//	wfi/start/id          all workflows by start
//	due/shard/time/id/kind
//	out/shard/stamp       messages
//	dead/time/id/kind     what is parked
//	sched/method          what Loop knows of a schedule
type keys struct{ prefix []byte }

// shards is how many parts the due index and the messages have. Stored rows
// depend on it.
const shards = 16

func (k keys) of(family string) []byte {
	b := make([]byte, 0, len(k.prefix)+96)
	return tuple.AppendString(append(b, k.prefix...), family)
}

// flow returns what all keys of a workflow begin with.
func (k keys) flow(id string) []byte { return tuple.AppendString(k.of("wf"), id) }

func (k keys) part(id, part string) []byte { return tuple.AppendString(k.flow(id), part) }

func (k keys) head(id string) []byte   { return k.part(id, "head") }
func (k keys) state(id string) []byte  { return k.part(id, "state") }
func (k keys) lease(id string) []byte  { return k.part(id, "lease") }
func (k keys) result(id string) []byte { return k.part(id, "result") }

func (k keys) step(id string, p path) []byte {
	b := k.part(id, "step")
	for _, n := range p {
		b = tuple.AppendInt(b, int64(n))
	}
	return b
}

func (k keys) version(id, change string) []byte { return tuple.AppendString(k.part(id, "ver"), change) }

// sent returns the key of something sent to a workflow, whose end becomes the
// stamp of the commit.
func (k keys) sent(id, name string) []byte {
	return tuple.AppendVersionstamp(tuple.AppendString(k.part(id, "in"), name), tuple.Versionstamp{})
}

func (k keys) index(start time.Time, id string) []byte {
	return tuple.AppendString(tuple.AppendInt(k.of("wfi"), start.UnixNano()), id)
}

func (k keys) dueShard(shard int) []byte { return tuple.AppendInt(k.of("due"), int64(shard)) }

func (k keys) due(at time.Time, id string, kind dueKind) []byte {
	b := tuple.AppendInt(k.dueShard(shardOf(id)), at.UnixNano())
	return tuple.AppendInt(tuple.AppendString(b, id), int64(kind))
}

func (k keys) outShard(shard int) []byte { return tuple.AppendInt(k.of("out"), int64(shard)) }

func (k keys) out(shard int) []byte {
	return tuple.AppendVersionstamp(k.outShard(shard), tuple.Versionstamp{})
}

func (k keys) dead(at time.Time, id string, kind dueKind) []byte {
	b := tuple.AppendString(tuple.AppendInt(k.of("dead"), at.UnixNano()), id)
	return tuple.AppendInt(b, int64(kind))
}

func (k keys) schedule(method string) []byte { return tuple.AppendString(k.of("sched"), method) }

func shardOf(id string) int { return int(hashString(id) % shards) }

// hashString and hashBytes are FNV-1a; the hashes are stored.
func hashString(s string) uint64 { return hashBytes([]byte(s)) }

func hashBytes(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}
