package alias

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// callExternal evaluates a call of a function without a body.
func (a *analysis) callExternal(c *context, call ssa.CallInstruction, fn *ssa.Function, args [][]set) {
	e := effectOf(fn)
	values := args
	if fn.Signature.Recv() != nil && len(args) > 0 {
		values = args[1:]
	}
	if e.copies && len(values) > 1 {
		for _, dst := range flatten(values[0]) {
			for _, src := range flatten(values[1]) {
				a.store(dst, a.load(c, call, src, len(a.obj(dst).slots), allKeys))
			}
		}
	}
	given := joined(args)
	a.callbacks(c, call, fn, given)
	v := call.Value()
	if v == nil {
		return
	}
	if e.returns > 0 && e.returns <= len(values) {
		s := flatten(values[e.returns-1])
		if e.flags != 0 {
			s = s.flagged(e.flags)
		}
		a.put(c, v, []set{s})
		if !e.grows {
			return
		}
	}
	a.put(c, v, a.outcome(c, call, v.Type(), given, e))
}

// joined returns the sets of all values in one list.
func joined(values [][]set) []set {
	var out []set
	for _, sets := range values {
		out = append(out, sets...)
	}
	return out
}

// outcome returns the references in a result of type t: new memory, which
// may hold what was given to the function.
func (a *analysis) outcome(c *context, call ssa.CallInstruction, t types.Type, given []set, e effect) []set {
	slots := a.layouts.slots(t)
	out := make([]set, len(slots))
	for i, typ := range slots {
		if !isRef(typ) {
			continue
		}
		o := a.freshFor(c, call, 0, i, typ)
		if e.holds {
			a.fill(c, call, o, given)
			out[i].addAll(a.matching(c, call, given, typ))
			if _, ok := typ.Underlying().(*types.Signature); ok {
				o = a.made(c, call, closure, 0, i, nil)
				o.binds = [][]set{given}
			}
		}
		if e.returns > 0 && len(given) > 0 {
			for _, r := range given[0] {
				a.obj(newRef(o, 0)).backing.add(r)
			}
		}
		out[i].add(newRef(o, 0))
	}
	return out
}

// fill puts what is given into the slots of o that can hold it.
func (a *analysis) fill(c *context, call ssa.CallInstruction, o *object, given []set) {
	for i, typ := range o.slots {
		if isRef(typ) && o.held[i].addAll(a.matching(c, call, given, typ)) {
			a.changed = true
		}
	}
	if types.IsInterface(o.typ) {
		o.binds = [][]set{given}
	}
}

// matching returns the references of type typ that are given or are to be found
// in what is given, two steps deep.
func (a *analysis) matching(c *context, call ssa.CallInstruction, given []set, typ types.Type) set {
	var out set
	seen := set{}
	var visit func(r ref, t types.Type, depth int)
	visit = func(r ref, t types.Type, depth int) {
		if t != nil && types.Identical(t, typ) {
			out.add(r)
		}
		if depth == 0 || !seen.add(r) {
			return
		}
		o := a.obj(r)
		if o.kind == service {
			return
		}
		for i, sets := range a.load(c, call, newRef(o, 0), len(o.slots), allKeys) {
			for _, in := range sets {
				visit(in, o.slots[i], depth-1)
			}
		}
	}
	for _, s := range given {
		for _, r := range s {
			visit(r, nil, 3)
		}
	}
	return out
}

// callbacks calls the functions that an external function is given, with
// whatever else it is given that fits their parameters, and the methods of the interfaces.
func (a *analysis) callbacks(c *context, call ssa.CallInstruction, fn *ssa.Function, given []set) {
	branch := isBranch(fn)
	for _, r := range flatten(given) {
		o := a.obj(r)
		if o.kind == closure && o.fn != nil && o.fn.Blocks != nil {
			k := a.callback(c, call, o.fn, o, given)
			k.branch = branch
			if libraryName(fn) == "Go" && k.flow == nil {
				k.flow = k.service
			}
		}
	}
	params := fn.Signature.Params()
	args := call.Common().Args
	for i := range params.Len() {
		arg := i + len(args) - params.Len()
		iface, ok := params.At(i).Type().Underlying().(*types.Interface)
		if !ok || arg < 0 || arg >= len(args) {
			continue
		}
		a.interfaceCallbacks(c, call, iface, a.get(c, args[arg]), given)
	}
}

func (a *analysis) interfaceCallbacks(c *context, call ssa.CallInstruction, iface *types.Interface, arg, given []set) {
	for m := range iface.Methods() {
		for _, r := range flatten(arg) {
			o := a.obj(r)
			if o.typ == nil || o.kind != site {
				continue
			}
			if fn := a.method(o.typ, m); fn != nil && fn.Blocks != nil {
				k := a.callback(c, call, fn, nil, given)
				if len(fn.Params) > 0 {
					a.put(k, fn.Params[0], a.load(c, call, newRef(o, 0), len(o.slots), ""))
				}
			}
		}
	}
}

// callback enters fn as called by an external function.
func (a *analysis) callback(c *context, call ssa.CallInstruction, fn *ssa.Function, clo *object, given []set) *context {
	k := a.callChild(c, call, fn, clo)
	for i, p := range fn.Params {
		into := make([]set, len(a.layouts.slots(p.Type())))
		for j, typ := range a.layouts.slots(p.Type()) {
			if isRef(typ) {
				into[j] = a.matching(c, call, given, typ)
			}
		}
		if fn.Signature.Recv() == nil || i > 0 {
			a.put(k, p, into)
		}
	}
	if v := call.Value(); v != nil {
		for i, typ := range a.layouts.slots(v.Type()) {
			for j, from := range a.layouts.slots(fn.Signature.Results()) {
				if isRef(typ) && types.Identical(typ, from) {
					a.flow(a.get(c, v)[i:i+1], k.results[j:j+1])
				}
			}
		}
	}
	return k
}

// callUnknown evaluates a call of a function value or method that nothing is
// known of; an iterator made by an external function yields what it was made from.
func (a *analysis) callUnknown(c *context, call ssa.CallInstruction, o *object, args [][]set) {
	given := joined(args)
	if len(o.binds) > 0 {
		given = append(slices.Clone(given), o.binds[0]...)
	}
	for _, r := range flatten(joined(args)) {
		if f := a.obj(r); f.kind == closure && f.fn != nil && f.fn.Blocks != nil {
			a.callback(c, call, f.fn, f, given)
		}
	}
	if v := call.Value(); v != nil {
		a.put(c, v, a.unknown(c, call, 0, v.Type()))
	}
}

// isBranch reports whether fn runs the function it is given beside its caller.
func isBranch(fn *ssa.Function) bool {
	s := fn.String()
	return s == "(*golang.org/x/sync/errgroup.Group).Go" || s == "(*golang.org/x/sync/errgroup.Group).TryGo"
}

// isJoin reports whether fn waits for the branches of its receiver.
func isJoin(fn *ssa.Function) bool {
	return fn.String() == "(*golang.org/x/sync/errgroup.Group).Wait"
}
