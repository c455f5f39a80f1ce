package alias

import (
	"cmp"
	"fmt"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/diag"
)

// checkKept applies the rules about memory made in an endpoint that is stored in the state.
func (k *checker) checkKept(root *context) {
	keeps := map[*object][]*event{}
	var objs []*object
	for _, e := range k.byRoot[root] {
		if e.kind == keep && !inState(e.obj) {
			if keeps[e.obj] == nil {
				objs = append(objs, e.obj)
			}
			keeps[e.obj] = append(keeps[e.obj], e)
		}
	}
	slices.SortFunc(objs, func(x, y *object) int { return cmp.Compare(x.id, y.id) })
	for _, o := range objs {
		var later []*event
		for _, e := range k.byRoot[root] {
			if e.kind != keep && e.obj == o && !root.setup {
				later = append(later, e)
			}
		}
		for _, e := range keeps[o] {
			for _, m := range later {
				k.checkAfter(e, m)
			}
		}
		k.checkTwice(o, keeps[o], later)
		k.checkGlobal(o, keeps[o])
	}
}

// checkAfter refuses a change m of memory after it was stored as e says, where
// the compiled program has stored a copy.
func (k *checker) checkAfter(e, m *event) {
	elsewhere := e.into.service != m.service()
	if !elsewhere && !(e.into.root() && e.origin == e && m.origin == m) {
		return
	}
	if e.at == m.at && e.origin != e && m.origin != m || !k.mayFollow(e.at, m.at, e.obj) {
		return
	}
	if m.kind == grow && len(k.grows[e.into]) == 0 && len(k.changes[e.into]) == 0 {
		return
	}
	k.report(m, diag.Mutated, "change it before, or store or pass "+aCopy(e.obj),
		fmt.Sprintf("%s memory that was stored in %s, which took a copy; want it unchanged from then on", m.verb(), e.into.name),
		k.related(e.origin.pos, "it is stored in %s here", e.into.name))
}

// checkTwice refuses memory that is stored in two places and changed in place.
func (k *checker) checkTwice(o *object, keeps, later []*event) {
	for i, e := range keeps {
		for j, f := range keeps {
			if i == j && !k.repeats(e) || i != j && !k.apart(e, f) {
				continue
			}
			if (e.at != f.at || i == j) && !k.mayFollow(e.at, f.at, o) {
				continue
			}
			k.checkShare(e.into, f.into, f, e)
			for _, m := range later {
				if m.kind == change && k.mayFollow(e.at, m.at, o) && k.mayFollow(f.at, m.at, o) {
					k.reportShared(m, e.into, f.into, f)
				}
			}
		}
	}
}

// apart reports whether two events store the memory in two places.
func (k *checker) apart(e, f *event) bool {
	if e.into != f.into {
		return true
	}
	if e.origin == f.origin {
		return false
	}
	return !samePlace(e.place, f.place) && !e.covers(f.into, f.place) && !f.covers(e.into, e.place)
}

// covers reports whether e writes the whole of what a place lies in.
func (e *event) covers(r *region, place []string) bool {
	return holds(e.top, r) && len(e.spot) <= len(place) && samePlace(place[:len(e.spot)], e.spot)
}

// repeats reports whether e, run again, stores the memory in another place.
func (k *checker) repeats(e *event) bool {
	for _, key := range e.place {
		if constOrNone(key) == noKey {
			return true
		}
	}
	return false
}

// checkGlobal refuses a package variable's memory in the state where it is changed there.
func (k *checker) checkGlobal(o *object, keeps []*event) {
	top := o
	for top.parent != nil && top.kind == fresh {
		top = top.parent
	}
	if top.kind != global {
		return
	}
	v, ok := k.globalOf(top)
	for _, e := range keeps {
		if e.at.ctx.setup && ok && k.loadsOf(v) < 2 {
			continue
		}
		k.checkShare(e.into, e.into, e, nil)
		if len(k.changes[e.into]) > 0 {
			k.reportShared(k.changes[e.into][0], e.into, e.into, e)
		}
	}
}

func (k *checker) globalOf(o *object) (*ssa.Global, bool) {
	for key, other := range k.sites {
		if other == o {
			g, ok := key.at.(*ssa.Global)
			return g, ok
		}
	}
	return nil, false
}

// loadsOf counts the loads of a package variable in all functions.
func (k *checker) loadsOf(g *ssa.Global) int {
	n := 0
	seen := map[*ssa.Function]bool{}
	for _, c := range k.contexts {
		if seen[c.fn] {
			continue
		}
		seen[c.fn] = true
		for _, b := range c.fn.Blocks {
			for _, instr := range b.Instrs {
				for _, op := range instr.Operands(nil) {
					if *op == ssa.Value(g) {
						n++
					}
				}
			}
		}
	}
	return n
}

// checkMove refuses memory of the state that is stored in a second place as
// well, where either place's memory is changed.
func (k *checker) checkMove(e *event) {
	v := e.obj
	if !inState(v) || !v.region.field.Kind.Persistent() || k.returns(e) || k.leavesPlace(e.at.ctx, e.at.at, v) {
		return
	}
	k.checkShare(v.region, e.into, e, nil)
}

// returns reports whether e stores a value into the place that it was loaded from.
func (k *checker) returns(e *event) bool {
	return e.covers(e.obj.region, e.obj.place) && !k.stale(e) || k.fromSameAddress(e)
}

// checkShare refuses e, which makes memory of the regions x and y the same,
// where it is changed through one of them, and pointers in any case.
func (k *checker) checkShare(x, y *region, e, other *event) {
	if x.pointer() {
		if x != y {
			related := []diag.Related{}
			if other != nil {
				related = append(related, k.related(other.origin.pos, "it is stored in %s here", x.name))
			}
			k.report(e, diag.Shared, "store the key of the object, or a copy of the object, in one of the two",
				fmt.Sprintf("an object behind a pointer is kept in both %s and %s; want one place", x.name, y.name), related...)
		}
		return
	}
	seen := map[[2]*region]bool{}
	var visit func(x, y *region)
	visit = func(x, y *region) {
		if seen[[2]*region{x, y}] {
			return
		}
		seen[[2]*region{x, y}] = true
		for _, m := range slices.Concat(k.changes[x], k.changes[y]) {
			k.reportShared(m, x, y, e)
		}
		switch {
		case e.appended && x == e.obj.region && len(k.grows[x]) > 0:
			k.reportShared(k.grows[x][0], x, y, e)
		case len(k.grows[x]) > 0 && len(k.grows[y]) > 0:
			k.reportShared(k.grows[y][0], x, y, e)
		}
		slots, _ := k.layouts.content(x.typ)
		others, _ := k.layouts.content(y.typ)
		for i := range slots {
			if len(slots) == len(others) && isRef(slots[i]) && isRef(others[i]) && !isPointer(slots[i]) {
				visit(k.within(x, i), k.within(y, i))
			}
		}
	}
	visit(x, y)
}

func (k *checker) reportShared(m *event, x, y *region, e *event) {
	both := fmt.Sprintf("%s and %s", x.name, y.name)
	if x == y {
		both = "two places of " + x.name
	}
	k.report(m, diag.Mutated, "store "+aCopy(e.obj),
		fmt.Sprintf("%s memory that may be kept in %s; want a copy in one of them", m.verb(), both),
		k.related(e.origin.pos, "the memory comes to be in both here"))
}
