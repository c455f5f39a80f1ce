package alias

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// noKey is the key of which nothing is known; it equals no key, itself included.
const noKey = "?"

// key describes v in c so that equal descriptions mean equal values, within one
// run of an endpoint and one iteration of every loop.
func (a *analysis) key(c *context, v ssa.Value) string {
	if k, ok := c.keys[v]; ok {
		return k
	}
	k := fmt.Sprintf("%s@%d", v.Name(), c.id)
	if def, ok := v.(ssa.Instruction); ok {
		a.defs[k] = def
	}
	c.keys[v] = k // ends a recursion through a phi or a closure
	if d := a.describe(c, v); d != "" {
		k = d
	}
	c.keys[v] = k
	return k
}

// describe returns the description of a value that can be told from its parts, or "".
func (a *analysis) describe(c *context, v ssa.Value) string {
	switch v := v.(type) {
	case *ssa.Const:
		return "const " + v.String()
	case *ssa.Parameter:
		return a.argument(c, v)
	case *ssa.FreeVar:
		return a.captured(c, v)
	case *ssa.BinOp:
		return "(" + a.key(c, v.X) + v.Op.String() + a.key(c, v.Y) + ")"
	case *ssa.ChangeType:
		return a.key(c, v.X)
	case *ssa.Convert:
		return v.Type().String() + "(" + a.key(c, v.X) + ")"
	case *ssa.Field:
		off := a.layouts.offset(v.X.Type(), v.Field)
		if len(a.layouts.slots(v.Type())) == 1 {
			return a.slotKey(c, v.X, off)
		}
		return partKey(a.key(c, v.X), off)
	case *ssa.Extract:
		if next, ok := v.Tuple.(*ssa.Next); ok && v.Index == 1 {
			return a.key(c, next)
		}
	case *ssa.UnOp:
		return a.loadedKey(c, v)
	case *ssa.Call:
		return a.computed(c, v)
	}
	return ""
}

// argument describes a parameter of a function that is called from one place.
func (a *analysis) argument(c *context, p *ssa.Parameter) string {
	if from, arg := a.argumentOf(c, p); arg != nil {
		return a.key(from, arg)
	}
	return ""
}

// argumentOf returns what a parameter is given, and where, if there is one place only.
func (a *analysis) argumentOf(c *context, p *ssa.Parameter) (*context, ssa.Value) {
	if c == c.root || a.recursive[c.fn] || len(c.callers) == 0 {
		return nil, nil
	}
	from := c.callers[0]
	common := from.call.Common()
	if common.IsInvoke() || len(common.Args) != len(c.fn.Params) {
		return nil, nil
	}
	for i, q := range c.fn.Params {
		if p == q {
			return from.ctx, common.Args[i]
		}
	}
	return nil, nil
}

// captured describes the variable that a closure captures, by its address.
func (a *analysis) captured(c *context, v *ssa.FreeVar) string {
	if c.closure == nil || c.closure.ctx == nil {
		return ""
	}
	mk, ok := c.closure.at.(*ssa.MakeClosure)
	if !ok {
		return ""
	}
	for i, fv := range c.fn.FreeVars {
		if fv == v && i < len(mk.Bindings) {
			return a.key(c.closure.ctx, mk.Bindings[i])
		}
	}
	return ""
}

// loadedKey describes what is loaded from a variable that is assigned once, or from
// a field that nobody changes.
func (a *analysis) loadedKey(c *context, v *ssa.UnOp) string {
	if v.Op == token.NOT || v.Op == token.SUB || v.Op == token.XOR {
		return v.Op.String() + a.key(c, v.X)
	}
	if v.Op != token.MUL {
		return ""
	}
	if slots, ok := a.locals(c.fn).loads[v]; ok {
		return a.localKey(c, v, slots)
	}
	if field, ok := v.X.(*ssa.FieldAddr); ok {
		return a.steadyKey(c, field)
	}
	from, addr := a.outermost(c, v.X)
	if alloc, ok := addr.(*ssa.Alloc); ok {
		if val := onlyStore(alloc); val != nil {
			return a.key(from, val)
		}
	}
	return ""
}

// localKey describes what is loaded from a local variable by the single stores
// of its slots.
func (a *analysis) localKey(c *context, load *ssa.UnOp, slots []localSlot) string {
	n := len(a.layouts.slots(load.Type()))
	if len(slots) != n || n == 0 {
		return ""
	}
	first := slots[0]
	together := true
	var parts []string
	for i, s := range slots {
		if s.slot != i {
			return ""
		}
		together = together && s.store == first.store
		parts = append(parts, a.slotKey(c, s.store.Val, s.from))
	}
	if together && types.Identical(first.store.Val.Type(), load.Type()) {
		return a.key(c, first.store.Val)
	}
	return strings.Join(parts, ",")
}

