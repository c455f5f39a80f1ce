package state

import (
	"iter"
	"maps"
	"slices"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// Map is a persistent map[K]V in one transaction.
type Map[K comparable, V any] struct {
	field *MapField[K, V]
	tx    *atomic.Tx
	live  *mapMemory[K, V]
}

// mapMemory is the live memory of a map.
type mapMemory[K comparable, V any] struct {
	memory[K, V]
	desc  *MapField[K, V]
	loops []*mapLoop[K, V] // over the map, under way
	saved []loopStates[K, V]
}

// loopStates is what the loops under way were when a savepoint was opened.
type loopStates[K comparable, V any] map[*mapLoop[K, V]]mapLoop[K, V]

func (m *Map[K, V]) memory() *mapMemory[K, V] {
	if m.live == nil {
		m.live = m.field.memory(m.tx)
	}
	return m.live
}

func (f *MapField[K, V]) memory(tx *atomic.Tx) *mapMemory[K, V] {
	if live := tx.Tracked(f); live != nil {
		return live.(*mapMemory[K, V])
	}
	live := &mapMemory[K, V]{desc: f}
	live.memory = memory[K, V]{tx: tx, field: &f.field, keys: f.in(tx), typ: &f.elem}
	tx.Track(f, live)
	return live
}

// cell returns the cell of k, unread if it is new.
func (m *mapMemory[K, V]) cell(k K) *cell[K, V] {
	if c := m.cells.find(k); c != nil {
		return c
	}
	b := make([]byte, 0, len(m.keys.root)+24)
	return m.add(k, m.desc.key.Append(append(b, m.keys.root...), k))
}

// Get returns the value of k, zero if there is none.
func (m *Map[K, V]) Get(k K) V { return m.memory().cell(k).get() }

// Lookup returns the value of k, and whether there is one.
func (m *Map[K, V]) Lookup(k K) (V, bool) {
	c := m.memory().cell(k)
	return c.get(), c.exists
}

// Set gives k a value.
func (m *Map[K, V]) Set(k K, v V) {
	live := m.memory()
	c := live.cell(k)
	live.born(c)
	c.set(v)
}

// Ref returns the address of the value of k, which exists from then on. The
// address is to be used at once.
func (m *Map[K, V]) Ref(k K) *V {
	live := m.memory()
	c := live.cell(k)
	live.born(c)
	return c.ref()
}

// Add adds n to the value of k, an integer. Where the value is not loaded it is not
// read, so that additions do not conflict.
func (m *Map[K, V]) Add(k K, n V) {
	live := m.memory()
	c := live.cell(k)
	live.born(c)
	c.add(n)
}

// Delete removes k.
func (m *Map[K, V]) Delete(k K) { m.memory().cell(k).remove() }

// Clear removes all keys.
func (m *Map[K, V]) Clear() { m.memory().clear() }

func (m *mapMemory[K, V]) clear() {
	m.tx.ClearRange(tuple.Range(m.keys.root))
	m.gone, m.moved = true, true
	var zero V
	for _, c := range m.cells.list {
		c.vanish()
		c.live, c.stored, c.dirty, c.wrote = zero, absent, false, true
	}
	for _, l := range m.loops {
		l.stale = true
	}
}

// Len returns the number of keys. It reads the whole range of the field: what it
// costs grows with the map, and any key that comes or goes conflicts with it.
func (m *Map[K, V]) Len() int {
	live := m.memory()
	live.Flush()
	n := 0
	for range pages(live.tx, tuple.Range(live.keys.root)) {
		n++
	}
	return n
}

// Load returns the map as a plain one, never nil. It shares what its values refer to.
func (m *Map[K, V]) Load() map[K]V {
	plain := map[K]V{}
	for k, v := range m.All() {
		plain[k] = v
	}
	return plain
}

// Assign replaces the map by a copy of v.
func (m *Map[K, V]) Assign(v map[K]V) {
	live := m.memory()
	for _, l := range live.loops {
		l.detach()
	}
	live.clear()
	for k, x := range v {
		live.cell(k).set(x)
	}
	slices.SortFunc(live.cells.list, func(a, b *cell[K, V]) int { return slices.Compare(a.key, b.key) })
}

// All returns the entries in the order of their keys: those that are there when
// the loop begins, without those that are deleted before their turn, with the
// values that they have at their turn. It reads in pages; what conflicts is the part of
// the map that the loop went through.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		m.memory().loop(func(c *cell[K, V]) bool { return yield(c.at, c.get()) })
	}
}

// Keys returns the keys as All does.
func (m *Map[K, V]) Keys() iter.Seq[K] {
	return func(yield func(K) bool) {
		m.memory().loop(func(c *cell[K, V]) bool { return yield(c.at) })
	}
}

// Values returns the values as All does.
func (m *Map[K, V]) Values() iter.Seq[V] {
	return func(yield func(V) bool) {
		m.memory().loop(func(c *cell[K, V]) bool { return yield(c.get()) })
	}
}

// Mark opens a savepoint.
func (m *mapMemory[K, V]) Mark() {
	m.memory.Mark()
	var states loopStates[K, V]
	for _, l := range m.loops {
		if states == nil {
			states = loopStates[K, V]{}
		}
		state := *l
		state.added = maps.Clone(l.added)
		states[l] = state
	}
	m.saved = append(m.saved, states)
}

// Release closes the innermost savepoint and keeps what happened in it.
func (m *mapMemory[K, V]) Release() {
	m.memory.Release()
	m.saved = m.saved[:len(m.saved)-1]
}

// Rollback closes the innermost savepoint and undoes what happened in it. The loops
// around it are where they were, over the map that they were over.
func (m *mapMemory[K, V]) Rollback() {
	m.memory.Rollback()
	last := len(m.saved) - 1
	for l, state := range m.saved[last] {
		*l = state
		l.stale = true
	}
	m.saved = m.saved[:last]
}

// Adopt takes over the memory of the map in a branch.
func (m *mapMemory[K, V]) Adopt(child atomic.Tracked) bool {
	return len(m.loops) == 0 && m.adopt(&child.(*mapMemory[K, V]).memory)
}
