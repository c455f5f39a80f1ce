package state

import (
	"slices"

	"github.com/onefold/onefold/onefoldtest/snapshot"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// memory is the live memory of one field in one Tx: the cells that were touched.
// It does for all kinds of fields what an attempt asks of an atomic.Tracked.
type memory[K comparable, V any] struct {
	tx    *atomic.Tx
	field *field
	keys  *keys
	typ   *codec.Type[V]
	cells cells[K, V]
	marks []mark[K, V]
	gone  bool       // all cells were cleared at once, loaded or not
	moved bool       // a place may refer to other memory than what was loaded for it
	buf   []byte     // for encoding
	one   cell[K, V] // the first
}

// cells are the cells of a field in the order they were touched first. Most
// requests touch a few entries, which a list finds faster than a map.
type cells[K comparable, V any] struct {
	list  []*cell[K, V]
	index map[K]*cell[K, V] // nil while the list is short
}

// few is how many cells are searched one by one.
const few = 8

func (t *cells[K, V]) find(at K) *cell[K, V] {
	if t.index != nil {
		return t.index[at]
	}
	for _, c := range t.list {
		if c.at == at {
			return c
		}
	}
	return nil
}

func (t *cells[K, V]) put(c *cell[K, V]) {
	t.list = append(t.list, c)
	switch {
	case t.index != nil:
		t.index[c.at] = c
	case len(t.list) > few:
		t.reindex()
	}
}

func (t *cells[K, V]) reindex() {
	t.index = nil
	if len(t.list) <= few {
		return
	}
	t.index = make(map[K]*cell[K, V], 2*len(t.list))
	for _, c := range t.list {
		t.index[c.at] = c
	}
}

// keep drops the cells for which f reports false.
func (t *cells[K, V]) keep(f func(*cell[K, V]) bool) {
	t.list = slices.DeleteFunc(t.list, func(c *cell[K, V]) bool { return !f(c) })
	t.reindex()
}

// add makes a cell for at, which has none; its value is not loaded.
func (m *memory[K, V]) add(at K, key []byte) *cell[K, V] {
	c := &m.one
	if c.mem != nil {
		c = new(cell[K, V])
	}
	*c = cell[K, V]{mem: m, at: at, key: key, unread: true}
	m.cells.put(c)
	return c
}

// Flush writes what changed.
func (m *memory[K, V]) Flush() {
	for _, c := range m.cells.list {
		c.flush()
	}
}

// mark is the memory at the opening of a savepoint.
type mark[K comparable, V any] struct {
	cells []saved[K, V]
	refs  *snapshot.Snapshot // what the cells' values refer to
}

type saved[K comparable, V any] struct {
	cell  *cell[K, V]
	state cell[K, V]
}

// Mark opens a savepoint.
func (m *memory[K, V]) Mark() {
	k := mark[K, V]{cells: make([]saved[K, V], len(m.cells.list))}
	var roots []any
	for i, c := range m.cells.list {
		k.cells[i] = saved[K, V]{c, *c}
		if m.typ.Refs {
			roots = append(roots, &c.live)
		}
	}
	if len(roots) > 0 {
		k.refs = snapshot.Take(roots...)
	}
	m.marks = append(m.marks, k)
}

// Release closes the innermost savepoint and keeps what happened in it.
func (m *memory[K, V]) Release() { m.marks = m.marks[:len(m.marks)-1] }

// Rollback closes the innermost savepoint and undoes what happened in it. Cells
// that were loaded in it go back to what was loaded if a program may hold objects
// of theirs; the others are forgotten.
func (m *memory[K, V]) Rollback() {
	k := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	before := make(map[*cell[K, V]]bool, len(k.cells))
	for _, s := range k.cells {
		*s.cell = s.state
		before[s.cell] = true
	}
	if k.refs != nil {
		k.refs.Restore()
	}
	old := cells[K, V]{list: m.cells.list}
	m.cells = cells[K, V]{list: make([]*cell[K, V], 0, len(old.list))}
	for _, s := range k.cells {
		m.cells.list = append(m.cells.list, s.cell)
	}
	for _, c := range old.list {
		if !before[c] && c.pristine != nil {
			c.revert()
			m.cells.list = append(m.cells.list, c)
		}
	}
	m.cells.reindex()
}

// revert makes the cell what it was when it was loaded.
func (c *cell[K, V]) revert() {
	c.pristine.Restore()
	*c = cell[K, V]{
		mem: c.mem, at: c.at, key: c.key,
		live: c.live, origin: c.first, exists: true, stored: present, watched: true,
		first: c.first, pristine: c.pristine,
	}
}

// Places calls yield with the cells that may share objects.
func (m *memory[K, V]) Places(yield func(atomic.Place)) {
	if m.typ.Objects == nil {
		return
	}
	for _, c := range m.cells.list {
		if c.exists && !c.unread {
			yield(c)
		}
	}
}

// Changed reports whether places may refer to memory that they did not refer to
// when they were loaded: through pointers or, if strict, in any way.
func (m *memory[K, V]) Changed(strict bool) bool {
	return m.moved && (m.typ.Pointers || strict && m.typ.Refs)
}

// Rebase moves the memory to tx.
func (m *memory[K, V]) Rebase(tx *atomic.Tx) { m.tx = tx }

// adopt takes over the memory of a branch, cell by cell. It reports false where a
// program could tell: where both sides may hold what is one object in a plain
// program, or the branch changed what the program holds here.
func (m *memory[K, V]) adopt(child *memory[K, V]) bool {
	if child.gone && !m.forget() {
		return false
	}
	m.moved = m.moved || child.moved
	for _, theirs := range child.cells.list {
		mine := m.cells.find(theirs.at)
		switch {
		case mine == nil:
		case m.typ.Pointers, m.typ.Refs && theirs.wrote:
			return false
		case theirs.wrote:
			m.cells.keep(func(c *cell[K, V]) bool { return c != mine })
		default:
			continue
		}
		theirs.mem = m
		m.cells.put(theirs)
	}
	return true
}

// forget drops all cells, since a branch cleared the field. It reports false if
// a program may hold what they refer to.
func (m *memory[K, V]) forget() bool {
	m.gone = true
	if m.typ.Refs && len(m.cells.list) > 0 {
		return false
	}
	m.cells = cells[K, V]{}
	return true
}