// slotKey describes one slot of a value.
func (a *analysis) slotKey(c *context, v ssa.Value, slot int) string {
	if len(a.layouts.slots(v.Type())) == 1 {
		return a.key(c, v)
	}
	switch v := v.(type) {
	case *ssa.Parameter:
		if from, arg := a.argumentOf(c, v); arg != nil {
			return a.slotKey(from, arg, slot)
		}
	case *ssa.Field:
		return a.slotKey(c, v.X, slot+a.layouts.offset(v.X.Type(), v.Field))
	case *ssa.UnOp:
		var only *localSlot
		for i, s := range a.locals(c.fn).loads[v] {
			if s.slot == slot && only != nil {
				return partKey(a.key(c, v), slot)
			}
			if s.slot == slot {
				only = &a.locals(c.fn).loads[v][i]
			}
		}
		if only != nil {
			return a.slotKey(c, only.store.Val, only.from)
		}
	}
	return partKey(a.key(c, v), slot)
}

// partKey describes the part of a struct that begins at a slot.
func partKey(whole string, slot int) string { return fmt.Sprintf("%s#%d", whole, slot) }

// outermost follows captured variables to where they are declared.
func (a *analysis) outermost(c *context, v ssa.Value) (*context, ssa.Value) {
	for {
		fv, ok := v.(*ssa.FreeVar)
		if !ok || c.closure == nil || c.closure.ctx == nil {
			return c, v
		}
		mk, ok := c.closure.at.(*ssa.MakeClosure)
		if !ok {
			return c, v
		}
		i := 0
		for c.fn.FreeVars[i] != fv {
			i++
		}
		c, v = c.closure.ctx, mk.Bindings[i]
	}
}

// onlyStore returns the one value that is ever stored into a captured variable, or nil.
func onlyStore(alloc *ssa.Alloc) ssa.Value {
	var val ssa.Value
	var uses func(v ssa.Value, depth int) bool
	uses = func(v ssa.Value, depth int) bool {
		for _, use := range *v.Referrers() {
			switch use := use.(type) {
			case *ssa.Store:
				if use.Addr != v || val != nil {
					return false
				}
				val = use.Val
			case *ssa.UnOp:
			case *ssa.MakeClosure:
				fn := use.Fn.(*ssa.Function)
				for i, b := range use.Bindings {
					if b == v && (depth > 8 || i >= len(fn.FreeVars) || !uses(fn.FreeVars[i], depth+1)) {
						return false
					}
				}
			case *ssa.DebugRef:
			default:
				return false
			}
		}
		return true
	}
	if !uses(alloc, 0) {
		return nil
	}
	return val
}

// computed describes the result of a function of plain values that has no effect.
func (a *analysis) computed(c *context, call *ssa.Call) string {
	fn := call.Call.StaticCallee()
	name := ""
	switch b, ok := call.Call.Value.(*ssa.Builtin); {
	case ok:
		if b.Name() != "min" && b.Name() != "max" && (b.Name() != "len" || isMap(call.Call.Args[0].Type())) {
			return ""
		}
		name = b.Name()
	case fn != nil && fn.Blocks == nil && pureText(fn):
		name = fn.String()
	default:
		return ""
	}
	var args []string
	for _, arg := range call.Call.Args {
		if slots := a.layouts.slots(arg.Type()); len(slots) != 1 || isRef(slots[0]) && name != "len" {
			return ""
		}
		args = append(args, a.key(c, arg))
	}
	return name + "(" + strings.Join(args, ",") + ")"
}

// addressKey describes the indices in the address of an element.
func (a *analysis) addressKey(c *context, addr ssa.Value) string {
	switch v := addr.(type) {
	case *ssa.FieldAddr:
		return a.addressKey(c, v.X)
	case *ssa.IndexAddr:
		k := a.key(c, v.Index)
		if _, ok := v.X.Type().Underlying().(*types.Slice); ok {
			return k
		}
		if outer := a.addressKey(c, v.X); outer != "" {
			k = outer + "/" + k
		}
		return k
	}
	return ""
}

// samePlace reports whether two lists of keys are known to be equal.
func samePlace(x, y []string) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] || x[i] == noKey {
			return false
		}
	}
	return true
}
