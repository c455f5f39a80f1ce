package state

import (
	"errors"
	"iter"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// sliceLoop is a loop over a slice under way. As in Go it goes over the elements
// that were there when it began, with the values that they have at their turn, even
// if the slice was shortened or replaced meanwhile.
type sliceLoop[V any] struct {
	mem      *sliceMemory[V]
	i, n     int // the next element, and the length when the loop began
	page     []store.KV
	size     int
	detached *cells[int, V] // all elements left, if the slice was replaced
}

// All returns the indexes and elements as a range over a slice gives them. It reads
// in pages; what conflicts is the length and the elements that the loop went through.
func (s *Slice[V]) All() iter.Seq2[int, V] {
	return func(yield func(int, V) bool) {
		s.memory().loop(func(c *cell[int, V]) bool { return yield(c.at, c.get()) })
	}
}

// Values returns the elements as All does.
func (s *Slice[V]) Values() iter.Seq[V] {
	return func(yield func(V) bool) {
		s.memory().loop(func(c *cell[int, V]) bool { return yield(c.get()) })
	}
}

// Keys returns the indexes; it reads no element.
func (s *Slice[V]) Keys() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range s.Len() {
			if !yield(i) {
				return
			}
		}
	}
}

// loop calls visit with the cell of each element.
func (m *sliceMemory[V]) loop(visit func(*cell[int, V]) bool) {
	l := &sliceLoop[V]{mem: m, n: m.len()}
	m.loops = append(m.loops, l)
	defer func() {
		m.loops = m.loops[:len(m.loops)-1]
		l.observe()
	}()
	for l.i < l.n {
		c := l.next()
		l.i++
		if !visit(c) {
			return
		}
	}
}

// observe makes the elements that the loop went through read conflicts.
func (l *sliceLoop[V]) observe() {
	if l.detached == nil && l.i > 0 {
		l.mem.tx.Observe(store.Range{Begin: l.mem.key(0), End: l.mem.key(l.i)})
	}
}

// next returns the cell of element l.i.
func (l *sliceLoop[V]) next() *cell[int, V] {
	if l.detached != nil {
		return l.detached.find(l.i)
	}
	c := l.mem.cells.find(l.i)
	if c == nil {
		c = l.load()
	}
	c.read()
	return c
}

// load makes the cell of element l.i, which has none, from the page read last or the next one.
func (l *sliceLoop[V]) load() *cell[int, V] {
	m := l.mem
	for len(l.page) > 0 && l.index(l.page[0]) < l.i {
		l.page = l.page[1:]
	}
	if len(l.page) == 0 {
		m.Flush()
		l.size = min(max(firstPage, 4*l.size), lastPage)
		r := store.Range{Begin: m.key(l.i), End: m.key(l.n)}
		l.page, _ = m.tx.SnapshotRange(r, store.RangeOptions{Limit: l.size})
	}
	c := m.add(l.i, m.key(l.i))
	if len(l.page) == 0 || l.index(l.page[0]) != l.i {
		m.field.damaged(m.tx, c.Place(), errors.New("the element is missing"))
	}
	c.fill(l.page[0].Value, true)
	return c
}

// index returns the index of the element that an entry of the page holds.
func (l *sliceLoop[V]) index(kv store.KV) int {
	i, _, err := tuple.DecodeInt(kv.Key[len(l.mem.keys.root):])
	if err != nil {
		l.mem.field.damaged(l.mem.tx, l.mem.field.String(), err)
	}
	return int(i)
}

// loadFrom loads the elements from n on that the loop has yet to visit, since
// they are about to be cut off.
func (l *sliceLoop[V]) loadFrom(n int) {
	if l.detached != nil {
		return
	}
	at := l.i
	for l.i = max(at, n); l.i < l.n; l.i++ {
		l.next()
	}
	l.observe()
	l.i, l.page = at, nil // the page is beyond at
}

// detach loads all that is left of the loop, whose slice is about to be replaced.
func (l *sliceLoop[V]) detach() {
	if l.detached != nil {
		return
	}
	l.loadFrom(l.i)
	old := l.mem.cells
	l.detached = &old
}
