package overlay

import (
	"bytes"
	"sort"

	"github.com/onefold/onefold/runtime/store"
)

// entryKind says what is known of a key that pending operations touched.
type entryKind uint8

const (
	known  entryKind = iota // its value is entry.value
	absent                  // it does not exist
	adding                  // its value is the base's plus entry.value
)

// entry is what the pending operations on one key amount to.
type entry struct {
	key, value []byte
	op         int // index of the last operation on the key
	kind       entryKind
	inherited  bool // the value depends on operations or reads made before the fork
}

// pending is the effect of an operation log: entries in key order and the
// ranges that were cleared before the entries in them were made. Most
// transactions touch a few keys, so sorted slices beat trees and maps.
type pending struct {
	entries []entry // in order of first touch
	order   []int32 // indexes into entries, by key
	cleared []store.Range
}

// search returns the position of key in the order, and whether it is there.
func (p *pending) search(key []byte) (int, bool) {
	lo, hi := 0, len(p.order)
	// Keys often come in ascending order: look at the end first.
	if hi > 0 && bytes.Compare(p.entries[p.order[hi-1]].key, key) < 0 {
		return hi, false
	}
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := bytes.Compare(p.entries[p.order[mid]].key, key); {
		case c == 0:
			return mid, true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false
}

// find returns key's entry, or nil. It is valid until the next put.
func (p *pending) find(key []byte) *entry {
	if i, ok := p.search(key); ok {
		return &p.entries[p.order[i]]
	}
	return nil
}

// put adds the entry of a key that has none.
func (p *pending) put(e entry) {
	i, _ := p.search(e.key)
	p.entries = append(p.entries, e)
	p.order = append(p.order, 0)
	copy(p.order[i+1:], p.order[i:])
	p.order[i] = int32(len(p.entries) - 1)
}

// span returns the positions in the order of the entries in r.
func (p *pending) span(r store.Range) (from, to int) {
	if len(p.order) == 0 {
		return 0, 0
	}
	from, _ = p.search(r.Begin)
	to, _ = p.search(r.End)
	return from, to
}

// remove drops the entries of r.
func (p *pending) remove(r store.Range) {
	from, to := p.span(r)
	p.order = append(p.order[:from], p.order[to:]...)
}

// clears reports whether key lies in a cleared range.
func (p *pending) clears(key []byte) bool {
	i := p.firstClear(key)
	return i < len(p.cleared) && bytes.Compare(p.cleared[i].Begin, key) <= 0
}

// firstClear returns the index of the first cleared range that ends after key.
func (p *pending) firstClear(key []byte) int {
	return sort.Search(len(p.cleared), func(i int) bool {
		return bytes.Compare(p.cleared[i].End, key) > 0
	})
}

// clear adds r to the cleared ranges, joining those that it touches.
func (p *pending) clear(r store.Range) {
	from := sort.Search(len(p.cleared), func(i int) bool {
		return bytes.Compare(p.cleared[i].End, r.Begin) >= 0
	})
	to := from
	for ; to < len(p.cleared) && bytes.Compare(p.cleared[to].Begin, r.End) <= 0; to++ {
		r = hull(r, p.cleared[to])
	}
	if from == to {
		p.cleared = append(p.cleared, store.Range{})
		copy(p.cleared[from+1:], p.cleared[from:])
		p.cleared[from] = r
		return
	}
	p.cleared[from] = r
	p.cleared = append(p.cleared[:from+1], p.cleared[to:]...)
}

// hull returns the smallest range that holds a and b.
func hull(a, b store.Range) store.Range {
	if bytes.Compare(b.Begin, a.Begin) < 0 {
		a.Begin = b.Begin
	}
	if bytes.Compare(b.End, a.End) > 0 {
		a.End = b.End
	}
	return a
}

// clone returns a copy that shares keys and values, which nobody modifies.
func (p *pending) clone() pending {
	return pending{
		entries: append([]entry(nil), p.entries...),
		order:   append([]int32(nil), p.order...),
		cleared: append([]store.Range(nil), p.cleared...),
	}
}
