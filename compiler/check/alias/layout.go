package alias

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"
)

// layouts gives each type its slots: one a scalar or reference in it, in order,
// with structs spread out and an array's elements sharing the slots of one.
type layouts struct {
	own   map[*types.Package]bool // the program's packages
	cache typeutil.Map            // types.Type → []types.Type
}

// slots returns the types of t's slots.
func (l *layouts) slots(t types.Type) []types.Type {
	if slots, ok := l.cache.At(t).([]types.Type); ok {
		return slots
	}
	var slots []types.Type
	switch u := t.Underlying().(type) {
	case *types.Struct:
		if l.opaque(t, u) {
			slots = []types.Type{t}
			break
		}
		for f := range u.Fields() {
			slots = append(slots, l.slots(f.Type())...)
		}
	case *types.Array:
		slots = l.slots(u.Elem())
	case *types.Tuple:
		for v := range u.Variables() {
			slots = append(slots, l.slots(v.Type())...)
		}
	default:
		slots = []types.Type{t}
	}
	l.cache.Set(t, slots)
	return slots
}

// opaque reports whether t is a struct of a library that shows none of its
// fields, as time.Time: a copy of it is independent of the original.
func (l *layouts) opaque(t types.Type, u *types.Struct) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || l.own[named.Obj().Pkg()] || u.NumFields() == 0 {
		return false
	}
	for f := range u.Fields() {
		if f.Exported() {
			return false
		}
	}
	return true
}

// offset returns the first slot of a struct's or tuple's i-th part.
func (l *layouts) offset(t types.Type, i int) int {
	n := 0
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for j := range i {
			n += len(l.slots(u.Field(j).Type()))
		}
	case *types.Tuple:
		for j := range i {
			n += len(l.slots(u.At(j).Type()))
		}
	}
	return n
}

// content returns the slots of the memory that a reference of type t refers to,
// and how many of them are a map's key.
func (l *layouts) content(t types.Type) (slots []types.Type, keys int) {
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return l.slots(u.Elem()), 0
	case *types.Slice:
		return l.slots(u.Elem()), 0
	case *types.Chan:
		return l.slots(u.Elem()), 0
	case *types.Map:
		key := l.slots(u.Key())
		return append(key[:len(key):len(key)], l.slots(u.Elem())...), len(key)
	}
	return nil, 0
}

// isRef reports whether a slot of type t refers to memory that can change.
func isRef(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Chan, *types.Map, *types.Interface, *types.Signature:
		return true
	}
	return false
}

// holdsRefs reports whether any of the slots is a reference.
func holdsRefs(slots []types.Type) bool { return slices.ContainsFunc(slots, isRef) }

// deref returns what a pointer type points to, or t itself.
func deref(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}
