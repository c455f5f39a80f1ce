package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/onefold/onefold/compiler/deterministic"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// deterministically refuses what differs when a workflow runs again: it runs from
// its beginning after every crash and wait, with the recorded results of its steps, and
// has to come to the same steps.
func deterministically(u *pass.Unit) {
	c := newChecker(u)
	flows := c.flows()
	initial := c.initials()
	for _, f := range flows.functions {
		v := &flowVisitor{storableChecker: newStorable(c), f: f, info: f.File.Pkg.Info, chain: c.chain(flows, f), initial: initial}
		mentioned(f, v.mention)
		inspect(f.Decl.Body, v.visit)
	}
}

// flowVisitor looks at one function that runs in a workflow.
type flowVisitor struct {
	*storableChecker
	f       *ir.Function
	info    *types.Info
	chain   []diag.Related
	initial map[*types.Var]string
}

func (v *flowVisitor) refuse(pos token.Pos, fix, format string, args ...any) {
	v.report(pos, diag.Error, diag.Deterministic, v.chain, fix, format, args...)
}

// mention checks the use of a function or variable.
func (v *flowVisitor) mention(id *ast.Ident, obj types.Object, stack []ast.Node) {
	if name := v.initial[asVar(obj)]; name != "" {
		v.refuse(id.Pos(), "call "+name+" where it is needed", "package variable %s, set by %s: each process has its own, and a workflow may go on in another one", id.Name, name)
		return
	}
	if obj.Pkg() == nil || v.prog.PackageOf(obj.Pkg()) != nil {
		return
	}
	if v.ofMutex(stack) {
		return // the workflows pass looks at it
	}
	if why, fix := deterministic.Refused(obj); why != "" {
		v.refuse(id.Pos(), fix, "%s in a workflow: %s", objectName(obj), why)
		return
	}
	fn, ok := obj.(*types.Func)
	if _, derived := deterministic.FormOf(fn); !ok || !derived {
		return
	}
	name := qualified(fn)
	switch {
	case callOf(id, stack) == nil:
		v.refuse(id.Pos(), "call it in a function literal", "%s as a value in a workflow: only calls of it can be replayed", name)
	case v.f.Method == nil || v.f.Method.Receiver() == nil:
		v.refuse(id.Pos(), "call it in a method of the service and pass the result, or make the function a method of the service with a named receiver",
			"%s in %s, which runs in a workflow: only a method of the service knows which", name, v.f)
	case several(v.f.Runs):
		v.refuse(id.Pos(), "call it in the callers and pass the result", "%s in %s, which runs in a workflow and in an atomic method or effect as well: it is the workflow's in the one and the process's in the other", name, v.f)
	}
}

// ofMutex reports whether the path ends in the method of a mutex that is a field of a service.
func (v *flowVisitor) ofMutex(stack []ast.Node) bool {
	sel, ok := above(stack, 1).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := ast.Unparen(sel.X).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	field := v.prog.Selected(v.info, x)
	return field != nil && field.Kind == ir.Mutex
}

func asVar(obj types.Object) *types.Var {
	v, _ := obj.(*types.Var)
	return v
}

func objectName(obj types.Object) string {
	if fn, ok := obj.(*types.Func); ok {
		return qualified(fn)
	}
	return obj.Pkg().Name() + "." + obj.Name()
}

// initials returns the package variables whose initial value differs between
// processes, with what makes it.
func (c *checker) initials() map[*types.Var]string {
	out := map[*types.Var]string{}
	for pkg := range c.prog.Sources() {
		for _, init := range pkg.Info.InitOrder {
			name := c.varies(pkg.Info, init.Rhs)
			for _, v := range init.Lhs {
				if name != "" {
					out[v] = name
				}
			}
		}
	}
	return out
}

// varies returns the function that makes the value of e differ between processes, or "".
func (c *checker) varies(info *types.Info, e ast.Expr) string {
	name := ""
	ast.Inspect(e, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		fn, ok := info.Uses[id].(*types.Func)
		if !ok || fn.Pkg() == nil || c.prog.PackageOf(fn.Pkg()) != nil {
			return true
		}
		why, _ := deterministic.Refused(fn)
		_, derived := deterministic.FormOf(fn)
		if rule := ruleFor(fn); why != "" && fn.Pkg().Path() != "context" || derived || rule == diag.IO || rule == diag.Config {
			name = qualified(fn)
		}
		return true
	})
	return name
}

// visit checks loops over maps, groups and errors.
func (v *flowVisitor) visit(stack []ast.Node) bool {
	if doAround(v.info, stack) != nil {
		return false
	}
	switch n := stack[len(stack)-1].(type) {
	case *ast.RangeStmt:
		if isMap(v.info.TypeOf(n.X)) && !v.orderless(n) {
			v.refuse(n.Pos(), "range over sorted keys: for _, k := range slices.Sorted(maps.Keys(m))", "range over map %s in a workflow: it comes in another order when the workflow runs again", types.ExprString(n.X))
		}
	case *ast.CallExpr:
		v.call(n, stack)
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			v.comparison(n)
		}
	case *ast.TypeAssertExpr:
		if n.Type != nil {
			v.errorType(n.X, v.info.TypeOf(n.Type), n.Pos())
		}
	case *ast.TypeSwitchStmt:
		v.typeSwitch(n)
	}
	return true
}

func isMap(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// call checks the iterators of package maps, errgroup's TryGo and errors.Is and As.
func (v *flowVisitor) call(call *ast.CallExpr, stack []ast.Node) {
	fn := callee(v.info, call)
	if fn == nil || fn.Pkg() == nil {
		return
	}
	switch fn.Pkg().Path() + "." + fn.Name() {
	case "maps.Keys", "maps.Values", "maps.All":
		if !sortedAtOnce(v.info, stack) {
			v.refuse(call.Pos(), "sort at once: slices.Sorted(maps.Keys(m))", "maps.%s in a workflow: it comes in another order when the workflow runs again", fn.Name())
		}
	case errgroupPath + ".TryGo":
		v.refuse(call.Pos(), "use Go", "TryGo in a workflow: whether it starts the branch depends on how fast the others are")
	case "errors.Unwrap":
		v.refuse(call.Pos(), "use errors.Is or errors.As", "errors.Unwrap in a workflow: a recorded error keeps what it wraps, but not in which order")
	case "errors.Is":
		v.sentinel(call.Args[1])
	case "errors.As":
		if ptr, ok := v.info.TypeOf(call.Args[1]).Underlying().(*types.Pointer); ok {
			v.errorType(nil, ptr.Elem(), call.Pos())
		}
	case "errors.AsType":
		if results, ok := v.info.TypeOf(call).(*types.Tuple); ok {
			v.errorType(nil, results.At(0).Type(), call.Pos())
		}
	}
}

// sortedAtOnce reports whether the call at the end of the path is made an argument of a function
// for which the order does not matter.
func sortedAtOnce(info *types.Info, stack []ast.Node) bool {
	outer, ok := above(stack, 1).(*ast.CallExpr)
	if !ok {
		return false
	}
	by := callee(info, outer)
	return by != nil && by.Pkg() != nil && slices.Contains([]string{"slices.Sorted", "slices.SortedFunc", "maps.Collect"}, by.Pkg().Path()+"."+by.Name())
}
