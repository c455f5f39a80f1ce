package alias

import (
	"fmt"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/diag"
)

// checkHeld refuses a change of memory that a value held across it still sees:
// a value of another service, which has a copy in the compiled program, or a
// copy of a whole field in the same one.
func (k *checker) checkHeld(e *event) {
	o := e.obj
	own := e.at.ctx.service == e.service()
	if own && !(inState(o) && o.region.root()) {
		return
	}
	if inState(o) && !k.holders.here(e.at.ctx.root, o.region) {
		return
	}
	match, why := k.holderOf(e, own)
	seen := map[point]bool{}
	var climb func(p point) bool
	climb = func(p point) bool {
		if seen[p] {
			return false
		}
		seen[p] = true
		if use := k.heldAcross(p.ctx, p.at, search{match: match, mode: anyUse}); use != nil && !(e.at == p && use == p.at) {
			k.reportHeld(e, p, use, why)
			return true
		}
		if e.kind == grow {
			if use := k.heldAcross(p.ctx, p.at, search{match: k.direct(e, own), mode: growing}); use != nil {
				k.reportHeld(e, p, use, why)
				return true
			}
		}
		if p.ctx == p.ctx.root {
			return false
		}
		for _, from := range p.ctx.callers {
			for _, m := range moments(from.call) {
				if climb(point{from.ctx, m}) {
					return true
				}
			}
		}
		return false
	}
	climb(e.at)
}

// holderOf returns what accepts the objects through which e is seen elsewhere. For an
// append these are slices of the memory that were appended to themselves.
func (k *checker) holderOf(e *event, own bool) (matcher, string) {
	direct := k.direct(e, own)
	if e.kind == change {
		return direct, "seen"
	}
	return func(o *object) bool {
		if direct(o) || inState(o) {
			return false
		}
		for _, b := range k.backings(o)[1:] {
			if direct(b) {
				return true
			}
		}
		return false
	}, "overwritten"
}

// direct accepts the objects that are the memory that e changes.
func (k *checker) direct(e *event, own bool) matcher {
	target := e.obj
	kept := k.keptIn(e.at.ctx.root)
	if !inState(target) {
		return func(o *object) bool { return o == target }
	}
	r := target.region
	if own {
		return func(o *object) bool {
			if o == target {
				return false
			}
			if inState(o) {
				return o.region == r && k.attached(o, e) && (o.mention == copied || o.mention == ranging && k.rangesApart(o, e))
			}
			return kept[o][r]
		}
	}
	return func(o *object) bool {
		if inState(o) {
			return holds(o.region, r)
		}
		return kept[o][r]
	}
}

// attached reports whether a value of a whole field, in the plain program, may
// still be the field's memory at e: the field was not given other memory since.
func (k *checker) attached(o *object, e *event) bool {
	if o.ctx != e.at.ctx || o.at == nil {
		return true
	}
	replaced := func(instr ssa.Instruction) bool {
		store, ok := instr.(*ssa.Store)
		return ok && k.isField(o.ctx, store.Addr, o.region) &&
			!k.sees(o.ctx, store.Val, func(in *object) bool { return in.kind == view && in.region == o.region })
	}
	return k.after(o.at, replaced).has(e.at.at)
}

// rangesApart reports whether a loop over a persistent slice may or may not see
// the change e, depending on capacity: it also appends to the slice.
func (k *checker) rangesApart(o *object, e *event) bool {
	if e.kind != change || isMap(o.region.typ) {
		return false
	}
	for _, g := range k.grows[o.region] {
		if g.at.ctx != o.ctx {
			if g.at.ctx.root == o.ctx.root && k.mayFollow(point{o.ctx, o.at}, g.at, nil) {
				return true
			}
			continue
		}
		if k.heldAcross(o.ctx, g.at.at, search{match: func(in *object) bool { return in == o }}) != nil {
			return true
		}
	}
	return false
}

// keptIn returns, for the objects of an endpoint, the regions they are stored in.
func (k *checker) keptIn(root *context) map[*object]map[*region]bool {
	if m := k.keptBy[root]; m != nil {
		return m
	}
	m := map[*object]map[*region]bool{}
	for _, e := range k.byRoot[root] {
		if e.kind == keep && !inState(e.obj) {
			if m[e.obj] == nil {
				m[e.obj] = map[*region]bool{}
			}
			m[e.obj][e.into] = true
		}
	}
	k.keptBy[root] = m
	return m
}

func (k *checker) reportHeld(e *event, p point, use ssa.Instruction, how string) {
	o := e.obj
	name := "it"
	if o.region != nil {
		name = o.region.name
	}
	related := []diag.Related{k.related(posOf(use), "%s here, after the change", how)}
	if e.at.at != e.origin.at.at {
		related = append(related, k.related(posOf(p.at), "the change happens in this call"))
	}
	what := "memory that a caller still uses"
	fix := "change " + aCopy(o) + ", or let the caller pass or keep one"
	switch {
	case e.at.ctx.service == e.service():
		what = fmt.Sprintf("%s, of which a copy is still used", name)
		fix = "take " + aCopy(o) + ", or use it before the change"
	case o.region != nil:
		what = fmt.Sprintf("%s, whose memory a caller got and still uses", name)
		fix = "return " + aCopy(o) + ", or change one and store it"
	}
	k.report(e, diag.Mutated, fix, fmt.Sprintf("%s %s; want it unchanged until then", e.verb(), what), related...)
}
