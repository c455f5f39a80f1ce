package storable

import (
	"go/token"
	"go/types"
)

// Form is how values of a type are stored.
type Form uint8

// The forms.
const (
	Structure Form = iota // by what they consist of
	Time                  // time.Time
	Binary                // MarshalBinary and UnmarshalBinary
	Gob                   // GobEncode and GobDecode
	Text                  // MarshalText and UnmarshalText
)

// FormOf returns how values of type t are stored. Types of the user's own packages
// are stored by their structure; so are others, unless they are structs that
// marshal themselves. Methods promoted from an embedded field do not count: they
// know nothing of the other fields.
func FormOf(t types.Type, own func(*types.Package) bool) Form {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return Structure
	}
	if isNamed(named, "time", "Time") {
		return Time
	}
	if _, ok := named.Underlying().(*types.Struct); !ok || own != nil && own(named.Obj().Pkg()) {
		return Structure
	}
	switch {
	case declares(named, marshalBinary) && declares(named, unmarshalBinary):
		return Binary
	case declares(named, gobEncode) && declares(named, gobDecode):
		return Gob
	case declares(named, marshalText) && declares(named, unmarshalText):
		return Text
	}
	return Structure
}

func isNamed(t types.Type, pkg, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == pkg && named.Obj().Name() == name
}

// The methods that make types marshal themselves.
var (
	bytesType = types.NewSlice(types.Typ[types.Byte])
	errorType = types.Universe.Lookup("error").Type()

	marshalBinary   = method("MarshalBinary", nil, bytesType, errorType)
	unmarshalBinary = method("UnmarshalBinary", bytesType, errorType)
	gobEncode       = method("GobEncode", nil, bytesType, errorType)
	gobDecode       = method("GobDecode", bytesType, errorType)
	marshalText     = method("MarshalText", nil, bytesType, errorType)
	unmarshalText   = method("UnmarshalText", bytesType, errorType)
	marshalJSON     = method("MarshalJSON", nil, bytesType, errorType)
	unmarshalJSON   = method("UnmarshalJSON", bytesType, errorType)
	isZero          = method("IsZero", nil, types.Typ[types.Bool])
)

// method is a method with at most one parameter.
func method(name string, param types.Type, results ...types.Type) *types.Func {
	tuple := func(ts ...types.Type) *types.Tuple {
		var vars []*types.Var
		for _, t := range ts {
			if t != nil {
				vars = append(vars, types.NewParam(token.NoPos, nil, "", t))
			}
		}
		return types.NewTuple(vars...)
	}
	return types.NewFunc(token.NoPos, nil, name, types.NewSignatureType(nil, nil, nil, tuple(param), tuple(results...), false))
}

// lookup returns the method of a pointer to t that is want.
func lookup(t types.Type, want *types.Func) *types.Selection {
	sel := types.NewMethodSet(types.NewPointer(t)).Lookup(nil, want.Name())
	if sel == nil || !types.Identical(sel.Type(), want.Type()) {
		return nil
	}
	return sel
}

// declares reports whether t itself, not a field in it, has the method.
func declares(t types.Type, want *types.Func) bool {
	sel := lookup(t, want)
	return sel != nil && len(sel.Index()) == 1
}

func has(t types.Type, want *types.Func) bool { return lookup(t, want) != nil }

// valueHas reports whether t has the method without its address being taken.
func valueHas(t types.Type, want *types.Func) bool {
	sel := types.NewMethodSet(t).Lookup(nil, want.Name())
	return sel != nil && types.Identical(sel.Type(), want.Type())
}

// HasIsZero reports whether values of type t have a method IsZero() bool.
func HasIsZero(t types.Type) bool {
	if _, ok := types.Unalias(t).(*types.Pointer); ok {
		return valueHas(t, isZero)
	}
	return has(t, isZero)
}

// Refs reports whether a copy of a value of type t may be changed through the
// original: whether it holds slices, maps or pointers.
func (c Checker) Refs(t types.Type) bool {
	return c.holds(t, map[types.Type]bool{}, isRef, true)
}

// Objects reports whether values of type t refer to objects that a codec can
// show: slices, maps or pointers outside of types that marshal themselves.
func (c Checker) Objects(t types.Type) bool {
	return c.holds(t, map[types.Type]bool{}, isRef, false)
}

func isRef(u types.Type) bool {
	switch u.(type) {
	case *types.Slice, *types.Map, *types.Pointer:
		return true
	}
	return false
}

// Pointers reports whether values of type t hold pointers, not counting what is
// inside of types that marshal themselves.
func (c Checker) Pointers(t types.Type) bool {
	return c.holds(t, map[types.Type]bool{}, func(u types.Type) bool {
		_, ok := u.(*types.Pointer)
		return ok
	}, false)
}

// holds reports whether a part of t is what is sought, or marshals itself if
// that counts. A time.Time never does: it cannot be changed through another.
func (c Checker) holds(t types.Type, seen map[types.Type]bool, sought func(types.Type) bool, marshaled bool) bool {
	t = types.Unalias(t)
	if seen[t] {
		return false
	}
	seen[t] = true
	switch FormOf(t, c.Own) {
	case Time:
		return false
	case Binary, Gob, Text:
		return marshaled
	}
	u := t.Underlying()
	if sought(u) {
		return true
	}
	switch u := u.(type) {
	case *types.Slice:
		return c.holds(u.Elem(), seen, sought, marshaled)
	case *types.Array:
		return c.holds(u.Elem(), seen, sought, marshaled)
	case *types.Pointer:
		return c.holds(u.Elem(), seen, sought, marshaled)
	case *types.Map:
		return c.holds(u.Elem(), seen, sought, marshaled)
	case *types.Struct:
		for f := range u.Fields() {
			if f.Name() != "_" && c.holds(f.Type(), seen, sought, marshaled) {
				return true
			}
		}
	}
	return false
}

// mentioned returns the packages of the types that the type arguments of t
// mention.
func mentioned(t *types.Named) map[*types.Package]bool {
	pkgs := map[*types.Package]bool{}
	var visit func(types.Type)
	visit = func(t types.Type) {
		switch t := types.Unalias(t).(type) {
		case *types.Named:
			if pkg := t.Obj().Pkg(); pkg != nil {
				pkgs[pkg] = true
			}
			for arg := range t.TypeArgs().Types() {
				visit(arg)
			}
		case *types.Slice:
			visit(t.Elem())
		case *types.Array:
			visit(t.Elem())
		case *types.Pointer:
			visit(t.Elem())
		case *types.Map:
			visit(t.Key())
			visit(t.Elem())
		case *types.Struct:
			for f := range t.Fields() {
				visit(f.Type())
			}
		}
	}
	for arg := range t.TypeArgs().Types() {
		visit(arg)
	}
	return pkgs
}
