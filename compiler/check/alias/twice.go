package alias

import "golang.org/x/tools/go/ssa"

// insertions knows where memory was put into slices, maps and arrays that are not
// in the state yet.
type insertions struct {
	*analysis
	into    map[*object]map[*object][]insertion // by container and what was put in
	sources map[*object]map[*object]bool        // containers whose elements were appended
}

// insertion is one instruction that puts something into a container.
type insertion struct {
	at  point
	key string
}

func (a *analysis) findInsertions() *insertions {
	ins := &insertions{a, map[*object]map[*object][]insertion{}, map[*object]map[*object]bool{}}
	for _, c := range a.contexts {
		for _, b := range c.fn.Blocks {
			for _, instr := range b.Instrs {
				ins.instr(point{c, instr})
			}
		}
	}
	return ins
}

func (ins *insertions) instr(p point) {
	c := p.ctx
	switch instr := p.at.(type) {
	case *ssa.Store:
		if ia, ok := instr.Addr.(*ssa.IndexAddr); ok && holdsRefs(ins.layouts.slots(instr.Val.Type())) {
			ins.put(p, ins.get(c, ia.X), ins.get(c, instr.Val), ins.key(c, ia.Index))
		}
	case *ssa.MapUpdate:
		if holdsRefs(ins.layouts.slots(instr.Value.Type())) {
			ins.put(p, ins.get(c, instr.Map), ins.get(c, instr.Value), ins.key(c, instr.Key))
		}
	case *ssa.Call:
		if b, ok := instr.Call.Value.(*ssa.Builtin); ok && b.Name() == "append" && len(instr.Call.Args) == 2 {
			if elems, _ := ins.layouts.content(instr.Type()); holdsRefs(elems) {
				ins.appended(p, ins.get(c, instr), ins.get(c, instr.Call.Args[1]))
			}
		}
	}
}

// put records that values were put into containers.
func (ins *insertions) put(p point, containers, values []set, key string) {
	for _, r := range flatten(containers) {
		box := ins.obj(r)
		if inState(box) || box.kind == service {
			continue
		}
		for _, v := range flatten(values) {
			o := ins.obj(v)
			if ins.into[box] == nil {
				ins.into[box] = map[*object][]insertion{}
			}
			ins.into[box][o] = append(ins.into[box][o], insertion{p, key})
		}
	}
}

// appended records an append of the elements of more; what grows, grows with it.
func (ins *insertions) appended(p point, result, more []set) {
	for _, m := range flatten(more) {
		from := ins.obj(m)
		for _, r := range flatten(result) {
			box := ins.obj(r)
			if ins.sources[box] == nil {
				ins.sources[box] = map[*object]bool{}
			}
			ins.sources[box][from] = true
		}
		for i, typ := range from.slots {
			if isRef(typ) {
				ins.put(p, result, []set{ins.peek(from, i)}, noKey)
			}
		}
	}
}

// twice reports whether o, once made, may be in a container, or in what was
// appended to it, more than once.
func (ins *insertions) twice(box, o *object) bool {
	seen := map[*object]bool{}
	var visit func(box *object) bool
	visit = func(box *object) bool {
		if seen[box] {
			return false
		}
		seen[box] = true
		if ins.again(ins.into[box][o], o) {
			return true
		}
		for from := range ins.sources[box] {
			if visit(from) {
				return true
			}
		}
		for _, b := range box.backing {
			if visit(ins.obj(b)) {
				return true
			}
		}
		return false
	}
	return visit(box)
}

// again reports whether two of the insertions of o may both happen to it, under two keys.
func (ins *insertions) again(list []insertion, o *object) bool {
	for i, p := range list {
		for j, q := range list {
			sameKey := p.key == q.key && p.key != noKey
			if i == j && (constOrNone(p.key) != noKey || !ins.mayFollow(p.at, p.at, o)) {
				continue
			}
			if i != j && (sameKey || p.at == q.at || !ins.mayFollow(p.at, q.at, o)) {
				continue
			}
			return true
		}
	}
	return false
}
