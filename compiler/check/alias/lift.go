package alias

import (
	"golang.org/x/tools/go/ssa"
)

// lift adds, for every event on memory that a caller knows, the event at the
// call, under the caller's name of the memory.
func (a *analysis) lift(ev *events) {
	h := newHolders(a, ev)
	ev.holders = h
	for i := 0; i < len(ev.all); i++ {
		e := ev.all[i]
		root := e.at.ctx.root
		if root.setup {
			continue
		}
		for _, from := range root.callers {
			o := a.nameAt(from, root, e.obj)
			if o == nil || e.kind != keep && o.kind == foreign && o.at == from.call || inState(o) && (e.kind == keep || !h.above(from.ctx.root, o.region)) {
				continue
			}
			for _, m := range moments(from.call) {
				lifted := *e
				lifted.at, lifted.obj, lifted.origin = point{from.ctx, m}, o, e.origin
				ev.add(&lifted)
			}
		}
	}
}

// nameAt returns the name that o, of the endpoint root, has where root was
// called from, or nil where it is not known there.
func (a *analysis) nameAt(from caller, root *context, o *object) *object {
	switch {
	case inState(o):
		return o
	case o.kind == foreign && o.at == nil && o.ctx == root:
		if a.passed(from)[o.base] {
			return o.base
		}
		return nil
	case o.kind == site || o.kind == fresh || o.kind == foreign:
		if a.passed(from)[o] {
			return o // it had names enough
		}
		return a.sites[siteKey{from.ctx, from.call, o.id, 0, foreign}]
	}
	return nil
}

// passed returns everything that the arguments of a call lead to.
func (a *analysis) passed(from caller) map[*object]bool {
	if p := a.passedAt[from]; p != nil {
		return p
	}
	var sets []set
	for _, arg := range from.call.Common().Args {
		sets = append(sets, a.get(from.ctx, arg)...)
	}
	p := a.reach(sets)
	a.passedAt[from] = p
	return p
}

// holders knows which endpoints have values that lead to memory of a region.
type holders struct {
	*analysis
	in    map[*context]map[*region]bool // by endpoint
	known map[holding]bool
	level map[*context]int // of an endpoint: the longest chain of calls that leads to it
	least map[*region]int  // the lowest level of an endpoint that leads to it
}

type holding struct {
	root   *context
	region *region
}

func newHolders(a *analysis, ev *events) *holders {
	h := &holders{
		analysis: a,
		in:       map[*context]map[*region]bool{},
		known:    map[holding]bool{},
		level:    map[*context]int{},
		least:    map[*region]int{},
	}
	values := map[*context]set{}
	for _, c := range a.contexts {
		all := values[c.root]
		for _, sets := range c.vals {
			all.addAll(flatten(sets))
		}
		values[c.root] = all
	}
	for _, root := range a.contexts {
		if root != root.root {
			continue
		}
		in := map[*region]bool{}
		for o := range a.reach([]set{values[root]}) {
			if inState(o) {
				in[o.region] = true
			}
		}
		h.in[root] = in
	}
	for _, e := range ev.all {
		if e.kind == keep {
			h.in[e.at.ctx.root][e.into] = true
		}
	}
	sent := a.sentRegions()
	for root, in := range h.in {
		for r := range in {
			if root.service == r.service && !sent[r] {
				continue // what it calls does not have it, and services do not call each other in a circle
			}
			if least, ok := h.least[r]; !ok || h.levelOf(root) < least {
				h.least[r] = h.levelOf(root)
			}
		}
	}
	return h
}

// sentRegions returns the regions whose memory was passed to other services.
func (a *analysis) sentRegions() map[*region]bool {
	sent := map[*region]bool{}
	var mark func(r *region)
	mark = func(r *region) {
		if !sent[r] {
			sent[r] = true
			for _, in := range r.inner {
				mark(in)
			}
		}
	}
	for _, o := range a.objects {
		switch {
		case o.kind == view && o.base != nil && o.at == nil:
			mark(o.region)
		case o.kind == foreign && o.at == nil:
			for in := range a.reach([]set{{newRef(o.base, 0)}}) {
				if in.kind == view {
					mark(in.region)
				}
			}
		}
	}
	return sent
}

func (h *holders) levelOf(root *context) int {
	if l, ok := h.level[root]; ok || h.cyclic {
		return l
	}
	h.level[root] = 0 // a method that calls itself
	l := 0
	for _, from := range root.callers {
		l = max(l, 1+h.levelOf(from.ctx.root))
	}
	h.level[root] = l
	return l
}

// reachable reports whether an endpoint of a level, or one above it, can lead to memory of r.
func (h *holders) reachable(level int, r *region) bool {
	for ; r != nil; r = r.parent {
		if least, ok := h.least[r]; ok && least <= level {
			return true
		}
	}
	return false
}

// here reports whether an endpoint's values lead to memory of r.
func (h *holders) here(root *context, r *region) bool {
	for ; r != nil; r = r.parent {
		if h.in[root][r] {
			return true
		}
	}
	return false
}

// above reports whether the values of an endpoint, or of one that calls it, lead to memory of r.
func (h *holders) above(root *context, r *region) bool {
	key := holding{root, r}
	if known, ok := h.known[key]; ok {
		return known
	}
	if h.cyclic {
		return true
	}
	if !h.reachable(h.levelOf(root), r) {
		return false
	}
	h.known[key] = false // a method that calls itself
	found := h.here(root, r)
	for _, from := range root.callers {
		found = found || h.above(from.ctx.root, r)
	}
	h.known[key] = found
	return found
}

// callAt returns the call that runs at a point.
func callAt(p point) ssa.CallInstruction {
	call, _ := p.at.(ssa.CallInstruction)
	return call
}
