package alias

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// steadyKey describes what is loaded from a field of an object behind a pointer,
// if no function changes that field once the object is made: two loads
// then give the same value, as in s.byUser[o.User] = append(s.byUser[o.User], id).
func (a *analysis) steadyKey(c *context, addr *ssa.FieldAddr) string {
	if !a.isSteady(fieldOf(addr)) {
		return ""
	}
	var base string
	switch x := addr.X.(type) {
	case *ssa.Alloc:
		return "" // a variable, or an object that is being made
	case *ssa.FieldAddr:
		base = a.steadyKey(c, x)
	default:
		base = a.key(c, x)
	}
	if base == "" {
		return ""
	}
	return "*" + base + "." + fieldOf(addr).Name()
}

func (a *analysis) isSteady(f *types.Var) bool {
	if a.unsteady == nil {
		a.unsteady = unsteadyFields(a.prog)
	}
	return !a.unsteady.all && !a.unsteady.fields[f.Origin()]
}

// fieldOf returns the field that an address is of.
func fieldOf(addr *ssa.FieldAddr) *types.Var {
	return addr.X.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Struct).Field(addr.Field)
}

// unsteady is the set of struct fields that some function may change in an
// object that others know of.
type unsteady struct {
	fields map[*types.Var]bool
	all    bool // of all structs: objects go by several types, or where nobody follows them
}

// unsteadyFields looks at every store of the program and at what it hands out of sight.
func unsteadyFields(prog *ssa.Program) *unsteady {
	w := &unsteady{fields: map[*types.Var]bool{}}
	for fn := range ssautil.AllFunctions(prog) {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				w.instruction(instr)
			}
		}
	}
	return w
}

func (w *unsteady) instruction(instr ssa.Instruction) {
	switch instr := instr.(type) {
	case *ssa.Store:
		if !making(instr) {
			w.address(instr.Addr)
			w.parts(instr.Val.Type(), false)
		}
	case *ssa.FieldAddr:
		if escapes(instr) {
			w.address(instr)
			w.parts(fieldOf(instr).Type(), false)
		}
	case *ssa.ChangeType:
		if p, ok := instr.Type().Underlying().(*types.Pointer); ok && isStruct(p.Elem()) {
			w.all = true
		}
	case *ssa.Convert:
		if b, ok := instr.X.Type().Underlying().(*types.Basic); ok && b.Kind() == types.UnsafePointer {
			w.all = true
		}
	case ssa.CallInstruction:
		w.call(instr)
	}
	for _, op := range instr.Operands(nil) {
		if fn, ok := (*op).(*ssa.Function); ok && fn.Blocks == nil && !callee(instr, fn) {
			w.signature(fn)
		}
	}
}

// callee reports whether instr mentions fn only to call it.
func callee(instr ssa.Instruction, fn *ssa.Function) bool {
	call, ok := instr.(ssa.CallInstruction)
	return ok && call.Common().StaticCallee() == fn
}

// address marks the fields that a pointer points into.
func (w *unsteady) address(addr ssa.Value) {
	for {
		switch x := addr.(type) {
		case *ssa.FieldAddr:
			w.fields[fieldOf(x).Origin()] = true
			addr = x.X
		case *ssa.IndexAddr:
			addr = x.X
		default:
			return
		}
	}
}

// parts marks the fields of the structs that lie in a value of type t and, if
// deep, of those that it refers to.
func (w *unsteady) parts(t types.Type, deep bool) { w.visit(t, deep, map[types.Type]bool{}) }

func (w *unsteady) visit(t types.Type, deep bool, seen map[types.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			w.fields[f.Origin()] = true
			w.visit(f.Type(), deep, seen)
		}
	case *types.Array:
		w.visit(u.Elem(), deep, seen)
	case *types.Pointer:
		if deep {
			w.visit(u.Elem(), deep, seen)
		}
	case *types.Slice:
		if deep {
			w.visit(u.Elem(), deep, seen)
		}
	case *types.Map:
		if deep {
			w.visit(u.Elem(), deep, seen)
		}
	}
}

