package overlay

import "github.com/onefold/onefold/runtime/store"

// Part is what a fork in another process did, on its way to the overlay that it
// is merged into: what Merge takes over from a fork in the same process.
type Part struct {
	Reads     []store.Range // made from the engine: conflicts of the commit
	Inherited []store.Range // reads that operations from before the fork answered
	Ops       []store.Op
	Chunked   [][]byte // keys read whose stored values have chunks
	Stats     Stats
}

// Part returns what o, a fork, did.
func (o *Overlay) Part() Part {
	p := Part{Reads: o.reads.coalesced(), Inherited: o.seen.coalesced(), Ops: o.Ops(), Stats: o.stats}
	for key := range o.chunked {
		p.Chunked = append(p.Chunked, []byte(key))
	}
	return p
}

// Join merges what a fork did in another process while nothing happened to o.
func (o *Overlay) Join(p *Part) {
	for _, r := range p.Reads {
		o.Observe(r)
	}
	if o.parent != nil {
		for _, r := range p.Inherited {
			o.seen.add(store.Range{Begin: o.arena.copy(r.Begin), End: o.arena.copy(r.End)})
		}
	}
	o.Apply(p.Ops)
	for _, key := range p.Chunked {
		o.noteChunked(key)
	}
	o.stats.Gets += p.Stats.Gets
	o.stats.Ranges += p.Stats.Ranges
}

// Pending returns the operations that o sees and that touch keys for which keep
// reports true, in program order, those that a fork inherited included.
func (o *Overlay) Pending(keep func(key []byte) bool) []store.Op {
	var ops []store.Op
	for i := range o.ops {
		if op := &o.ops[i]; op.Kind != 0 && op.Kind != store.SetStamped && keep(op.Key) {
			ops = append(ops, *op)
		}
	}
	return ops
}
