package alias

import (
	"slices"

	"golang.org/x/tools/go/ssa"
)

// load returns what n slots from where r points refer to, as loaded by at in c
// under the given key ("" where the memory is not indexed, or the key unknown).
func (a *analysis) load(c *context, at ssa.Instruction, r ref, n int, key string) []set {
	out := make([]set, n)
	o := a.obj(r)
	a.work += n
	for i := range n {
		slot := r.slot() + i
		if slot >= len(o.slots) || !isRef(o.slots[slot]) {
			continue
		}
		switch o.kind {
		case service:
			a.loadField(c, at, o, slot, key, &out[i])
		case view:
			if v := a.loadedView(c, at, o, slot, key, direct); v != nil {
				out[i].add(newRef(v, 0) | v.region.flag())
			}
		case foreign:
			base := a.load(o.ctx, at, newRef(o.base, slot), 1, key)[0]
			for _, in := range base {
				out[i].add(a.rename(o.ctx, o.at, in, same))
			}
		default:
			if o.kind == fresh || o.kind == global {
				a.unfold(o, slot)
			}
			out[i].addAll(o.held[slot])
		}
	}
	return out
}

func (r *region) flag() ref {
	if r.short {
		return short
	}
	return 0
}

// loadField adds what a field of a service refers to: a service for a
// dependency, a view otherwise.
func (a *analysis) loadField(c *context, at ssa.Instruction, o *object, slot int, key string, out *set) {
	if dep := a.serviceOf(o.slots[slot]); dep != nil {
		out.add(newRef(a.structs[dep], 0))
		return
	}
	how := direct
	if a.isRoot(o, slot) {
		how = a.occurrence(at)
	}
	if v := a.loadedView(c, at, o, slot, key, how); v != nil {
		out.add(newRef(v, 0) | v.region.flag())
	}
}

func (a *analysis) isRoot(o *object, slot int) bool {
	r := a.fieldRegion(o.service, slot)
	return r != nil && r.root()
}

// occurrence tells how the field that at loads is used where it is written.
func (a *analysis) occurrence(at ssa.Instruction) mention {
	load, ok := at.(*ssa.UnOp)
	if !ok {
		return direct
	}
	if fa, ok := load.X.(*ssa.FieldAddr); ok {
		return a.occurrences[fa.Pos()]
	}
	return direct
}

// store writes sets to where r points, and to what that memory may be shared
// with by append. What enters the state is not kept: it is loaded as a view again,
// and event.go records that it was stored.
func (a *analysis) store(r ref, sets []set) {
	a.storeInto(r, sets)
	if len(a.obj(r).backing) == 0 || !slices.ContainsFunc(sets, func(s set) bool { return len(s) > 0 }) {
		return
	}
	for _, b := range a.backings(a.obj(r))[1:] {
		if !inState(b) {
			a.storeInto(newRef(b, r.slot()), sets)
		}
	}
}

func (a *analysis) storeInto(r ref, sets []set) {
	o := a.obj(r)
	for i, s := range sets {
		slot := r.slot() + i
		if slot >= len(o.slots) || !isRef(o.slots[slot]) {
			continue
		}
		switch o.kind {
		case service:
			a.shorten(a.fieldRegion(o.service, slot), s)
		case view:
			a.shorten(a.within(o.region, slot), s)
		case foreign:
			var inner set
			for _, in := range s {
				inner.add(a.unname(o, in))
			}
			a.storeInto(newRef(o.base, slot), []set{inner})
		default:
			if o.held[slot].addAll(s) {
				a.changed = true
			}
		}
	}
}

// shorten notes that a region may hold shortened slices.
func (a *analysis) shorten(r *region, s set) {
	if r == nil || r.short {
		return
	}
	for _, in := range s {
		if in&short != 0 {
			r.short, a.changed = true, true
		}
	}
}

