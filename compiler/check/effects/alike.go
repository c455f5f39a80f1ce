package effects

import "go/types"

// alike reports whether memory of type a may be memory of type b under another
// name: a type parameter may stand for any type, a generic type for each of its
// instances, and types that differ in their names only convert to one another.
//
//	func (s *Stack[T]) Push(v T)       // *Stack[T] may be the *Stack[int] of a field
//	sort.Sort(byName(room.Guests))     // byName may be the []Guest of a field
func alike(a, b types.Type) bool {
	return (&comparison{}).alike(a, b)
}

// comparison is a comparison of two types, which may be recursive.
type comparison struct{ under [][2]types.Type }

func (c *comparison) alike(a, b types.Type) bool {
	a, b = types.Unalias(a), types.Unalias(b)
	if a == b || isParameter(a) || isParameter(b) || types.Identical(a, b) {
		return true
	}
	if n, ok := a.(*types.Named); ok {
		if m, ok := b.(*types.Named); ok && n.Origin() == m.Origin() {
			return true
		}
	}
	for _, pair := range c.under {
		if pair == [2]types.Type{a, b} {
			return true
		}
	}
	c.under = append(c.under, [2]types.Type{a, b})
	return c.underlying(a.Underlying(), b.Underlying())
}

func (c *comparison) underlying(a, b types.Type) bool {
	switch a := a.(type) {
	case *types.Pointer:
		b, ok := b.(*types.Pointer)
		return ok && c.alike(a.Elem(), b.Elem())
	case *types.Slice:
		b, ok := b.(*types.Slice)
		return ok && c.alike(a.Elem(), b.Elem())
	case *types.Array:
		b, ok := b.(*types.Array)
		return ok && a.Len() == b.Len() && c.alike(a.Elem(), b.Elem())
	case *types.Map:
		b, ok := b.(*types.Map)
		return ok && c.alike(a.Key(), b.Key()) && c.alike(a.Elem(), b.Elem())
	case *types.Struct:
		b, ok := b.(*types.Struct)
		return ok && c.fields(a, b)
	}
	return types.Identical(a, b)
}

func (c *comparison) fields(a, b *types.Struct) bool {
	if a.NumFields() != b.NumFields() {
		return false
	}
	for i := range a.NumFields() {
		f, g := a.Field(i), b.Field(i)
		if f.Name() != g.Name() || !c.alike(f.Type(), g.Type()) {
			return false
		}
	}
	return true
}

func isParameter(t types.Type) bool {
	_, ok := t.(*types.TypeParam)
	return ok
}

// core returns what t is underneath; for a type parameter, what the types that
// it may stand for are underneath, as far as they agree in kind.
func core(t types.Type) types.Type {
	param, ok := types.Unalias(t).(*types.TypeParam)
	if !ok {
		return t.Underlying()
	}
	constraint := param.Underlying().(*types.Interface)
	for e := range constraint.EmbeddedTypes() {
		switch e := types.Unalias(e).(type) {
		case *types.Union:
			return core(e.Term(0).Type())
		default:
			if !types.IsInterface(e) {
				return e.Underlying()
			}
		}
	}
	return constraint
}
