package alias

import (
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/ir"
)

// call evaluates a call of any form.
func (a *analysis) call(c *context, call ssa.CallInstruction) {
	common := call.Common()
	if b, ok := common.Value.(*ssa.Builtin); ok {
		a.builtin(c, call, b)
		return
	}
	var args [][]set
	for _, arg := range common.Args {
		args = append(args, a.get(c, arg))
	}
	if common.IsInvoke() {
		a.invoke(c, call, args)
		return
	}
	if _, ok := common.Value.(*ssa.MakeClosure); !ok {
		if fn := common.StaticCallee(); fn != nil {
			a.callFunc(c, call, fn, nil, args)
			return
		}
	}
	for _, r := range flatten(a.get(c, common.Value)) {
		switch o := a.obj(r); {
		case o.kind == closure && o.fn != nil:
			a.callFunc(c, call, o.fn, o, args)
		case o.kind == closure || o.kind == fresh || o.kind == site:
			a.callUnknown(c, call, o, args)
		}
	}
}

// invoke calls a method through an interface: of each type that is known to be
// in it, and an unknown one where the interface comes from outside.
func (a *analysis) invoke(c *context, call ssa.CallInstruction, args [][]set) {
	common := call.Common()
	for _, r := range flatten(a.get(c, common.Value)) {
		o := a.obj(r)
		if o.typ == nil || types.IsInterface(o.typ) {
			a.callUnknown(c, call, o, args)
			continue
		}
		fn := a.method(o.typ, common.Method)
		if fn == nil {
			continue
		}
		recv := a.load(c, call, newRef(o, 0), len(o.slots), "")
		a.callFunc(c, call, fn, nil, append([][]set{recv}, args...))
	}
}

// method returns a type's method, or nil where it has none of that name.
func (a *analysis) method(t types.Type, m *types.Func) *ssa.Function {
	sel := a.prog.MethodSets.MethodSet(t).Lookup(m.Pkg(), m.Name())
	if sel == nil || types.IsInterface(t) {
		return nil
	}
	return a.prog.MethodValue(sel)
}

// callFunc evaluates a call of fn, which is closure's code where that is not nil.
func (a *analysis) callFunc(c *context, call ssa.CallInstruction, fn *ssa.Function, clo *object, args [][]set) {
	s := a.receiver(fn)
	switch {
	case s != nil && c.crosses(fn, s) && fn.Blocks != nil && fn.Synthetic == "":
		a.callService(c, call, fn, s, args)
	case fn.Blocks == nil:
		a.callExternal(c, call, fn, args)
	default:
		k := a.callChild(c, call, fn, clo)
		for i, p := range fn.Params {
			if i < len(args) {
				a.put(k, p, args[i])
			}
		}
		a.result(c, call, k.results)
	}
}

// crosses reports whether a call of fn, a method of s, copies what it carries.
func (c *context) crosses(fn *ssa.Function, s *ir.Service) bool {
	if s == c.flow {
		return token.IsExported(fn.Name())
	}
	return s != c.service
}

// callChild enters fn from call and binds what it captures.
func (a *analysis) callChild(c *context, call ssa.CallInstruction, fn *ssa.Function, clo *object) *context {
	k := a.child(c, call, fn)
	if clo != nil {
		k.closure = clo
		for i, fv := range fn.FreeVars {
			if i < len(clo.binds) {
				a.put(k, fv, clo.binds[i])
			}
		}
	}
	return k
}

func (a *analysis) result(c *context, call ssa.CallInstruction, results []set) {
	if v := call.Value(); v != nil {
		a.put(c, v, results)
	}
}

// callService passes arguments and results across a service call, under new names.
func (a *analysis) callService(c *context, call ssa.CallInstruction, fn *ssa.Function, s *ir.Service, args [][]set) {
	m := a.endpoint(fn, s)
	if !slices.Contains(c.calls[call], m) {
		a.link(c, call, m)
		a.cyclic = a.cyclic || m.subtree()[c]
	}
	keys := a.argumentKeys(c, call)
	for i, p := range fn.Params {
		if i == 0 || i >= len(args) {
			continue
		}
		into := make([]set, len(args[i]))
		for j, from := range args[i] {
			for _, r := range from {
				into[j].add(a.inbound(m, r, keys))
			}
		}
		a.put(m, p, into)
	}
	results := make([]set, len(m.results))
	var passed map[*object]bool
	for j, from := range m.results {
		for _, r := range from {
			if o := a.obj(r); o.kind == foreign && o.ctx == m && o.at == nil {
				if passed == nil {
					passed = a.reach(joined(args))
				}
				if passed[o.base] {
					results[j].add(newRef(o.base, r.slot()) | r&flags)
				}
				continue
			}
			results[j].add(a.outbound(c, call, m, r, keys))
		}
	}
	a.result(c, call, results)
}

// argumentKeys describes the arguments of a service call.
func (a *analysis) argumentKeys(c *context, call ssa.CallInstruction) []string {
	keys := make([]string, len(call.Common().Args))
	for i, arg := range call.Common().Args {
		keys[i] = a.key(c, arg)
	}
	return keys
}

// inbound returns the name that an argument has in the endpoint m. A view's
// keys become m's parameters where they are passed along.
func (a *analysis) inbound(m *context, r ref, keys []string) ref {
	views := func(r ref) ref {
		o := a.obj(r)
		if o.kind != view {
			return r
		}
		return a.rebased(m, nil, r, o.free, func(key string) string {
			if i := slices.Index(keys, key); i >= 0 && i < len(m.fn.Params) {
				return a.key(m, m.fn.Params[i])
			}
			return constOrNone(key)
		})
	}
	return views(a.rename(m, nil, r, views))
}

// outbound returns the name that a result of m has where it was called.
func (a *analysis) outbound(c *context, call ssa.CallInstruction, m *context, r ref, keys []string) ref {
	views := func(r ref) ref {
		o := a.obj(r)
		if o.kind != view {
			return r
		}
		return a.rebased(c, call, r, o.free || a.released(m, o), func(key string) string {
			for i, p := range m.fn.Params {
				if i < len(keys) && a.key(m, p) == key {
					return keys[i]
				}
			}
			return constOrNone(key)
		})
	}
	return views(a.rename(c, call, r, views))
}

func constOrNone(key string) string {
	if strings.HasPrefix(key, "const ") || key == allKeys {
		return key
	}
	return noKey
}

// rebased returns a view under other keys, as received by c.
func (a *analysis) rebased(c *context, at ssa.Instruction, r ref, free bool, rekey func(string) string) ref {
	o := a.obj(r)
	if o.ctx == c && o.at == at {
		return r
	}
	place := make([]string, len(o.place))
	for i, key := range o.place {
		place[i] = rekey(key)
	}
	origin := o
	for origin.base != nil {
		origin = origin.base
	}
	key := placeKey{c, at, o.region, strings.Join(place, "\x00"), o.mention, free}
	v := a.rebases[key]
	if v == nil {
		v = a.newObject(view, o.slots)
		v.ctx, v.at, v.keys, v.region, v.parent, v.place, v.mention = c, at, o.keys, o.region, o.parent, place, o.mention
		v.base, v.free = origin, free
		a.rebases[key] = v
	}
	return newRef(v, r.slot()) | r&flags
}

// placeKey names a view that was received.
type placeKey struct {
	ctx     *context
	at      ssa.Instruction
	region  *region
	place   string
	mention mention
	free    bool
}