// rename gives what r refers to its name on the other side of a service call:
// at is nil for an argument of the endpoint c, the call for a result received by c.
// What it may share its memory with in the state is named by views.
func (a *analysis) rename(c *context, at ssa.Instruction, r ref, views func(ref) ref) ref {
	o := a.obj(r)
	switch o.kind {
	case site, fresh, foreign:
		if o.kind == foreign && o.at == nil {
			if at == nil && o.ctx == c {
				return r
			}
			if call, ok := at.(ssa.CallInstruction); ok && slices.Contains(c.calls[call], o.ctx) {
				return newRef(o.base, r.slot()) | r&flags // an argument that comes back
			}
		}
		if n := depth(o); n >= maxNames || n > 0 && (a.cyclic || a.coarse) {
			return r
		}
		f := a.nearer(c, boundary(at), o)
		if a.naming[f] {
			return newRef(f, r.slot()) | r&flags // appended to each other
		}
		a.naming[f] = true
		defer delete(a.naming, f)
		for _, b := range o.backing {
			if f.backing.add(views(a.rename(c, at, b, views))) {
				a.changed = true
			}
		}
		return newRef(f, r.slot()) | r&flags
	}
	return r
}

// same names views as they are: what is said of their keys then is not
// known to hold on the other side.
func same(r ref) ref { return r }

// maxNames bounds the service calls through which memory is told apart by its
// way; beyond it, and where services call each other in a circle, it keeps its name.
const maxNames = 4

func depth(o *object) int {
	n := 0
	for ; o.kind == foreign; o = o.base {
		n++
	}
	return n
}

// boundary returns the key under which at renames: a nil instruction must
// compare equal to itself as an any.
func boundary(at ssa.Instruction) any {
	if at == nil {
		return nil
	}
	return at
}

// unname undoes rename for what is stored into a renamed object.
func (a *analysis) unname(in *object, r ref) ref {
	o := a.obj(r)
	if o.kind == foreign && o.ctx == in.ctx && o.at == in.at {
		return newRef(o.base, r.slot()) | r&flags
	}
	return r
}

// backings returns o and everything it may share its memory with by append.
func (a *analysis) backings(o *object) []*object {
	if len(o.backing) == 0 {
		return []*object{o}
	}
	if out := a.backingOf[o]; out != nil {
		return out
	}
	seen := map[*object]bool{o: true}
	out := []*object{o}
	for i := 0; i < len(out); i++ {
		for _, b := range out[i].backing {
			if p := a.obj(b); !seen[p] {
				seen[p] = true
				out = append(out, p)
			}
		}
	}
	if a.solved {
		a.backingOf[o] = out
	}
	return out
}

// reach returns every object that sets lead to, through memory of any depth
// short of the state.
func (a *analysis) reach(sets []set) map[*object]bool { return a.reachBy(sets, true) }

// reachBy is reach, with or without what memory may be shared with by append.
func (a *analysis) reachBy(sets []set, backing bool) map[*object]bool {
	seen := map[*object]bool{}
	var visit func(r ref)
	visit = func(r ref) {
		o := a.obj(r)
		if seen[o] {
			return
		}
		seen[o] = true
		a.work += 10 // it makes a list
		var refs set
		if backing {
			refs = slices.Clone(o.backing)
		}
		for i := range o.slots {
			refs = append(refs, a.peek(o, i)...)
		}
		for _, b := range o.binds {
			refs = append(refs, flatten(b)...)
		}
		for _, r := range refs {
			visit(r)
		}
	}
	for _, r := range flatten(sets) {
		visit(r)
	}
	return seen
}

// peek returns what slot i of o is known to refer to, making no new views.
func (a *analysis) peek(o *object, i int) set {
	if o.kind != foreign {
		return o.held[i]
	}
	var out set
	for _, in := range a.peek(o.base, i) {
		out.add(a.rename(o.ctx, o.at, in, same))
	}
	return out
}
