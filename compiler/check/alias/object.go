package alias

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/ir"
)

// objectKind says how a piece of memory is known.
type objectKind uint8

const (
	site    objectKind = iota // made by an instruction
	fresh                     // from outside (a request, an unknown function); its contents are made on demand
	view                      // of the state, loaded by an instruction
	service                   // a service's struct
	foreign                   // another object under the name it has after a service call
	closure                   // a function value
	global                    // a package variable
)

// object is an abstract piece of memory.
type object struct {
	id    int
	kind  objectKind
	slots []types.Type // what it holds
	keys  int          // how many slots are a map's key
	held  []set        // what the slots refer to
	ctx   *context     // where it was made, loaded or received
	at    ssa.Instruction

	backing set // of the result of append: what it may share its memory with

	region  *region // of a view
	parent  *object // of a view: the object it was loaded from
	place   []string
	mention mention
	free    bool // of a view: it has left the state since

	service *ir.Service // of a service

	base *object // of a foreign object

	fn    *ssa.Function // of a closure
	binds [][]set

	typ  types.Type // of an interface's content, or of the references to a fresh object
	deep []*object  // of a fresh object: what lies deep within it, one a type
}

// top returns the object from outside that o lies within.
func (o *object) top() *object {
	for o.parent != nil {
		o = o.parent
	}
	return o
}

// mention says how a root of the state (a persistent map or slice as a whole) was loaded.
type mention uint8

const (
	direct  mention = iota // to be indexed, changed or measured at once: the state itself
	copied                 // as a value: a copy in the compiled program
	ranging                // as the operand of a range statement
)

func (a *analysis) newObject(kind objectKind, slots []types.Type) *object {
	o := &object{id: len(a.objects), kind: kind, slots: slots, held: make([]set, len(slots))}
	a.objects = append(a.objects, o)
	return o
}

func (a *analysis) obj(r ref) *object { return a.objects[r.obj()] }

// siteKey names an object that an instruction makes.
type siteKey struct {
	ctx  *context
	at   any // the instruction, or what else makes it
	from int // the object it is made from, or the slot of the result
	slot int
	kind objectKind
}

// made returns the object that at makes in c.
func (a *analysis) made(c *context, at any, kind objectKind, from, slot int, slots []types.Type) *object {
	key := siteKey{c, at, from, slot, kind}
	o := a.sites[key]
	if o == nil {
		o = a.newObject(kind, slots)
		o.ctx = c
		o.at, _ = at.(ssa.Instruction)
		a.sites[key] = o
	}
	return o
}

// freshFor returns the object for a reference of type t that comes from outside, or nil.
func (a *analysis) freshFor(c *context, at any, from, slot int, t types.Type) *object {
	if !isRef(t) {
		return nil
	}
	slots, keys := a.layouts.content(t)
	o := a.made(c, at, fresh, from, slot, slots)
	o.keys, o.typ = keys, t
	return o
}

// unfold makes what slot i of a fresh object refers to. A recursive type
// refers back to the object where it began.
func (a *analysis) unfold(o *object, i int) {
	if !isRef(o.slots[i]) || len(o.held[i]) > 0 {
		return
	}
	for up := o; up != nil; up = up.parent {
		if types.Identical(up.typ, o.slots[i]) {
			o.held[i].add(newRef(up, 0))
			return
		}
	}
	depth := 0
	for up := o; up.parent != nil; up = up.parent {
		depth++
	}
	at, from, slot := any(o.at), o.id, i
	if depth > maxDepth { // one object for each type
		at, from, slot = o.top(), 0, 0
		for _, other := range o.top().deep {
			if types.Identical(other.typ, o.slots[i]) {
				o.held[i].add(newRef(other, 0))
				return
			}
		}
		slot = len(o.top().deep)
	}
	in := a.freshFor(o.ctx, at, from, slot, o.slots[i])
	in.parent, in.at = o, o.at
	if depth > maxDepth {
		in.parent = o.top()
		o.top().deep = append(o.top().deep, in)
	}
	o.held[i].add(newRef(in, 0))
}

// nearer returns o under its name after a service call: received by the method c,
// or returned to c by the call at.
func (a *analysis) nearer(c *context, at any, o *object) *object {
	f := a.made(c, at, foreign, o.id, 0, o.slots)
	f.base, f.keys, f.typ = o, o.keys, o.typ
	return f
}

// maxDepth bounds the references that are followed into the state, or into
// what comes from outside, with their ways told apart.
const maxDepth = 4

// somewhere returns the view of a region that stands for all its views deep down.
func (a *analysis) somewhere(r *region) *object {
	slots, keys := a.layouts.content(r.typ)
	v := a.made(nil, r, view, 0, 0, slots)
	v.keys, v.region, v.place, v.free = keys, r, []string{noKey}, false
	return v
}

// loadedView returns the view of slot i of parent that at loads in c.
func (a *analysis) loadedView(c *context, at ssa.Instruction, parent *object, i int, key string, how mention) *object {
	var r *region
	if parent.kind == service {
		r = a.fieldRegion(parent.service, i)
	} else {
		r = a.within(parent.region, i)
	}
	if r == nil {
		return nil
	}
	depth := 0
	for up := parent; up != nil && up.kind == view; up = up.parent {
		if depth++; up.region == r && up.ctx == c && up.at == at {
			return up
		}
	}
	if depth > maxDepth {
		parent, key = a.somewhere(r.parent), noKey
	}
	place := parent.place[:len(parent.place):len(parent.place)]
	if parent.kind == view {
		place = append(place, entryKey(parent.region, key)...)
	} else if key != "" {
		place = append(place, key)
	}
	slots, keys := a.layouts.content(r.typ)
	o := a.made(c, at, view, parent.id, i, slots)
	o.keys, o.region, o.parent, o.place, o.mention, o.free = keys, r, parent, place, how, parent.free
	return o
}
