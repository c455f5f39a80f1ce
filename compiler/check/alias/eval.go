package alias

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// solve computes what every value may refer to, by running all instructions of
// all contexts until nothing is new.
func (a *analysis) solve() {
	for a.changed = true; a.changed && !a.again; {
		a.changed = false
		for i := 0; i < len(a.contexts); i++ {
			c := a.contexts[i]
			if a.work > maxWork {
				a.again = true
				return
			}
			for _, b := range c.fn.Blocks {
				for _, instr := range b.Instrs {
					a.eval(c, instr)
				}
			}
		}
	}
	a.solved = true
}

// eval adds what instr contributes in c.
func (a *analysis) eval(c *context, instr ssa.Instruction) {
	switch instr := instr.(type) {
	case *ssa.Alloc:
		a.alloc(c, instr)
	case *ssa.MakeMap, *ssa.MakeSlice, *ssa.MakeChan:
		a.make(c, instr.(ssa.Value))
	case *ssa.MakeClosure:
		a.makeClosure(c, instr)
	case *ssa.MakeInterface:
		a.makeInterface(c, instr)
	case *ssa.Phi:
		for _, e := range instr.Edges {
			a.put(c, instr, a.get(c, e))
		}
	case *ssa.ChangeType:
		a.put(c, instr, a.get(c, instr.X))
	case *ssa.ChangeInterface:
		a.put(c, instr, a.get(c, instr.X))
	case *ssa.Convert:
		a.convert(c, instr, instr.X)
	case *ssa.MultiConvert:
		a.convert(c, instr, instr.X)
	case *ssa.SliceToArrayPointer:
		a.put(c, instr, a.get(c, instr.X))
	case *ssa.Slice:
		a.slice(c, instr)
	case *ssa.Field:
		off := a.layouts.offset(instr.X.Type(), instr.Field)
		a.put(c, instr, tail(a.get(c, instr.X), off))
	case *ssa.Extract:
		off := a.layouts.offset(instr.Tuple.Type(), instr.Index)
		a.put(c, instr, tail(a.get(c, instr.Tuple), off))
	case *ssa.Index:
		a.put(c, instr, a.get(c, instr.X))
	case *ssa.FieldAddr:
		off := a.layouts.offset(deref(instr.X.Type()), instr.Field)
		a.put(c, instr, []set{a.moved(a.get(c, instr.X), off)})
	case *ssa.IndexAddr:
		a.put(c, instr, a.get(c, instr.X))
	case *ssa.UnOp:
		a.unary(c, instr)
	case *ssa.TypeAssert:
		a.typeAssert(c, instr)
	case *ssa.Lookup:
		a.lookup(c, instr)
	case *ssa.Range:
		a.put(c, instr, a.get(c, instr.X))
	case *ssa.Next:
		a.next(c, instr)
	case *ssa.Store:
		a.storeAt(c, instr)
	case *ssa.MapUpdate:
		a.mapUpdate(c, instr)
	case *ssa.Send:
		a.storeEach(a.get(c, instr.Chan), 0, a.get(c, instr.X))
	case *ssa.Select:
		a.selectStmt(c, instr)
	case *ssa.Return:
		var results []set
		for _, r := range instr.Results {
			results = append(results, a.get(c, r)...)
		}
		a.flow(c.results, results)
	case ssa.CallInstruction:
		a.call(c, instr)
	}
}

// tail returns sets from the n-th on.
func tail(sets []set, n int) []set { return sets[min(n, len(sets)):] }

// moved returns the references of a pointer or slice, pointing n slots further.
func (a *analysis) moved(sets []set, n int) set {
	var out set
	for _, s := range sets {
		a.work += len(s)
		for _, r := range s {
			if r.slot()+n <= len(a.obj(r).slots) {
				out.add(r.moved(n))
			}
		}
	}
	return out
}

// refer makes v refer to o.
func (a *analysis) refer(c *context, v ssa.Value, o *object) {
	sets := a.get(c, v)
	if len(sets) > 0 && sets[0].add(newRef(o, 0)) {
		a.changed = true
	}
}

