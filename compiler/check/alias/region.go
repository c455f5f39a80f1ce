package alias

import (
	"go/types"

	"github.com/onefold/onefold/compiler/ir"
)

// region is the memory of one component of a field, in all entries: the rooms of
// a hotel, the guests of these rooms.
type region struct {
	service *ir.Service
	field   *ir.Field
	typ     types.Type // of the references to it
	parent  *region    // nil for what the field itself refers to
	name    string     // as Hotel.rooms[…].Guests
	inner   map[int]*region
	depths  []*region // of a field's: the regions deep down, one a type
	short   bool      // it may hold slices that end before their memory does
}

// maxRegions bounds the regions within each other that are told apart by their way.
const maxRegions = 6

// top returns the region of the field's own references.
func (r *region) top() *region {
	for r.parent != nil {
		r = r.parent
	}
	return r
}

// deep returns the region for references of a type deep down, or nil.
func (r *region) deep(typ types.Type) *region {
	for _, in := range r.depths {
		if types.Identical(in.typ, typ) {
			return in
		}
	}
	return nil
}

// root reports whether the region is a persistent map or slice as a whole,
// which the compiled program keeps in pieces.
func (r *region) root() bool {
	return r.parent == nil && (r.field.Kind == ir.Map || r.field.Kind == ir.Slice)
}

// indexed reports whether the region's references are maps or slices.
func (r *region) indexed() bool { return isMap(r.typ) || isSlice(r.typ) }

// pointer reports whether the region's references are pointers.
func (r *region) pointer() bool {
	_, ok := r.typ.Underlying().(*types.Pointer)
	return ok
}

// entryKey returns the key under which a piece of a region is loaded or stored:
// none where the region is a single object that is not indexed.
func entryKey(r *region, key string) []string {
	if r.indexed() && key == "" {
		key = noKey
	}
	if key != "" {
		return []string{key}
	}
	return nil
}

// within returns the region that slot i of a piece of the region refers to.
// A recursive type folds into the region where it began.
func (a *analysis) within(r *region, i int) *region {
	if in := r.inner[i]; in != nil {
		return in
	}
	slots, keys := a.layouts.content(r.typ)
	typ := slots[i]
	in := (*region)(nil)
	depth := 0
	for up := r; up != nil; up = up.parent {
		if depth++; types.Identical(up.typ, typ) {
			in = up
		}
	}
	if depth > maxRegions && in == nil {
		in = r.top().deep(typ)
	}
	if in == nil {
		name := r.name
		if r.indexed() {
			name += "[…]"
		}
		name += a.slotName(elemType(r.typ), i-keys)
		in = &region{service: r.service, field: r.field, typ: typ, parent: r, name: name, inner: map[int]*region{}}
		if depth > maxRegions {
			in.parent = r.top()
			r.top().depths = append(r.top().depths, in)
		}
	}
	r.inner[i] = in
	return in
}

// fieldRegion returns the region that slot i of a service's struct refers to.
func (a *analysis) fieldRegion(s *ir.Service, i int) *region {
	key := fieldSlot{s, i}
	if r := a.regions[key]; r != nil {
		return r
	}
	f := a.fieldAt(s, i)
	if f == nil {
		return nil
	}
	typ := a.layouts.slots(s.Obj.Type())[i]
	name := s.Name + a.slotName(s.Obj.Type(), i)
	r := &region{service: s, field: f, typ: typ, name: name, inner: map[int]*region{}}
	a.regions[key] = r
	return r
}

type fieldSlot struct {
	service *ir.Service
	slot    int
}

// fieldAt returns the field that slot i of a service's struct belongs to.
func (a *analysis) fieldAt(s *ir.Service, i int) *ir.Field {
	st, ok := s.Obj.Type().Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	for j := range st.NumFields() {
		n := len(a.layouts.slots(st.Field(j).Type()))
		if i < n {
			return a.fields[st.Field(j)]
		}
		i -= n
	}
	return nil
}

// elemType returns what a reference type refers to; of a map the element.
func elemType(t types.Type) types.Type {
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return u.Elem()
	case *types.Slice:
		return u.Elem()
	case *types.Map:
		return u.Elem()
	case *types.Chan:
		return u.Elem()
	}
	return t
}

// slotName returns the selectors that lead to slot i of a t, as .Address.Lines.
func (a *analysis) slotName(t types.Type, i int) string {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			n := len(a.layouts.slots(f.Type()))
			if i < n {
				return "." + f.Name() + a.slotName(f.Type(), i)
			}
			i -= n
		}
	case *types.Array:
		if i >= 0 {
			return "[…]" + a.slotName(u.Elem(), i)
		}
	}
	return ""
}
