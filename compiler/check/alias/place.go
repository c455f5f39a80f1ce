package alias

import (
	"go/token"
	"regexp"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// stale reports whether the value that e stores under a key may have been
// loaded under an earlier value of that key: both are described alike, but a
// loop has gone round in between.
func (k *checker) stale(e *event) bool {
	v := e.obj
	if v.at == nil || v.ctx != e.at.ctx {
		return false
	}
	for _, key := range e.spot {
		for _, def := range k.definitions(key) {
			if def.Parent() == v.ctx.fn && k.carried(e, def) {
				return true
			}
		}
	}
	return false
}

// fromSameAddress reports whether what e stores was loaded from the very address
// it is stored to, wherever that is: p.x = append(p.x, y).
func (k *checker) fromSameAddress(e *event) bool {
	c := e.at.ctx
	if def, ok := container(e.at.at).(ssa.Instruction); ok && k.carried(e, def) {
		return false
	}
	is := func(o *object) bool { return o == e.obj }
	for _, b := range c.fn.Blocks {
		for _, instr := range b.Instrs {
			load, ok := instr.(ssa.Value)
			if ok && k.sameAddress(c, instr, e.at.at) && k.points(c, load, is) {
				return true
			}
		}
	}
	return false
}

// container returns the pointer, slice or map that an instruction stores into.
func container(store ssa.Instruction) ssa.Value {
	var addr ssa.Value
	switch store := store.(type) {
	case *ssa.Store:
		addr = store.Addr
	case *ssa.MapUpdate:
		return store.Map
	}
	for {
		switch v := addr.(type) {
		case *ssa.FieldAddr:
			addr = v.X
		case *ssa.IndexAddr:
			addr = v.X
		default:
			return addr
		}
	}
}

// sameAddress reports whether an instruction loads from where another one stores.
func (a *analysis) sameAddress(c *context, load, store ssa.Instruction) bool {
	switch store := store.(type) {
	case *ssa.Store:
		l, ok := load.(*ssa.UnOp)
		return ok && l.Op == token.MUL && a.equalAddress(c, l.X, store.Addr)
	case *ssa.MapUpdate:
		l, ok := load.(*ssa.Lookup)
		return ok && l.X == store.Map && a.key(c, l.Index) == a.key(c, store.Key)
	}
	return false
}

func (a *analysis) equalAddress(c *context, x, y ssa.Value) bool {
	if x == y {
		return true
	}
	switch x := x.(type) {
	case *ssa.FieldAddr:
		y, ok := y.(*ssa.FieldAddr)
		return ok && x.Field == y.Field && a.equalAddress(c, x.X, y.X)
	case *ssa.IndexAddr:
		y, ok := y.(*ssa.IndexAddr)
		return ok && x.X == y.X && a.key(c, x.Index) == a.key(c, y.Index)
	}
	return false
}

var keyName = regexp.MustCompile(`[A-Za-z0-9_.:]+@\d+`)

// definitions returns the instructions whose values a key is made of.
func (k *checker) definitions(key string) []ssa.Instruction {
	var out []ssa.Instruction
	for _, name := range keyName.FindAllString(key, -1) {
		if def := k.defs[name]; def != nil {
			out = append(out, def)
		}
	}
	return out
}

// carried reports whether a variable may carry the view that e stores past def.
func (k *checker) carried(e *event, def ssa.Instruction) bool {
	c := e.at.ctx
	if !k.after(def, nil).has(def) {
		return false // in no loop
	}
	is := func(o *object) bool { return o == e.obj }
	for _, b := range c.fn.Blocks {
		for _, instr := range b.Instrs {
			switch instr := instr.(type) {
			case *ssa.Phi:
				if instr != def && k.sees(c, instr, is) && k.after(instr, nil).has(def) && k.after(def, nil).has(instr) && !k.sameLoopMerge(def, instr) {
					return true
				}
			case *ssa.UnOp:
				if k.carriedLocal(c, e, def, instr) {
					return true
				}
			}
		}
	}
	return false
}

// sameLoopMerge reports whether phi only joins ways within one iteration: it
// lies behind def, and no edge of it comes from before def in the next one.
func (a *analysis) sameLoopMerge(def ssa.Instruction, phi *ssa.Phi) bool {
	return def.Block().Dominates(phi.Block()) && def.Block() != phi.Block() || def.Block() == phi.Block() && a.position(def) < a.position(phi)
}

func (k *checker) carriedLocal(c *context, e *event, def ssa.Instruction, load *ssa.UnOp) bool {
	l := k.locals(c.fn)
	for _, s := range l.loads[load] {
		from := c.vals[s.store.Val]
		if s.from >= len(from) || !k.leadsTo(from[s.from:s.from+1], func(o *object) bool { return o == e.obj }, true) {
			continue
		}
		overwritten := func(instr ssa.Instruction) bool { return l.overwrites(instr, load, s.slot) }
		if k.after(s.store, overwritten).has(def) && k.after(def, overwritten).has(load) {
			return true
		}
	}
	return false
}

// leavesPlace reports whether v leaves the place it was loaded from on every
// way to or from an instruction of c.
func (a *analysis) leavesPlace(c *context, at ssa.Instruction, v *object) bool {
	var exits []ssa.Instruction
	for _, b := range c.fn.Blocks {
		for _, instr := range b.Instrs {
			if a.empties(c, instr, v) {
				if a.precedes(instr, at) {
					return true
				}
				exits = append(exits, instr)
			}
		}
	}
	if len(exits) == 0 {
		return false
	}
	exit := func(instr ssa.Instruction) bool { return slices.Contains(exits, instr) }
	for instr := range a.after(at, exit).all() {
		if _, ok := instr.(*ssa.Return); ok {
			return false
		}
	}
	_, returns := at.(*ssa.Return)
	return !returns
}

// released reports whether every return of v from an endpoint comes after v has
// left its place: it then is the caller's alone.
func (a *analysis) released(m *context, v *object) bool {
	if a.coarse {
		return false
	}
	for _, b := range m.fn.Blocks {
		ret, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return)
		if !ok {
			continue
		}
		for _, val := range ret.Results {
			if a.sees(m, val, func(o *object) bool { return o == v }) && !a.leavesPlace(m, ret, v) {
				return false
			}
		}
	}
	return true
}

