package state

import (
	"cmp"
	"errors"
	"fmt"
	"iter"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// mapLoop is a loop over a map under way, which the body of the loop may change.
type mapLoop[K comparable, V any] struct {
	mem   *mapMemory[K, V]
	at    []byte // the next key to look at, or one before it
	end   []byte
	page  []store.KV // read and not looked at yet
	size  int        // of the last page asked for
	more  bool       // there may be more after page
	stale bool       // page may be out of date
	added map[K]struct{}
	// rest is what is left of a loop whose map was replaced, nil otherwise: Go
	// goes on with the old map.
	rest     []*cell[K, V]
	detached bool
}

// Pages of a range read grow from the first size to the last, so that a loop
// that ends soon reads little.
const (
	firstPage = 32
	lastPage  = 1024
)

// loop calls visit with the cell of each entry.
func (m *mapMemory[K, V]) loop(visit func(*cell[K, V]) bool) {
	m.loopFrom(tuple.Range(m.keys.root).Begin, visit)
}

// loopFrom is loop from the key begin on.
func (m *mapMemory[K, V]) loopFrom(begin []byte, visit func(*cell[K, V]) bool) {
	r := tuple.Range(m.keys.root)
	l := &mapLoop[K, V]{mem: m, at: begin, end: r.End, more: true}
	m.loops = append(m.loops, l)
	ended := false
	defer func() {
		m.loops = m.loops[:len(m.loops)-1]
		if !l.detached {
			l.observe(begin, ended)
		}
	}()
	for {
		c := l.next()
		if c == nil {
			ended = true
			return
		}
		if !visit(c) {
			return
		}
	}
}

// observe makes the part of the map that the loop went through a read conflict.
func (l *mapLoop[K, V]) observe(begin []byte, ended bool) {
	if ended {
		l.at = l.end
	}
	l.mem.tx.Observe(store.Range{Begin: begin, End: l.at})
}

// next returns the cell of the next entry, or nil at the end.
func (l *mapLoop[K, V]) next() *cell[K, V] {
	for !l.detached {
		if l.stale || len(l.page) == 0 {
			if !l.stale && !l.more {
				return nil
			}
			l.read()
			continue
		}
		kv := l.page[0]
		l.page = l.page[1:]
		l.at = after(kv.Key)
		if c := l.entry(kv); c != nil {
			return c
		}
	}
	for len(l.rest) > 0 {
		c := l.rest[0]
		l.rest = l.rest[1:]
		if c.exists {
			return c
		}
	}
	return nil
}

// read reads the next page.
func (l *mapLoop[K, V]) read() {
	m := l.mem
	m.Flush()
	l.size = min(max(firstPage, 4*l.size), lastPage)
	r := store.Range{Begin: l.at, End: l.end}
	l.page, l.more = m.tx.SnapshotRange(r, store.RangeOptions{Limit: l.size})
	l.stale = false
}

// entry returns the cell of an entry of the page, or nil if the loop passes it by.
func (l *mapLoop[K, V]) entry(kv store.KV) *cell[K, V] {
	m := l.mem
	k, rest, err := m.desc.key.Decode(kv.Key[len(m.keys.root):])
	if err != nil || len(rest) > 0 {
		m.field.damaged(m.tx, m.field.String(), fmt.Errorf("key %q: %w", kv.Key, cmp.Or(err, errTail)))
	}
	if _, ok := l.added[k]; ok {
		return nil
	}
	c := m.cells.find(k)
	switch {
	case c == nil:
		c = m.add(k, kv.Key)
		c.fill(kv.Value, true)
	case c.unread:
		c.read()
	}
	if !c.exists {
		return nil
	}
	return c
}

var errTail = errors.New("more than the key of an entry")

// born notes that the entry of c is about to be made, if it does not exist, so
// that the loops under way pass it by.
func (m *mapMemory[K, V]) born(c *cell[K, V]) {
	if len(m.loops) == 0 {
		return
	}
	c.read()
	if c.exists {
		return
	}
	for _, l := range m.loops {
		if l.added == nil {
			l.added = map[K]struct{}{}
		}
		l.added[c.at] = struct{}{}
	}
}

// detach reads the rest of the loop, whose map is about to be replaced.
func (l *mapLoop[K, V]) detach() {
	if l.detached {
		return
	}
	begin := tuple.Range(l.mem.keys.root).Begin
	var rest []*cell[K, V]
	for c := l.next(); c != nil; c = l.next() {
		copied := *c
		rest = append(rest, &copied)
	}
	l.observe(begin, true)
	l.rest, l.detached = rest, true
}

// pages returns the entries of a range, read in pages and with conflict.
func pages(tx *atomic.Tx, r store.Range) iter.Seq[store.KV] {
	return func(yield func(store.KV) bool) {
		for limit := firstPage; ; limit = min(4*limit, lastPage) {
			kvs, more := tx.Range(r, store.RangeOptions{Limit: limit})
			for _, kv := range kvs {
				if !yield(kv) {
					return
				}
			}
			if !more {
				return
			}
			r.Begin = after(kvs[len(kvs)-1].Key)
		}
	}
}

// after returns the first key after key.
func after(key []byte) []byte {
	b := make([]byte, len(key)+1)
	copy(b, key)
	return b
}
