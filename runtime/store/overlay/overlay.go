// Package overlay is one transaction's view of a store: reads at one version,
// merged with the writes that the transaction has buffered so far.
//
// It is the only read-your-writes layer and the only place with savepoints, so
// that every engine can stay as narrow as store.Engine. It records which keys
// were read (the read conflicts of the commit), and keeps the writes in program
// order, coalesced where that changes nothing.
//
// An [Overlay] is not for concurrent use. Forks of one parent may be used
// concurrently with each other and with their parent.
package overlay

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/onefold/onefold/runtime/store"
)

// Overlay buffers the writes of one transaction over an engine's state at one
// version. Slices that it is handed are copied; slices that it returns must
// not be modified.
type Overlay struct {
	engine  store.Engine
	version store.Version

	ops    []store.Op // program order; Kind 0 is an operation that a later one made void
	own    int        // ops before it are the parent's: visible, not ours to commit
	frozen int        // ops before it are a mark's or a fork's: not to be coalesced into
	size   int        // bytes in ops[own:]
	reader bool       // notes no reads: nothing will be committed

	pending pending // what ops amount to, by key
	reads   readSet // the commit's read conflicts
	seen    readSet // in a fork: reads that inherited operations answered
	chunked map[string]struct{}
	arena   arena
	parent  *Overlay
	stats   Stats
	commit  store.Commit
}

// Stats counts what an overlay and its merged forks asked of the engine.
type Stats struct {
	Gets   int // point reads
	Ranges int // range reads, one a page
}

// free are overlays to be used again.
var free = sync.Pool{New: func() any { return new(Overlay) }}

// New returns an overlay without writes over engine at version. The caller
// keeps the version held until it is done with the overlay.
func New(engine store.Engine, version store.Version) *Overlay {
	o := free.Get().(*Overlay)
	o.engine, o.version = engine, version
	return o
}

// NewReader returns an overlay for a transaction that commits nothing, so that
// its reads are no conflicts. Those of its forks still are, to merge them by.
func NewReader(engine store.Engine, version store.Version) *Overlay {
	o := New(engine, version)
	o.reader = true
	return o
}

// maxKept is the most elements of a slice that is used again.
const maxKept = 256

// Free gives the overlay's memory to a later one, but for the keys and values:
// those that it returned stay as they are. Neither the overlay nor a fork of it
// is used any more.
func (o *Overlay) Free() {
	ops, reads, entries, order := o.ops, o.reads.ranges, o.pending.entries, o.pending.order
	if max(cap(ops), cap(reads), cap(entries)) > maxKept {
		return
	}
	clear(ops)
	clear(reads)
	clear(entries)
	*o = Overlay{
		ops:     ops[:0],
		reads:   readSet{ranges: reads[:0]},
		pending: pending{entries: entries[:0], order: order[:0]},
		arena:   o.arena,
	}
	free.Put(o)
}

// Version returns the version that the overlay reads at.
func (o *Overlay) Version() store.Version { return o.version }

// Stats returns the reads made so far.
func (o *Overlay) Stats() Stats { return o.stats }

// Size returns about how many bytes the pending operations will commit.
func (o *Overlay) Size() int { return o.size }

// Get returns the value of key; ok reports whether it exists. The read is a
// conflict of the commit unless pending operations alone answered it.
func (o *Overlay) Get(ctx context.Context, key []byte) (value []byte, ok bool, err error) {
	return o.get(ctx, key, true)
}

// SnapshotGet is Get without a read conflict: what it returns may have been
// overwritten by the time of the commit.
func (o *Overlay) SnapshotGet(ctx context.Context, key []byte) (value []byte, ok bool, err error) {
	return o.get(ctx, key, false)
}

func (o *Overlay) get(ctx context.Context, key []byte, record bool) ([]byte, bool, error) {
	record = record && !o.reader
	e := o.pending.find(key)
	switch {
	case e != nil && e.kind != adding:
		if record && o.parent != nil && e.inherited {
			o.seen.addPoint(&o.arena, key)
		}
		return e.value, e.kind == known, nil
	case e == nil && o.pending.clears(key):
		if record && o.parent != nil {
			o.seen.addPoint(&o.arena, key)
		}
		return nil, false, nil
	}
	if record {
		o.reads.addPoint(&o.arena, key)
	}
	base, ok, err := o.base(ctx, key)
	if err != nil {
		return nil, false, err
	}
	if e == nil {
		return base, ok, nil
	}
	sum := store.AddLittleEndian(base, e.value)
	if record {
		// The conflict pins the base value, so the sum is known from here on.
		e.kind, e.value, e.inherited = known, sum, true
	}
	return sum, true, nil
}

