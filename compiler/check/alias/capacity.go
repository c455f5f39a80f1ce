package alias

import (
	"fmt"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/diag"
)

// A slice that was stored or that crossed a service call comes back with another
// capacity than in the plain program, so whether an append to it gets new memory
// or the old differs. The rules here refuse what could tell.

// anyCapacity reports whether o is memory whose slices have another capacity in
// the compiled program. Whole fields have rules of their own.
func anyCapacity(o *object) bool {
	switch o.kind {
	case view:
		return !o.region.root() && isSlice(o.region.typ)
	case foreign:
		return true
	case fresh:
		return o.at == nil // a parameter of an endpoint
	}
	return false
}

// sameMemory accepts the objects that are certainly the same memory as o.
func sameMemory(o *object) matcher {
	return func(other *object) bool {
		return other == o || o.kind == view && other.kind == view && o.region == other.region && samePlace(o.place, other.place)
	}
}

// checkCapacity refuses changes and appends after which it shows whether an
// append got new memory.
func (k *checker) checkCapacity(e *event) {
	o := e.obj
	if !anyCapacity(o) || inState(o) && o.region.service != e.service() {
		return
	}
	c, at := e.at.ctx, e.at.at
	same := sameMemory(o)
	if e.via != o {
		if e.kind == change {
			via := func(other *object) bool { return other == e.via }
			if use := k.heldAcross(c, at, search{match: same, mode: ownUse, except: via}); use != nil {
				k.reportCapacity(e, use)
			} else if inState(o) && !k.returned(e) {
				k.reportCapacity(e, nil)
			}
		}
		return
	}
	longer := func(other *object) bool {
		return !same(other) && other.at != at && !k.keptAs(e, other) && k.appendedTo(other, same)
	}
	if use := k.heldAcross(c, at, search{match: longer, mode: ownUse, except: same}); use != nil {
		k.reportCapacity(e, use)
	}
	if e.kind == grow {
		if use := k.heldAcross(c, at, search{match: same, mode: pointing}); use != nil {
			k.reportCapacity(e, use)
		}
	}
}

// appendedTo reports whether o is an append to memory that match accepts.
func (k *checker) appendedTo(o *object, match matcher) bool {
	for _, b := range k.backings(o)[1:] {
		if match(b) {
			return true
		}
	}
	return false
}

// keptAs reports whether o was stored in the place whose memory e changes, and so is that memory.
func (k *checker) keptAs(e *event, o *object) bool {
	return e.kind == change && inState(e.obj) && k.keptIn(e.at.ctx.root)[o][e.obj.region]
}

// returned reports whether every way from e stores the changed memory to the place it came from.
func (k *checker) returned(e *event) bool {
	back := map[ssa.Instruction]bool{}
	for _, f := range k.byRoot[e.at.ctx.root] {
		if f.kind == keep && f.origin == f && f.at.ctx == e.at.ctx && sameMemory(e.obj)(f.obj) && k.returns(f) {
			back[f.at.at] = true
		}
	}
	for instr := range k.after(e.at.at, func(instr ssa.Instruction) bool { return back[instr] }).all() {
		if _, ok := instr.(*ssa.Return); ok {
			return k.returnedByCaller(e)
		}
	}
	return true
}

// returnedByCaller reports whether e happens in a helper whose callers store the memory back.
func (k *checker) returnedByCaller(e *event) bool {
	c := e.at.ctx
	if c == c.root {
		return false
	}
	for _, from := range c.callers {
		for _, m := range moments(from.call) {
			above := *e
			above.at = point{from.ctx, m}
			if from.ctx == c || !k.returned(&above) {
				return false
			}
		}
	}
	return true
}

// checkFork refuses a second append to memory whose first append is stored, as f says.
func (k *checker) checkFork(f *event) {
	if !f.appended || !anyCapacity(f.obj) {
		return
	}
	use := k.heldAcross(f.at.ctx, f.at.at, search{match: sameMemory(f.obj), mode: growing})
	if use == nil {
		return
	}
	for _, e := range k.byRoot[f.at.ctx.root] {
		if e.kind == grow && e.origin == e && e.at == (point{f.at.ctx, use}) {
			k.reportCapacity(e, f.at.at)
			return
		}
	}
}

func (k *checker) reportCapacity(e *event, use ssa.Instruction) {
	name := "memory"
	if inState(e.obj) {
		name = e.obj.region.name
	}
	var related []diag.Related
	if use != nil {
		related = append(related, k.related(posOf(use), "it shows here"))
	}
	k.report(e, diag.Mutated, "append to a copy (slices.Clone), or store the result back",
		fmt.Sprintf("%s %s that an append may or may not share, depending on capacity, which is not stored; want a copy", e.verb(), name), related...)
}

// checkCap refuses cap of a slice that was stored or sent.
func (k *checker) checkCap(p point) {
	call, ok := p.at.(*ssa.Call)
	if !ok {
		return
	}
	if b, ok := call.Call.Value.(*ssa.Builtin); !ok || b.Name() != "cap" {
		return
	}
	for _, r := range flatten(k.get(p.ctx, call.Call.Args[0])) {
		for _, o := range k.backings(k.obj(r)) {
			if !anyCapacity(o) && !isCopy(o) {
				continue
			}
			what := "that crossed a call: capacity is not sent"
			if o.kind == view {
				what = fmt.Sprintf("of %s: capacity is not stored", o.region.name)
			}
			e := &event{at: p, obj: o, pos: posOf(call)}
			e.origin = e
			k.report(e, diag.Mutated, "use the length, or a slice made here", fmt.Sprintf("cap of memory %s; want no use of it", what))
			return
		}
	}
}
