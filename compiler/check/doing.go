package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// doing checks the functions of onefold.Do: they may do nearly anything, but what they
// do leaves the function by its result alone, since a workflow that runs again has
// that from its log and does not call them.
func doing(u *pass.Unit) {
	c := newChecker(u)
	for f := range c.rewritten {
		v := &doVisitor{checker: c, f: f, info: f.File.Pkg.Info}
		ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && ir.LibraryFunc(callee(v.info, call)) == "Do" && len(call.Args) == 3 {
				v.effect(call)
			}
			return true
		})
	}
}

type doVisitor struct {
	*checker
	f    *ir.Function
	info *types.Info
}

// effect checks one call.
func (v *doVisitor) effect(call *ast.CallExpr) {
	switch fn := ast.Unparen(call.Args[2]).(type) {
	case *ast.FuncLit:
		inspect(fn.Body, func(stack []ast.Node) bool { return v.visit(fn, stack) })
	case *ast.Ident, *ast.SelectorExpr:
		if !isFunction(v.info, fn) || v.info.Types[fn].IsNil() {
			v.errorf(fn.Pos(), diag.Effect, "write func(ctx context.Context, key string) (T, error) { … } in the call", "onefold.Do of %s: want a function literal or a declared function, so that what it does can be seen", types.ExprString(fn))
		}
	default:
		v.errorf(fn.Pos(), diag.Effect, "write func(ctx context.Context, key string) (T, error) { … } in the call", "onefold.Do of %s: want a function literal or a declared function, so that what it does can be seen", types.ExprString(fn))
	}
}

// visit refuses changes of what the function captures, and services in it.
func (v *doVisitor) visit(fn *ast.FuncLit, stack []ast.Node) bool {
	switch n := stack[len(stack)-1].(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			for _, lhs := range n.Lhs {
				v.written(fn, lhs)
			}
		}
	case *ast.IncDecStmt:
		v.written(fn, n.X)
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			v.written(fn, n.Key)
			v.written(fn, n.Value)
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			v.written(fn, n.X)
		}
	case *ast.CallExpr:
		if b := builtin(v.info, n); len(n.Args) > 0 && (b == "clear" || b == "delete" || b == "copy" || b == "append") {
			v.written(fn, n.Args[0])
		}
	case *ast.SelectorExpr:
		if s := v.info.Selections[n]; s != nil && s.Kind() == types.MethodVal && changesReceiver(v.info, n, s) {
			v.written(fn, n.X)
		}
		v.field(n)
	case *ast.Ident:
		v.function(fn, n)
	}
	return true
}

// function refuses to use a captured function that may use services or the workflow.
func (v *doVisitor) function(fn *ast.FuncLit, id *ast.Ident) {
	obj := asVar(v.info.Uses[id])
	if obj == nil || obj.IsField() || fn.Pos() <= obj.Pos() && obj.Pos() < fn.End() || obj.Parent() == obj.Pkg().Scope() || !holdsFunc(obj.Type()) {
		return
	}
	b := &branchVisitor{checker: v.checker, f: v.f, info: v.info}
	if b.touches(obj) {
		v.errorf(id.Pos(), diag.Effect, "declare the function inside the onefold.Do, or as a function of the package", "%s is used inside an onefold.Do, and may use services or the workflow", id.Name)
	}
}

// written refuses a change of a variable that the function captures, or of memory that
// is reached from one.
func (v *doVisitor) written(fn *ast.FuncLit, e ast.Expr) {
	if e == nil {
		return
	}
	if id, ok := ast.Unparen(e).(*ast.Ident); ok && id.Name == "_" {
		return
	}
	obj := rootVariable(v.info, e)
	if obj == nil || obj.IsField() || fn.Pos() <= obj.Pos() && obj.Pos() < fn.End() || obj.Pkg() == nil || obj.Parent() == obj.Pkg().Scope() {
		return // its own, or a package variable, which the globals pass looks at
	}
	v.errorf(e.Pos(), diag.Effect, "return it, and assign the result of onefold.Do",
		"%s is changed inside an onefold.Do: a workflow that runs again does not call the function, and would not see the change", types.ExprString(e))
}

// field refuses state and dependencies inside the function.
func (v *doVisitor) field(sel *ast.SelectorExpr) {
	field := v.prog.Selected(v.info, sel)
	if field == nil || field.Kind == ir.Config || field.Kind.Persistent() || field.Kind == ir.Mutex {
		return // state is refused in all of a workflow
	}
	v.errorf(sel.Sel.Pos(), diag.Effect, "call it before or after the onefold.Do", "%s is used inside an onefold.Do: a step in an effect could not be recorded", field)
}
