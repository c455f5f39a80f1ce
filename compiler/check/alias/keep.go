package alias

import "golang.org/x/tools/go/ssa"

// instrKeeps records what an instruction stores in the state.
func (a *analysis) instrKeeps(ev *events, p point) {
	c := p.ctx
	switch instr := p.at.(type) {
	case *ssa.Store:
		if !a.isTracked(c, base(instr.Addr)) {
			a.kept(ev, p, flatten(a.get(c, instr.Addr)), 0, a.get(c, instr.Val), a.addressKey(c, instr.Addr))
		}
	case *ssa.MapUpdate:
		to, key := flatten(a.get(c, instr.Map)), a.key(c, instr.Key)
		keys := a.get(c, instr.Key)
		a.kept(ev, p, to, 0, keys, key)
		a.kept(ev, p, to, len(keys), a.get(c, instr.Value), key)
	case ssa.CallInstruction:
		args := instr.Common().Args
		if !a.copies(instr) || len(args) < 2 {
			return
		}
		slots, _ := a.layouts.content(args[0].Type())
		if !holdsRefs(slots) {
			return
		}
		to := flatten(a.get(c, args[0]))
		for _, src := range flatten(a.get(c, args[1])) {
			a.kept(ev, p, to, 0, a.load(c, p.at, src, len(slots), allKeys), allKeys)
		}
	}
}

// copies reports whether a call copies its second argument's elements into the first.
func (a *analysis) copies(call ssa.CallInstruction) bool {
	common := call.Common()
	if b, ok := common.Value.(*ssa.Builtin); ok {
		return b.Name() == "copy"
	}
	fn := common.StaticCallee()
	return fn != nil && fn.Blocks == nil && effectOf(fn).copies
}

// kept records what enters the state where sets are stored n slots behind refs.
func (a *analysis) kept(ev *events, p point, refs set, n int, sets []set, key string) {
	for _, r := range refs {
		o := a.obj(r)
		if o.kind != view && o.kind != service {
			continue
		}
		for i, s := range sets {
			slot := r.slot() + n + i
			if slot >= len(o.slots) || !isRef(o.slots[slot]) {
				continue
			}
			var into *region
			var place []string
			if o.kind == service {
				into = a.fieldRegion(o.service, slot)
				if key != "" {
					place = []string{key}
				}
			} else {
				into = a.within(o.region, slot)
				place = append(o.place[:len(o.place):len(o.place)], entryKey(o.region, key)...)
			}
			if into == nil || !into.field.Kind.Persistent() {
				continue
			}
			e := event{kind: keep, at: p, pos: posOf(p.at), into: into, place: place, top: into, spot: place}
			for _, in := range s {
				a.keepObject(ev, e, a.obj(in), map[stored]bool{})
			}
		}
	}
}

// stored is an object in a component of the state.
type stored struct {
	obj  *object
	into *region
}

// keepObject records that o, with all it refers to, is stored as e says.
func (a *analysis) keepObject(ev *events, e event, o *object, seen map[stored]bool) {
	if seen[stored{o, e.into}] || o.kind == closure || o.kind == service {
		return
	}
	seen[stored{o, e.into}] = true
	e.obj, e.origin = o, nil
	kept := e
	ev.add(&kept)
	for _, b := range o.backing {
		if b&clipped == 0 {
			longer := e
			longer.appended = true
			a.keepObject(ev, longer, a.obj(b), seen)
		}
	}
	slots, _ := a.layouts.content(e.into.typ)
	if o.kind == view || len(slots) != len(o.slots) {
		return
	}
	inner := e
	inner.appended, inner.twice = false, false
	if e.into.indexed() {
		inner.place = append(e.place[:len(e.place):len(e.place)], allKeys)
	}
	for i, typ := range slots {
		if !isRef(typ) {
			continue
		}
		inner.into = a.within(e.into, i)
		for _, r := range a.peek(o, i) {
			inner.twice = e.into.indexed() && ev.insertions.twice(o, a.obj(r))
			a.keepObject(ev, inner, a.obj(r), seen)
		}
	}
}