// empties reports whether instr takes v, or what holds it, out of the state:
// deletes its entry, or stores something else there.
func (a *analysis) empties(c *context, instr ssa.Instruction, v *object) bool {
	switch instr := instr.(type) {
	case *ssa.MapUpdate:
		return a.inEntry(c, instr.Map, instr.Key, v) && a.drops(c, instr.Value, v)
	case *ssa.Call:
		b, ok := instr.Call.Value.(*ssa.Builtin)
		return ok && b.Name() == "delete" && a.inEntry(c, instr.Call.Args[0], instr.Call.Args[1], v)
	case *ssa.Store:
		return a.overwrites(c, instr, v) && a.drops(c, instr.Val, v)
	}
	return false
}

// overwrites reports whether a store goes to the field or slice element that v
// was loaded from, or that holds it.
func (a *analysis) overwrites(c *context, store *ssa.Store, v *object) bool {
	width := len(a.layouts.slots(store.Val.Type()))
	key := a.addressKey(c, store.Addr)
	for _, ref := range flatten(a.get(c, store.Addr)) {
		o := a.obj(ref)
		for r := v.region; r != nil; r = r.parent {
			var slot int
			var place []string
			switch {
			case o.kind == service && r.parent == nil && o.service == r.service:
				slot = a.fieldSlotOf(r)
				if key != "" {
					place = []string{key}
				}
			case o.kind == view && r.parent == o.region && o.region.indexed():
				slot = a.slotWithin(o.region, r)
				place = append(o.place[:len(o.place):len(o.place)], entryKey(o.region, key)...)
			default:
				continue
			}
			inside := ref.slot() <= slot && slot < ref.slot()+width
			if inside && len(place) <= len(v.place) && samePlace(v.place[:len(place)], place) {
				return true
			}
		}
	}
	return false
}

// fieldSlotOf returns the slot of its service's struct that leads to a field's region.
func (a *analysis) fieldSlotOf(r *region) int {
	for key, other := range a.regions {
		if other == r {
			return key.slot
		}
	}
	return -1
}

// slotWithin returns the slot of outer's content that leads to inner.
func (a *analysis) slotWithin(outer, inner *region) int {
	for i, r := range outer.inner {
		if r == inner {
			return i
		}
	}
	return -1
}

// inEntry reports whether v was loaded from the entry of a persistent map under a key, or from within it.
func (a *analysis) inEntry(c *context, m, key ssa.Value, v *object) bool {
	for _, ref := range flatten(a.get(c, m)) {
		o := a.obj(ref)
		if o.kind != view {
			continue
		}
		place := append(o.place[:len(o.place):len(o.place)], a.key(c, key))
		if holds(o.region, v.region) && len(place) <= len(v.place) && samePlace(v.place[:len(place)], place) {
			return true
		}
	}
	return false
}

// drops reports whether val, stored over what held v, no longer holds it: it is
// other memory, or the slice without the first or last element, which v was in.
func (a *analysis) drops(c *context, val ssa.Value, v *object) bool {
	var kept *object
	for o := range a.reach(c.vals[val]) {
		if o == v || o.kind == view && o.holds(v) {
			kept = o
		}
	}
	if kept == nil {
		return true
	}
	s, ok := val.(*ssa.Slice)
	if !ok || kept == v || len(kept.place) >= len(v.place) {
		return false
	}
	key := v.place[len(kept.place)]
	first := s.Low != nil && a.key(c, s.Low) == "const 1:int" && key == "const 0:int"
	last := s.High != nil && a.key(c, s.High) == key && key != noKey
	return first || last
}

// holds reports whether a view may be of the memory that v was loaded from, or of v's.
func (o *object) holds(v *object) bool {
	if !holds(o.region, v.region) || len(o.place) > len(v.place) {
		return false
	}
	if slices.Contains(o.place, noKey) || slices.Contains(v.place, noKey) {
		return true
	}
	return samePlace(o.place, v.place[:len(o.place)])
}

// holds reports whether r is inner, or holds it.
func holds(r, inner *region) bool {
	for ; inner != nil; inner = inner.parent {
		if inner == r {
			return true
		}
	}
	return false
}
