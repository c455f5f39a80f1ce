package state

import "github.com/onefold/onefold/runtime/atomic"

// Value is a persistent field of any type but map and slice, in one transaction.
type Value[T any] struct {
	field *ValueField[T]
	tx    *atomic.Tx
	live  *valueMemory[T]
}

// valueMemory is the live memory of a single value: one cell.
type valueMemory[T any] struct {
	memory[struct{}, T]
}

func (v *Value[T]) cell() *cell[struct{}, T] {
	if v.live == nil {
		v.live = v.field.memory(v.tx)
	}
	if m := v.live; len(m.cells.list) == 0 {
		return m.add(struct{}{}, m.keys.root)
	}
	return v.live.cells.list[0]
}

func (f *ValueField[T]) memory(tx *atomic.Tx) *valueMemory[T] {
	if live := tx.Tracked(f); live != nil {
		return live.(*valueMemory[T])
	}
	live := &valueMemory[T]{memory[struct{}, T]{tx: tx, field: &f.field, keys: f.in(tx), typ: &f.typ}}
	tx.Track(f, live)
	return live
}

// Adopt takes over the memory of the value in a branch.
func (m *valueMemory[T]) Adopt(child atomic.Tracked) bool {
	return m.adopt(&child.(*valueMemory[T]).memory)
}

// Get returns the value.
func (v *Value[T]) Get() T { return v.cell().get() }

// Load returns the value, as Get does.
func (v *Value[T]) Load() T { return v.cell().get() }

// Set sets the value.
func (v *Value[T]) Set(x T) { v.cell().set(x) }

// Assign sets the value, as Set does.
func (v *Value[T]) Assign(x T) { v.cell().set(x) }

// Ref returns the address of the value, to be used at once.
func (v *Value[T]) Ref() *T { return v.cell().ref() }

// Add adds n to the value, an integer. Where the value is not loaded it is not
// read, so that additions do not conflict.
func (v *Value[T]) Add(n T) { v.cell().add(n) }
