package state

import (
	"bytes"
	"fmt"

	"github.com/onefold/onefold/onefoldtest/snapshot"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// cell is the live value of one place: an entry, an element, a single value.
type cell[K comparable, V any] struct {
	mem *memory[K, V]
	at  K      // which entry or element
	key []byte // where it is stored

	live   V            // what the program sees; the zero value where it does not exist
	origin codec.Origin // what the store holds, for types with references
	raw    []byte       // what the store holds, for other types once watched

	stored  presence // in the Tx's store, what was flushed included
	exists  bool     // the program sees a value
	unread  bool     // live is not loaded: all that is known is delta
	dirty   bool     // to be written or cleared whatever it holds
	watched bool     // may have been changed in place
	adding  bool     // delta is to be added to what is stored
	delta   int64

	wrote    bool               // something was written since the Tx began
	pristine *snapshot.Snapshot // live as it was loaded, if that was in a savepoint
	first    codec.Origin       // origin as it was then
}

// presence says whether the store has a value.
type presence uint8

const (
	unknown presence = iota // nobody looked
	absent
	present
)

// read loads the cell if it was not.
func (c *cell[K, V]) read() {
	if !c.unread {
		return
	}
	m := c.mem
	c.flush()
	raw, ok := m.tx.Get(c.key)
	c.fill(raw, ok)
}

// fill makes the cell hold a stored value.
func (c *cell[K, V]) fill(raw []byte, ok bool) {
	m := c.mem
	c.unread, c.exists, c.stored = false, ok, absent
	if !ok {
		return
	}
	c.stored = present
	origin, err := m.typ.Load(raw, &c.live)
	if err != nil {
		m.field.damaged(m.tx, c.Place(), err)
	}
	c.origin, c.raw = origin, raw
	if m.typ.Refs && len(m.marks) > 0 {
		c.pristine, c.first = snapshot.Take(&c.live), origin
	}
}

// get returns the value as a program gets it, to look at or to change in place.
func (c *cell[K, V]) get() V {
	c.read()
	c.watched = c.watched || c.mem.typ.Refs
	return c.live
}

// ref returns the value's address, to be changed through it. The value exists from then on.
func (c *cell[K, V]) ref() *V {
	c.read()
	c.watched = true
	c.dirty = c.dirty || !c.exists
	c.exists = true
	return &c.live
}

// set gives the cell a value without reading the old one.
func (c *cell[K, V]) set(v V) {
	c.live = v
	c.unread, c.adding, c.delta = false, false, 0
	c.exists, c.dirty = true, true
	c.watched = c.mem.typ.Refs
}

// add adds n, without reading where nothing was read.
func (c *cell[K, V]) add(n V) {
	typ := c.mem.typ
	if typ.Int == nil {
		panic(fmt.Sprintf("state: %s is not an integer to add to", c.mem.field))
	}
	delta := typ.Int(&n)
	if c.unread {
		c.adding, c.delta = true, c.delta+delta
		return
	}
	typ.SetInt(&c.live, typ.Int(&c.live)+delta)
	c.exists, c.dirty = true, true
}

// remove makes the cell hold nothing, without reading it.
func (c *cell[K, V]) remove() {
	var zero V
	c.dirty = c.stored != absent
	c.vanish()
	c.live = zero
}

// vanish makes the cell hold nothing, except that its memory stays.
func (c *cell[K, V]) vanish() {
	c.exists, c.unread, c.watched = false, false, false
	c.adding, c.delta = false, 0
}

// flush writes to the Tx what changed.
func (c *cell[K, V]) flush() {
	switch {
	case c.adding:
		c.mem.tx.Add(c.key, c.delta)
		c.adding, c.delta, c.wrote, c.stored = false, 0, true, present
	case c.unread:
	case !c.exists:
		if c.dirty {
			c.mem.tx.Clear(c.key)
			c.wrote, c.mem.moved = true, true
		}
		c.dirty, c.stored = false, absent
	case c.dirty || c.watched:
		c.write()
	}
}

// write stores the live value, if it is to be stored or is not what is stored.
func (c *cell[K, V]) write() {
	m := c.mem
	buf := m.buf[:0]
	if m.typ.Refs {
		buf = make([]byte, 0, len(c.origin.Base)+32) // kept, to compare with
	}
	enc, err := m.typ.Save(buf, &c.live, c.origin.Unknown)
	if err != nil {
		m.tx.Fail(fmt.Errorf("%s cannot be stored: %w", c.Place(), err))
	}
	stored := c.raw
	if m.typ.Refs {
		stored = c.origin.Base
	}
	if c.dirty || !bytes.Equal(enc, stored) {
		m.tx.Set(c.key, enc)
		c.wrote, m.moved = true, true
	}
	c.dirty, c.stored = false, present
	if m.typ.Refs {
		c.origin.Base = enc
		return
	}
	if c.watched {
		c.raw, m.buf = enc, nil
	} else {
		c.raw, m.buf = nil, enc // what was loaded is not what is stored any more
	}
}

// Place returns the name of the place, as in "Hotel.rooms[a]".
func (c *cell[K, V]) Place() string {
	if _, single := any(c.at).(struct{}); single {
		return c.mem.field.String()
	}
	return fmt.Sprintf("%s[%v]", c.mem.field, c.at)
}

// Objects shows visit what the live value refers to.
func (c *cell[K, V]) Objects(visit func(atomic.Object) bool) {
	c.mem.typ.Objects(&c.live, func(o codec.Object) bool {
		return visit(atomic.Object{Addr: o.Addr, Size: o.Size, Pointee: o.Kind == codec.Pointee})
	})
}