// call marks what a call changes out of sight.
func (w *unsteady) call(call ssa.CallInstruction) {
	common := call.Common()
	if b, ok := common.Value.(*ssa.Builtin); ok {
		if s, ok := builtinTarget(b.Name(), common.Args); ok {
			w.parts(s.Elem(), false)
		}
		return
	}
	args := common.Args
	if common.IsInvoke() {
		if own := common.Method.Pkg(); own != nil {
			for _, arg := range args {
				w.argument(arg, true)
			}
		}
		return
	}
	fn := common.StaticCallee()
	if fn == nil || fn.Blocks != nil {
		return
	}
	if fn.Signature.Recv() != nil {
		w.parts(args[0].Type(), true)
		args = args[1:]
	}
	e := effectOf(fn)
	path, _ := origin(fn)
	shallow := path == "slices" || path == "sort" || path == "maps"
	for _, i := range append(append([]int(nil), e.changes...), e.appends...) {
		w.argument(args[i], !shallow)
	}
}

// builtinTarget returns the slice whose elements a builtin function writes.
func builtinTarget(name string, args []ssa.Value) (*types.Slice, bool) {
	if name != "append" && name != "copy" && name != "clear" {
		return nil, false
	}
	s, ok := args[0].Type().Underlying().(*types.Slice)
	return s, ok
}

// argument marks what a function may change that is given v.
func (w *unsteady) argument(v ssa.Value, deep bool) {
	if made, ok := v.(*ssa.MakeInterface); ok {
		v = made.X
	}
	t := v.Type()
	if types.IsInterface(t) {
		w.all = w.all || !harmless(t)
		return
	}
	if s, ok := t.Underlying().(*types.Slice); ok && !deep {
		t = s.Elem()
	}
	w.parts(t, deep)
}

// signature marks what a function out of sight may change, whoever calls it.
func (w *unsteady) signature(fn *ssa.Function) {
	for _, i := range effectOf(fn).changes {
		t := fn.Signature.Params().At(i).Type()
		if types.IsInterface(t) {
			w.all = w.all || !harmless(t)
		}
		w.parts(t, true)
	}
}

// harmless reports whether nothing of a user's is to be changed through an interface.
func harmless(t types.Type) bool {
	return t.String() == "context.Context" || types.Identical(t, types.Universe.Lookup("error").Type())
}

// making reports whether a store is a part of making an object, before anybody
// else knows of it, or goes to a variable that nobody has the address of.
func making(store *ssa.Store) bool {
	alloc, ok := allocOf(store.Addr)
	if !ok {
		return false
	}
	if !alloc.Heap {
		return true
	}
	between := false
	for _, instr := range store.Block().Instrs {
		switch {
		case instr == ssa.Instruction(alloc):
			between = true
		case instr == ssa.Instruction(store):
			return between
		case between && shows(instr, alloc):
			return false
		}
	}
	return false
}

// allocOf returns the variable that an address points into.
func allocOf(addr ssa.Value) (*ssa.Alloc, bool) {
	for {
		switch x := addr.(type) {
		case *ssa.Alloc:
			return x, true
		case *ssa.FieldAddr:
			addr = x.X
		case *ssa.IndexAddr:
			if _, ok := x.X.Type().Underlying().(*types.Pointer); !ok {
				return nil, false
			}
			addr = x.X
		default:
			return nil, false
		}
	}
}

// shows reports whether instr gives the address of an object, or of a part of it, away.
func shows(instr ssa.Instruction, alloc *ssa.Alloc) bool {
	switch instr := instr.(type) {
	case *ssa.FieldAddr, *ssa.IndexAddr, *ssa.DebugRef:
		return false
	case *ssa.Store:
		from, ok := allocOf(instr.Val)
		return ok && from == alloc
	case *ssa.UnOp:
		return instr.Op != token.MUL
	}
	for _, op := range instr.Operands(nil) {
		if *op == nil {
			continue
		}
		if from, ok := allocOf(*op); ok && from == alloc {
			return true
		}
	}
	return false
}

// escapes reports whether the address of a field, or of a part of it, is used
// for more than loads and stores.
func escapes(addr ssa.Value) bool {
	for _, use := range *addr.Referrers() {
		switch use := use.(type) {
		case *ssa.Store:
			if use.Val == addr {
				return true
			}
		case *ssa.UnOp, *ssa.FieldAddr, *ssa.DebugRef:
			// nested fields are looked at for themselves
		case *ssa.IndexAddr:
			if escapes(use) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

func isStruct(t types.Type) bool {
	_, ok := t.Underlying().(*types.Struct)
	return ok
}
