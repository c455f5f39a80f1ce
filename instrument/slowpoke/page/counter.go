package page

import (
	"sync/atomic"
	"unsafe"
)

// Kind is what a counter counts.
type Kind byte

// The kinds of counters.
const (
	Route Kind = 'r' // requests that came in
	Edge  Kind = 'e' // requests to another service
	Mark  Kind = 'p' // progress points
)

// others is the name of the counter that is left when there are no more.
const others = "(others)"

// slot is a counter in the page.
type slot struct {
	length atomic.Uint32 // of the name, plus 1; set when the slot is whole
	kind   Kind
	name   [nameSize - 5]byte
	shards [shards]shard
}

// shard is a part of a counter in a cache line of its own.
type shard struct {
	n atomic.Int64
	_ [shardSize - 8]byte
}

// Counter counts events of one name.
type Counter struct {
	shards *[shards]shard
	id     uint64 // its slot, plus 1
}

// Counter makes a counter. When there are too many, the last one counts for all
// further names.
func (p *Page) Counter(kind Kind, name string) *Counter {
	for {
		n := p.head.slots.Load()
		if n == maxSlots {
			return p.counter(maxSlots - 1)
		}
		if !p.head.slots.CompareAndSwap(n, n+1) {
			continue // another process of the service was faster
		}
		if n == maxSlots-1 {
			name = others
		}
		s := p.slot(int(n))
		s.kind = kind
		s.length.Store(uint32(copy(s.name[:], name) + 1))
		return p.counter(int(n))
	}
}

func (p *Page) counter(slot int) *Counter { return &Counter{&p.slot(slot).shards, uint64(slot) + 1} }

// find returns the id of a counter that has counted something, 0 if there is none.
func (p *Page) find(kind Kind, name string) uint64 {
	for i := range min(p.head.slots.Load(), maxSlots) {
		s := p.slot(int(i))
		if text, ok := s.text(); ok && s.kind == kind && text == name && p.counter(int(i)).Value() > 0 {
			return i + 1
		}
	}
	return 0
}

// text returns the name; ok is false while the slot is being made.
func (s *slot) text() (name string, ok bool) {
	length := int(s.length.Load()) - 1
	if length < 0 || length > len(s.name) {
		return "", false
	}
	return string(s.name[:length]), true
}

func (p *Page) slot(i int) *slot {
	return (*slot)(unsafe.Pointer(&p.mem[headerSize+i*slotSize]))
}

// Add counts one.
func (c *Counter) Add() { c.shard().n.Add(1) }

// Undo takes one back.
func (c *Counter) Undo() { c.shard().n.Add(-1) }

// shard returns one of the shards. Goroutines on different stacks mostly use
// different ones.
func (c *Counter) shard() *shard {
	var here byte
	return &c.shards[uintptr(unsafe.Pointer(&here))>>12%shards]
}

// Value returns the count.
func (c *Counter) Value() int64 {
	sum := int64(0)
	for i := range c.shards {
		sum += c.shards[i].n.Load()
	}
	return sum
}

// Count is a counter's name and value.
type Count struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Counts returns all counters.
func (p *Page) Counts() []Count {
	var counts []Count
	for i := range min(p.head.slots.Load(), maxSlots) {
		s := p.slot(int(i))
		name, ok := s.text()
		if !ok {
			continue // being made
		}
		counts = append(counts, Count{string(s.kind), name, p.counter(int(i)).Value()})
	}
	return counts
}
