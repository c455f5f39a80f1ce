package state

import (
	"errors"
	"fmt"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// Slice is a persistent []V in one transaction. It is stored as its length and one
// key for each element; a nil slice has no length stored.
type Slice[V any] struct {
	field *SliceField[V]
	tx    *atomic.Tx
	live  *sliceMemory[V]
}

// sliceMemory is the live memory of a slice.
type sliceMemory[V any] struct {
	memory[int, V]
	length  length
	lengths []length // at the open savepoints
	loops   []*sliceLoop[V]
}

// length is what is known of a slice's length.
type length struct {
	n             int
	isNil         bool
	loaded, dirty bool
	wrote         bool // since the Tx began
}

func (s *Slice[V]) memory() *sliceMemory[V] {
	if s.live == nil {
		s.live = s.field.memory(s.tx)
	}
	return s.live
}

func (f *SliceField[V]) memory(tx *atomic.Tx) *sliceMemory[V] {
	if live := tx.Tracked(f); live != nil {
		return live.(*sliceMemory[V])
	}
	live := &sliceMemory[V]{}
	live.memory = memory[int, V]{tx: tx, field: &f.field, keys: f.in(tx), typ: &f.elem}
	tx.Track(f, live)
	return live
}

// len returns the length.
func (m *sliceMemory[V]) len() int {
	if m.length.loaded {
		return m.length.n
	}
	raw, ok := m.tx.Get(m.keys.root)
	m.length = length{isNil: !ok, loaded: true}
	if ok {
		n, err := codec.ParseInteger(raw)
		if err != nil {
			m.field.damaged(m.tx, "the length of "+m.field.String(), err)
		}
		m.length.n = int(n)
	}
	return m.length.n
}

// resize sets the length, which is loaded.
func (m *sliceMemory[V]) resize(n int, isNil bool) {
	m.length.n, m.length.isNil, m.length.dirty = n, isNil, true
}

func (m *sliceMemory[V]) key(i int) []byte {
	b := make([]byte, 0, len(m.keys.root)+9)
	return tuple.AppendInt(append(b, m.keys.root...), int64(i))
}

// cell returns the cell of element i, loaded; it panics as Go does if there is none.
// Where the element is there, the length needs no look.
func (m *sliceMemory[V]) cell(i int) *cell[int, V] {
	if m.length.loaded || i < 0 {
		checkIndex(i, m.len())
	}
	c := m.cells.find(i)
	if c == nil {
		c = m.add(i, m.key(i))
	}
	c.read()
	if !c.exists {
		checkIndex(i, m.len())
		m.field.damaged(m.tx, c.Place(), errors.New("the element is missing"))
	}
	return c
}

// checkIndex panics as Go does if i is not the index of one of n elements.
func checkIndex(i, n int) {
	if i < 0 || i >= n {
		_ = make([]struct{}, n)[i]
	}
}

// Flush writes what changed.
func (m *sliceMemory[V]) Flush() {
	m.memory.Flush()
	if !m.length.dirty {
		return
	}
	m.length.dirty, m.length.wrote = false, true
	if m.length.isNil {
		m.tx.Clear(m.keys.root)
		return
	}
	m.tx.Set(m.keys.root, codec.AppendInteger(nil, int64(m.length.n)))
}

// Mark opens a savepoint.
func (m *sliceMemory[V]) Mark() {
	m.memory.Mark()
	m.lengths = append(m.lengths, m.length)
}

// Release closes the innermost savepoint and keeps what happened in it.
func (m *sliceMemory[V]) Release() {
	m.memory.Release()
	m.lengths = m.lengths[:len(m.lengths)-1]
}

// Rollback closes the innermost savepoint and undoes what happened in it.
func (m *sliceMemory[V]) Rollback() {
	m.memory.Rollback()
	m.length = m.lengths[len(m.lengths)-1]
	m.lengths = m.lengths[:len(m.lengths)-1]
}

// Adopt takes over the memory of the slice in a branch.
func (m *sliceMemory[V]) Adopt(child atomic.Tracked) bool {
	c := child.(*sliceMemory[V])
	if len(m.loops) > 0 || !m.adopt(&c.memory) {
		return false
	}
	if c.length.wrote {
		m.length = c.length
	}
	return true
}

// Get returns element i.
func (s *Slice[V]) Get(i int) V { return s.memory().cell(i).get() }

// Set sets element i.
func (s *Slice[V]) Set(i int, v V) { s.memory().cell(i).set(v) }

// Ref returns the address of element i, to be used at once.
func (s *Slice[V]) Ref(i int) *V { return s.memory().cell(i).ref() }

// Len returns the length.
func (s *Slice[V]) Len() int { return s.memory().len() }

// IsNil reports whether the slice is nil.
func (s *Slice[V]) IsNil() bool {
	m := s.memory()
	m.len()
	return m.length.isNil
}

// Append appends elements.
func (s *Slice[V]) Append(v ...V) {
	if len(v) == 0 {
		return
	}
	m := s.memory()
	n := m.len()
	for i, x := range v {
		c := m.cells.find(n + i)
		if c == nil {
			c = m.add(n+i, m.key(n+i))
		}
		c.set(x)
	}
	m.resize(n+len(v), false)
}

// Truncate is s = s[:n]. It fails the request for an n beyond the length: what a
// Go slice holds there, up to its capacity, is not stored.
func (s *Slice[V]) Truncate(n int) {
	m := s.memory()
	switch length := m.len(); {
	case n < 0:
		_ = make([]struct{}, length)[:n]
	case n > length:
		m.tx.Fail(fmt.Errorf("%s: cannot slice up to %d: the length is %d, and elements beyond it are not stored", m.field, n, length))
	case n < length:
		m.truncate(n)
	}
}

func (m *sliceMemory[V]) truncate(n int) {
	for _, l := range m.loops {
		l.loadFrom(n)
	}
	m.tx.ClearRange(store.Range{Begin: m.key(n), End: m.key(m.length.n)})
	m.gone, m.moved = true, true
	for _, c := range m.cells.list {
		if c.at >= n {
			c.vanish()
			c.stored, c.dirty, c.wrote = absent, false, true
		}
	}
	m.resize(n, m.length.isNil)
}

// Clear sets all elements to zero, as clear does for a slice.
func (s *Slice[V]) Clear() {
	var zero V
	m := s.memory()
	for i := range m.len() {
		m.element(i).set(zero)
	}
}

// element returns the cell of element i, which is there; it is unread if it is new.
func (m *sliceMemory[V]) element(i int) *cell[int, V] {
	if c := m.cells.find(i); c != nil {
		return c
	}
	return m.add(i, m.key(i))
}

// Load returns the slice as a plain one. It shares what its elements refer to.
func (s *Slice[V]) Load() []V {
	m := s.memory()
	n := m.len()
	if m.length.isNil {
		return nil
	}
	plain := make([]V, 0, n)
	for _, v := range s.All() {
		plain = append(plain, v)
	}
	return plain
}

// Assign replaces the slice by a copy of v.
func (s *Slice[V]) Assign(v []V) {
	m := s.memory()
	for _, l := range m.loops {
		l.detach()
	}
	m.tx.ClearRange(tuple.Range(m.keys.root))
	m.gone, m.moved = true, true
	m.cells = cells[int, V]{}
	for i, x := range v {
		c := m.add(i, m.key(i))
		c.stored = absent
		c.set(x)
	}
	m.length.loaded = true
	m.resize(len(v), v == nil)
}
