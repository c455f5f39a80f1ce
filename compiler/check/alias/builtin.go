package alias

import (
	"golang.org/x/tools/go/ssa"
)

// allKeys is the key of elements that are copied together, each to its own place.
const allKeys = "*"

// builtin evaluates a call of a predeclared function.
func (a *analysis) builtin(c *context, call ssa.CallInstruction, b *ssa.Builtin) {
	args := call.Common().Args
	switch b.Name() {
	case "append":
		if v := call.Value(); v != nil && len(args) > 0 {
			var more set
			if len(args) > 1 {
				more = flatten(a.get(c, args[1]))
			}
			a.put(c, v, []set{a.appended(c, call, flatten(a.get(c, args[0])), more)})
		}
	case "copy":
		if len(args) == 2 && len(a.get(c, args[1])) > 0 && isRef(args[1].Type()) {
			n := len(a.layouts.slots(elemType(args[0].Type())))
			if !holdsRefs(a.layouts.slots(elemType(args[0].Type()))) {
				return
			}
			a.copyElems(c, call, flatten(a.get(c, args[0])), flatten(a.get(c, args[1])), n)
		}
	case "min", "max", "ssa:wrapnilchk":
		if v := call.Value(); v != nil && len(args) > 0 {
			a.put(c, v, a.get(c, args[0]))
		}
	}
}

// appended returns the result of append: new memory that may be the operand's.
func (a *analysis) appended(c *context, call ssa.CallInstruction, to, more set) set {
	slots, _ := a.layouts.content(call.Value().Type())
	o := a.made(c, call, site, 0, 0, slots)
	if len(to) > maxAppends { // one object for them all
		o = a.made(c, typeKey(call.Value().Type().String()), site, 0, 0, slots)
	}
	for _, r := range to {
		if a.obj(r) == o {
			continue
		}
		if r&clipped == 0 && o.backing.add(r) {
			a.changed = true
		}
		if holdsRefs(slots) {
			a.flow(o.held, a.load(c, call, r, len(slots), allKeys))
		}
	}
	if !holdsRefs(slots) {
		return set{newRef(o, 0)}
	}
	for _, r := range more {
		loaded := a.load(c, call, r, len(slots), allKeys)
		a.flow(o.held, loaded)
		if len(flatten(loaded)) == 0 {
			continue
		}
		for _, b := range to {
			if k := a.obj(b).kind; k == site || k == fresh || k == foreign {
				a.store(b, loaded)
			}
		}
	}
	return set{newRef(o, 0)}
}

// maxAppends bounds the slices that an append may have as its operand and
// still have a result of its own.
const maxAppends = 24

// typeKey names what a context makes by type alone.
type typeKey string

// copyElems copies elements of n slots from the memory of from into that of to.
func (a *analysis) copyElems(c *context, at ssa.Instruction, to, from set, n int) {
	for _, src := range from {
		for _, dst := range to {
			a.store(dst, a.load(c, at, src, n, allKeys))
		}
	}
}
