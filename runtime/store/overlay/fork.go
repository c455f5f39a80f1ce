package overlay

import (
	"bytes"

	"github.com/onefold/onefold/runtime/store"
)

// Fork returns an overlay for a parallel branch. It sees the pending writes as
// they are now, and nothing that happens to o later.
func (o *Overlay) Fork() *Overlay {
	o.frozen = len(o.ops)
	child := &Overlay{
		engine:  o.engine,
		version: o.version,
		ops:     append([]store.Op(nil), o.ops...),
		own:     len(o.ops),
		frozen:  len(o.ops),
		pending: o.pending.clone(),
		parent:  o,
	}
	child.pending.inherit()
	return child
}

// Merge appends what child, a fork of o, read and wrote, as if the branch had
// run now. It reports false, and merges nothing, if the branch read something
// that was written to o after the fork, for instance by a sibling that was
// merged before: then the branch did not run as it would have in program order.
func (o *Overlay) Merge(child *Overlay) bool {
	if child.parent != o {
		panic("overlay: merge of an overlay that is not a fork of this one")
	}
	if child.own > len(o.ops) || child.overtaken(o.ops[child.own:]) {
		return false
	}
	for _, r := range child.reads.ranges {
		o.reads.add(r)
	}
	if o.parent != nil {
		for _, r := range child.seen.ranges {
			o.seen.add(r)
		}
	}
	for _, op := range child.ops[child.own:] {
		o.apply(op)
	}
	for key := range child.chunked {
		o.noteChunked([]byte(key))
	}
	o.stats.Gets += child.stats.Gets
	o.stats.Ranges += child.stats.Ranges
	return true
}

// overtaken reports whether one of ops writes what o has read.
func (o *Overlay) overtaken(ops []store.Op) bool {
	if len(ops) == 0 {
		return false
	}
	o.reads.coalesce()
	o.seen.coalesce()
	for _, op := range ops {
		var written store.Range
		switch op.Kind {
		case store.Set, store.Clear, store.Add:
			written = store.Range{Begin: op.Key, End: append(op.Key[:len(op.Key):len(op.Key)], 0)}
		case store.ClearRange:
			written = store.Range{Begin: op.Key, End: op.Value}
		default:
			continue
		}
		if o.reads.overlaps(written) || o.seen.overlaps(written) {
			return true
		}
	}
	return false
}

// overlaps reports whether a range of the coalesced set has a key of r.
func (s *readSet) overlaps(r store.Range) bool {
	lo, hi := 0, len(s.ranges)
	for lo < hi {
		mid := (lo + hi) / 2
		if bytes.Compare(s.ranges[mid].End, r.Begin) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(s.ranges) && bytes.Compare(s.ranges[lo].Begin, r.End) < 0
}