// base reads one key from the engine, putting a chunked value together.
func (o *Overlay) base(ctx context.Context, key []byte) ([]byte, bool, error) {
	o.stats.Gets++
	value, ok, err := o.engine.Get(ctx, o.version, key)
	if err != nil || !ok || !isHeader(value) {
		return value, ok, err
	}
	value, err = o.assemble(ctx, key, value)
	return value, err == nil, err
}

// Set gives key a value of any length.
func (o *Overlay) Set(key, value []byte) {
	o.set(o.arena.copy(key), o.arena.copy(value))
}

// Clear removes key.
func (o *Overlay) Clear(key []byte) { o.clear(o.arena.copy(key)) }

// ClearRange removes the keys of r.
func (o *Overlay) ClearRange(r store.Range) {
	if store.Compare(r.Begin, r.End) < 0 {
		o.clearRange(o.arena.copy(r.Begin), o.arena.copy(r.End))
	}
}

// Add adds delta to the little-endian 64-bit integer at key, wrapping around,
// without reading it: additions never conflict with each other.
func (o *Overlay) Add(key []byte, delta int64) {
	var operand [8]byte
	binary.LittleEndian.PutUint64(operand[:], uint64(delta))
	o.add(o.arena.copy(key), o.arena.copy(operand[:]))
}

// SetStamped sets a key whose last store.StampSize bytes the engine replaces
// by the commit's versionstamp. Nobody knows the key before the commit, so the
// transaction's own reads do not see it.
func (o *Overlay) SetStamped(key, value []byte) {
	o.log(store.SetStamped, o.arena.copy(key), o.arena.copy(value))
}

// Observe adds r to the commit's read conflicts without reading it, for a
// caller that read it from the engine itself.
func (o *Overlay) Observe(r store.Range) {
	if o.reader {
		return
	}
	o.reads.add(store.Range{Begin: o.arena.copy(r.Begin), End: o.arena.copy(r.End)})
}

// ObserveKey is Observe of key alone.
func (o *Overlay) ObserveKey(key []byte) {
	if !o.reader {
		o.reads.addPoint(&o.arena, key)
	}
}

// Apply appends operations made elsewhere, for instance by a callee in another
// process. They are [Overlay.Ops] of an overlay, values not yet chunked.
func (o *Overlay) Apply(ops []store.Op) {
	for _, op := range ops {
		o.apply(store.Op{Kind: op.Kind, Key: o.arena.copy(op.Key), Value: o.arena.copy(op.Value)})
	}
}

// Mark is a point in an overlay's operations that Rollback can return to.
type Mark int

// Mark starts a savepoint.
func (o *Overlay) Mark() Mark {
	o.frozen = len(o.ops)
	return Mark(len(o.ops))
}

// Rollback discards the operations since m. The reads made since stay
// conflicts of the commit: what the program did next may depend on them.
func (o *Overlay) Rollback(m Mark) {
	if int(m) < o.own || int(m) > len(o.ops) {
		panic("overlay: rollback to a mark that is not of this overlay or was rolled back before")
	}
	o.frozen = int(m)
	if int(m) == len(o.ops) {
		return
	}
	o.replay(o.ops[:m])
}

// Reads returns the read conflicts so far, sorted and disjoint.
func (o *Overlay) Reads() []store.Range {
	return o.reads.coalesced()
}

// Ops returns the pending operations in program order, not those a fork
// inherited. Values are whole: only Commit chunks them.
func (o *Overlay) Ops() []store.Op {
	ops := make([]store.Op, 0, len(o.ops)-o.own)
	for _, op := range o.ops[o.own:] {
		if op.Kind != 0 {
			ops = append(ops, op)
		}
	}
	return ops
}

// void reports whether later operations made some void.
func (o *Overlay) void() bool {
	for i := range o.ops {
		if o.ops[i].Kind == 0 {
			return true
		}
	}
	return false
}

// Dirty reports whether there is anything to commit.
func (o *Overlay) Dirty() bool {
	for i := range o.ops[o.own:] {
		if o.ops[o.own+i].Kind != 0 {
			return true
		}
	}
	return false
}

// Commit returns what the engine is to commit: the read conflicts and the
// operations, large values in chunks. It is valid until the overlay is used
// again. The engine answers store.ErrTooLarge if that is more than one commit may
// carry.
func (o *Overlay) Commit() *store.Commit {
	o.reads.coalesce()
	o.commit = store.Commit{Version: o.version, Reads: o.reads.ranges, Ops: o.physical(o.compacted())}
	return &o.commit
}

// compacted returns the operations, coalesced across the marks that are done with.
func (o *Overlay) compacted() []store.Op {
	ops := o.ops
	if o.own > 0 || o.void() {
		ops = o.Ops()
	}
	if o.parent != nil || len(ops) <= len(o.pending.order)+len(o.pending.cleared) {
		return ops
	}
	var fresh Overlay
	for _, op := range ops {
		fresh.apply(op)
	}
	return fresh.Ops()
}
