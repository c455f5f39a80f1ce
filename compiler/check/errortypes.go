package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// returned looks at the errors that a function returns or wraps in what it returns.
func (v *errorVisitor) returned(n *ast.ReturnStmt, stack []ast.Node) {
	sig := signature(stack, v.info)
	if sig == nil {
		sig = v.f.Func.Signature()
	}
	results := sig.Results()
	if len(n.Results) == 0 || len(n.Results) != results.Len() || !isError(results.At(results.Len()-1).Type()) {
		return
	}
	endpoint := v.f.Method != nil && v.f.Method.Endpoint() && enclosing(stack) == nil
	for _, e := range wrapped(v.info, n.Results[len(n.Results)-1]) {
		v.crossesAs(e, endpoint)
	}
}

// wrapped returns the errors that e is: itself, or those that it joins and wraps.
func wrapped(info *types.Info, e ast.Expr) []ast.Expr {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return []ast.Expr{e}
	}
	switch calleeName(info, call) {
	case "errors.Join", "fmt.Errorf":
		var list []ast.Expr
		for _, arg := range call.Args {
			list = append(list, wrapped(info, arg)...)
		}
		return list
	}
	return []ast.Expr{e}
}

// crossesAs refuses an error of a type that is lost where it crosses a service call: of an
// unexported one, and of any that another service looks for. Where nobody does, or where a
// function below the endpoint returns it, that is a warning.
func (v *errorVisitor) crossesAs(e ast.Expr, endpoint bool) {
	t := v.info.TypeOf(e)
	obj := errorName(t)
	if obj == nil || v.prog.PackageOf(obj.Pkg()) == nil || !implementsError(t) || v.keepsError(t) {
		return
	}
	reason, fix := v.lost(obj)
	if at := v.lookedFor(t); at.IsValid() && obj.Exported() {
		related := []diag.Related{{Pos: v.prog.Position(at), Message: "another service looks for it here"}}
		v.report(e.Pos(), diag.Error, diag.ErrorType, related, fix, "error type %s: %s, so it cannot cross a service call", typeName(t), reason)
		return
	}
	if endpoint && !obj.Exported() {
		v.errorf(e.Pos(), diag.ErrorType, fix, "error type %s: %s, so it cannot cross a service call", typeName(t), reason)
		return
	}
	v.warnf(e.Pos(), diag.ErrorType, fix, "error type %s: %s; where it reaches the caller of an endpoint, errors.As does not find it", typeName(t), reason)
}

// lost says why errors of the declared type obj do not cross a service call, and what to do.
func (v *errorVisitor) lost(obj *types.TypeName) (reason, fix string) {
	kept, problem := v.types.Error(obj)
	switch {
	case !obj.Exported():
		return "not exported", "export the type, or return a sentinel made with errors.New"
	case problem != nil:
		return "field " + problem.Path + ": " + problem.Reason, "keep plain data in it, and join what caused it: errors.Join(&" + obj.Name() + "{…}, cause)"
	case kept != nil:
		return "its errors are " + typeName(kept), "return it as a " + typeName(kept)
	}
	return "not a plain type at package level", "declare it there, without type parameters"
}

// keepsError reports whether replies, other processes and logs get errors of type t whole.
func (c *storableChecker) keepsError(t types.Type) bool {
	obj := errorName(t)
	if obj == nil || c.prog.PackageOf(obj.Pkg()) == nil {
		return false
	}
	kept, _ := c.types.Error(obj)
	return kept != nil && types.Identical(kept, t)
}

func implementsError(t types.Type) bool {
	return types.Implements(t, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}

// errorName returns the named type that t is or points to, nil where that is none or an interface.
func errorName(t types.Type) *types.TypeName {
	if t == nil || types.IsInterface(t) {
		return nil
	}
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return nil
	}
	return named.Obj()
}

// look is a place where a function looks in an error for a type.
type look struct {
	t   types.Type
	pos token.Pos
	f   *ir.Function
}

// looks returns where functions look for types of errors.
func (c *storableChecker) looks(functions []*ir.Function) []look {
	var list []look
	for _, f := range functions {
		info := f.File.Pkg.Info
		inspect(f.Decl.Body, func(stack []ast.Node) bool {
			for _, t := range lookedTypes(info, stack[len(stack)-1]) {
				list = append(list, look{t, stack[len(stack)-1].Pos(), f})
			}
			return true
		})
	}
	return list
}

// lookedTypes returns the types that n looks for in an error.
func lookedTypes(info *types.Info, n ast.Node) []types.Type {
	switch n := n.(type) {
	case *ast.TypeAssertExpr:
		if n.Type != nil && isError(info.TypeOf(n.X)) {
			return []types.Type{info.TypeOf(n.Type)}
		}
	case *ast.CaseClause:
		var list []types.Type
		for _, e := range n.List {
			if tv := info.Types[e]; tv.IsType() {
				list = append(list, tv.Type)
			}
		}
		return list
	case *ast.CallExpr:
		switch calleeName(info, n) {
		case "errors.As":
			if ptr, ok := info.TypeOf(n.Args[1]).Underlying().(*types.Pointer); ok {
				return []types.Type{ptr.Elem()}
			}
		case "errors.AsType":
			if results, ok := info.TypeOf(n).(*types.Tuple); ok {
				return []types.Type{results.At(0).Type()}
			}
		}
	}
	return nil
}

// lookedFor returns where another service than that of v's function may look for errors of type t.
func (v *errorVisitor) lookedFor(t types.Type) token.Pos {
	for _, l := range v.looks {
		if types.Identical(l.t, t) && (l.f.Method == nil || v.f.Method == nil || l.f.Method.Service != v.f.Method.Service) {
			return l.pos
		}
	}
	return token.NoPos
}

// calleeName returns the full name of the function that call calls, such as "errors.As".
func calleeName(info *types.Info, call *ast.CallExpr) string {
	if fn := callee(info, call); fn != nil {
		return fn.FullName()
	}
	return ""
}
