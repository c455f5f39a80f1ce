package lower

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// reaches reports whether evaluating x may run code that uses state: a method of
// a service, a function value, or a function that is handed one.
func (f *file) reaches(x ast.Expr) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			found = found || f.callReaches(n)
		}
		return !found
	})
	return found
}

func (f *file) callReaches(call *ast.CallExpr) bool {
	if tv := f.info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() {
		return false
	}
	fn, ok := typeutil.Callee(f.info, call).(*types.Func)
	if !ok || f.prog.MethodOf(fn) != nil {
		return true
	}
	if recv := fn.Signature().Recv(); recv != nil && f.carriesCode(recv.Type()) {
		return true
	}
	for _, arg := range call.Args {
		if f.carriesCode(f.info.TypeOf(arg)) {
			return true
		}
	}
	return false
}

// carriesCode reports whether a value of type t may lead to state: a function, a
// service, or an interface that could hold one.
func (f *file) carriesCode(t types.Type) bool {
	if f.prog.Pointee(t) != nil {
		return true
	}
	switch t.Underlying().(type) {
	case *types.Signature:
		return true
	case *types.Interface:
		return !isContextOrError(t)
	}
	return false
}

func isContextOrError(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return false
	}
	obj := named.Obj()
	return obj.Pkg() == nil && obj.Name() == "error" || obj.Pkg() != nil && obj.Pkg().Path() == "context" && obj.Name() == "Context"
}