func (a *analysis) alloc(c *context, instr *ssa.Alloc) {
	typ := deref(instr.Type())
	if s := a.serviceOf(typ); s != nil && !isPointer(typ) {
		a.refer(c, instr, a.structs[s])
		return
	}
	a.refer(c, instr, a.made(c, instr, site, 0, 0, a.layouts.slots(typ)))
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

func (a *analysis) make(c *context, v ssa.Value) {
	slots, keys := a.layouts.content(v.Type())
	o := a.made(c, v, site, 0, 0, slots)
	o.keys = keys
	a.refer(c, v, o)
}

func (a *analysis) makeClosure(c *context, instr *ssa.MakeClosure) {
	o := a.made(c, instr, closure, 0, 0, nil)
	o.fn = instr.Fn.(*ssa.Function)
	if o.binds == nil {
		o.binds = make([][]set, len(instr.Bindings))
	}
	for i, b := range instr.Bindings {
		from := a.get(c, b)
		if o.binds[i] == nil {
			o.binds[i] = make([]set, len(from))
		}
		a.flow(o.binds[i], from)
	}
	a.refer(c, instr, o)
}

func (a *analysis) makeInterface(c *context, instr *ssa.MakeInterface) {
	typ := instr.X.Type()
	o := a.made(c, instr, site, 0, 0, a.layouts.slots(typ))
	o.typ = typ
	a.flow(o.held, a.get(c, instr.X))
	a.refer(c, instr, o)
}

// convert copies the references where the types agree; a string turned into a
// slice gets fresh memory.
func (a *analysis) convert(c *context, v, x ssa.Value) {
	slots := a.layouts.slots(v.Type())
	if len(slots) == 1 && isRef(slots[0]) && !isRef(x.Type()) {
		a.make(c, v)
		return
	}
	a.put(c, v, a.get(c, x))
}

// slice marks what ends before its memory, and what cannot grow in place.
func (a *analysis) slice(c *context, instr *ssa.Slice) {
	s := flatten(a.get(c, instr.X))
	switch {
	case instr.Max != nil && instr.High == instr.Max, instr.Max != nil && sameConst(instr.High, instr.Max):
		s = s.flagged(clipped)
	case instr.High != nil && !isLen(instr.High, instr.X):
		s = s.flagged(short)
	}
	a.put(c, instr, []set{s})
}

func sameConst(x, y ssa.Value) bool {
	cx, ok1 := x.(*ssa.Const)
	cy, ok2 := y.(*ssa.Const)
	if ok1 && ok2 {
		return cx.Value != nil && cy.Value != nil && cx.Int64() == cy.Int64()
	}
	bx, ok1 := x.(*ssa.Call)
	by, ok2 := y.(*ssa.Call)
	return ok1 && ok2 && lenOperand(bx) != nil && lenOperand(bx) == lenOperand(by)
}

// isLen reports whether v is len(x).
func isLen(v, x ssa.Value) bool {
	call, ok := v.(*ssa.Call)
	return ok && lenOperand(call) == x
}

func lenOperand(call *ssa.Call) ssa.Value {
	if b, ok := call.Call.Value.(*ssa.Builtin); ok && b.Name() == "len" {
		return call.Call.Args[0]
	}
	return nil
}

func (a *analysis) unary(c *context, instr *ssa.UnOp) {
	switch instr.Op {
	case token.MUL:
		if slots, ok := a.locals(c.fn).loads[instr]; ok {
			a.loadLocal(c, instr, slots)
			return
		}
		if !holdsRefs(a.layouts.slots(instr.Type())) {
			return
		}
		n := len(a.layouts.slots(instr.Type()))
		key := a.addressKey(c, instr.X)
		for _, r := range flatten(a.get(c, instr.X)) {
			a.put(c, instr, a.load(c, instr, r, n, key))
		}
	case token.ARROW:
		n := len(a.layouts.slots(elemType(instr.X.Type())))
		for _, r := range flatten(a.get(c, instr.X)) {
			a.put(c, instr, a.load(c, instr, r, n, ""))
		}
	}
}

// loadLocal adds what the stores that reach a load of a local variable leave there.
func (a *analysis) loadLocal(c *context, instr *ssa.UnOp, slots []localSlot) {
	into := a.get(c, instr)
	for _, s := range slots {
		if from := a.get(c, s.store.Val); s.from < len(from) && s.slot < len(into) {
			a.flow(into[s.slot:s.slot+1], from[s.from:s.from+1])
		}
	}
}

func (a *analysis) typeAssert(c *context, instr *ssa.TypeAssert) {
	x := flatten(a.get(c, instr.X))
	if types.IsInterface(instr.AssertedType) {
		a.put(c, instr, []set{x})
		return
	}
	for _, r := range x {
		o := a.obj(r)
		switch {
		case o.typ != nil && types.Identical(o.typ, instr.AssertedType):
			a.put(c, instr, a.load(c, instr, r, len(o.slots), ""))
		case o.kind == fresh || o.kind == view:
			a.put(c, instr, a.unknown(c, instr, 0, instr.AssertedType))
		}
	}
}

// unknown returns references to fresh memory for each slot of a t.
func (a *analysis) unknown(c *context, at any, from int, t types.Type) []set {
	slots := a.layouts.slots(t)
	sets := make([]set, len(slots))
	for i, typ := range slots {
		if o := a.freshFor(c, at, from, i, typ); o != nil {
			sets[i].add(newRef(o, 0))
		}
	}
	return sets
}

func (a *analysis) lookup(c *context, instr *ssa.Lookup) {
	m, ok := instr.X.Type().Underlying().(*types.Map)
	if !ok {
		return // a string
	}
	keys, n := len(a.layouts.slots(m.Key())), len(a.layouts.slots(m.Elem()))
	key := a.key(c, instr.Index)
	for _, r := range flatten(a.get(c, instr.X)) {
		a.put(c, instr, a.load(c, instr, r.moved(keys), n, key))
	}
}

func (a *analysis) next(c *context, instr *ssa.Next) {
	rng, ok := instr.Iter.(*ssa.Range)
	if !ok || instr.IsString {
		return
	}
	m, ok := rng.X.Type().Underlying().(*types.Map)
	if !ok {
		return
	}
	keys, n := len(a.layouts.slots(m.Key())), len(a.layouts.slots(m.Elem()))
	tuple := instr.Type()
	into := a.get(c, instr)
	for _, r := range flatten(a.get(c, instr.Iter)) {
		loaded := a.load(c, instr, r, keys+n, a.key(c, instr))
		if len(a.layouts.slots(part(tuple, 1))) == keys {
			a.flow(tail(into, a.layouts.offset(tuple, 1)), loaded[:keys])
		}
		if len(a.layouts.slots(part(tuple, 2))) == n {
			a.flow(tail(into, a.layouts.offset(tuple, 2)), loaded[keys:])
		}
	}
}

func part(tuple types.Type, i int) types.Type { return tuple.(*types.Tuple).At(i).Type() }

func (a *analysis) mapUpdate(c *context, instr *ssa.MapUpdate) {
	m := flatten(a.get(c, instr.Map))
	key := a.get(c, instr.Key)
	a.storeEach([]set{m}, 0, key)
	a.storeEach([]set{m}, len(key), a.get(c, instr.Value))
}

// storeAt stores a value. What x.f = append(x.f, …) leaves in an object is an append
// to what was in that object, not in any other that x may be.
func (a *analysis) storeAt(c *context, instr *ssa.Store) {
	load := a.appendsTo(c, instr)
	for _, r := range flatten(a.get(c, instr.Addr)) {
		o := a.obj(r)
		if load == nil || o.kind == view || o.kind == service {
			a.store(r, a.get(c, instr.Val))
			continue
		}
		result := a.obj(flatten(a.get(c, instr.Val))[0])
		own := a.made(c, instr, site, o.id, r.slot(), result.slots)
		for _, was := range flatten(a.load(c, load, r, 1, a.addressKey(c, load.X))) {
			if a.obj(was) != own && was&clipped == 0 && own.backing.add(was) {
				a.changed = true
			}
		}
		a.flow(own.held, result.held)
		a.store(r, []set{{newRef(own, 0)}})
	}
}

// appendsTo returns the load of x.f in x.f = append(x.f, …), or nil for another store.
func (a *analysis) appendsTo(c *context, store *ssa.Store) *ssa.UnOp {
	call, ok := store.Val.(*ssa.Call)
	if !ok || len(flatten(a.get(c, call))) != 1 {
		return nil
	}
	if b, ok := call.Call.Value.(*ssa.Builtin); !ok || b.Name() != "append" {
		return nil
	}
	for _, use := range *call.Referrers() {
		if _, debug := use.(*ssa.DebugRef); use != ssa.Instruction(store) && !debug {
			return nil
		}
	}
	load, ok := call.Call.Args[0].(*ssa.UnOp)
	if !ok || load.Op != token.MUL || load.X.Parent() != store.Parent() || !a.equalAddress(c, load.X, store.Addr) {
		return nil
	}
	return load
}

// storeEach stores sets n slots behind each of the references.
func (a *analysis) storeEach(to []set, n int, sets []set) {
	for _, r := range flatten(to) {
		a.store(r.moved(n), sets)
	}
}

func (a *analysis) selectStmt(c *context, instr *ssa.Select) {
	off := 2
	for _, s := range instr.States {
		if s.Dir == types.SendOnly {
			a.storeEach(a.get(c, s.Chan), 0, a.get(c, s.Send))
			continue
		}
		n := len(a.layouts.slots(elemType(s.Chan.Type())))
		for _, r := range flatten(a.get(c, s.Chan)) {
			a.flow(tail(a.get(c, instr), off), a.load(c, instr, r, n, ""))
		}
		off += n
	}
}
