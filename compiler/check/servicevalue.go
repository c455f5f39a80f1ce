package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// value checks what is done with e, a pointer to service s.
func (v *serviceVisitor) value(e ast.Expr, s *ir.Service, stack []ast.Node) {
	parent := above(stack, 1)
	if sel, ok := parent.(*ast.SelectorExpr); ok {
		v.selected(sel, e, s, stack)
		return
	}
	if call, ok := parent.(*ast.CallExpr); ok && v.isTx(call) {
		return // the transactions pass looks at it
	}
	if v.method != nil && isIdent(e, v.info, v.method.Receiver()) {
		if _, ok := parent.(*ast.Field); !ok { // its declaration
			v.errorf(e.Pos(), diag.Receiver, "pass what is needed of the state, or make the function a method of "+s.Name,
				"receiver %s as a value: the state of %s is used through the receiver of its own methods only", v.method.Receiver().Name(), s.Name)
		}
		return
	}
	if v.constructs != nil {
		v.inConstructor(e, s, parent)
		return
	}
	if !v.passedOn(e, parent, stack) {
		v.errorf(e.Pos(), diag.ServiceValue, "call its methods, or pass it to a function that takes *"+s.Name,
			"service %s as a value: it may be called, passed to a parameter or variable of its type, and compared with nil; nothing else", s.Name)
	}
}

func (v *serviceVisitor) isTx(call *ast.CallExpr) bool {
	fn := callee(v.info, call)
	return fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == ir.Library
}

// selected checks sel, a field or method of service s that e points to.
func (v *serviceVisitor) selected(sel *ast.SelectorExpr, e ast.Expr, s *ir.Service, stack []ast.Node) {
	selection := v.info.Selections[sel]
	if selection == nil {
		return
	}
	promoted := len(selection.Index()) > 1
	if selection.Kind() == types.FieldVal || promoted || !sel.Sel.IsExported() {
		own := v.method != nil && v.method.Service == s && isIdent(e, v.info, v.method.Receiver()) ||
			v.constructs == s && selection.Kind() == types.FieldVal
		if !own {
			v.errorf(sel.Sel.Pos(), diag.Around, "add a method to "+s.Name+" and call that",
				"%s of service %s: state and unexported methods are used through the receiver of the service's own methods only", sel.Sel.Name, s.Name)
		}
	}
	if selection.Kind() != types.MethodVal {
		return
	}
	if v.constructs != nil {
		v.errorf(sel.Sel.Pos(), diag.Constructor, "build the state in the constructor itself; calls belong in methods",
			"call of %s.%s in constructor New%s: services answer only to requests", s.Name, sel.Sel.Name, v.constructs.Name)
		return
	}
	v.methodValue(sel, s, trim(stack, sel))
}

// methodValue checks that a method is called, or handed to a function as it is.
func (v *serviceVisitor) methodValue(sel *ast.SelectorExpr, s *ir.Service, stack []ast.Node) {
	if call, ok := above(stack, 1).(*ast.CallExpr); ok {
		if ast.Unparen(call.Fun) == sel {
			return
		}
		if fn := callee(v.info, call); fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != errgroupPath {
			return // a callback that does not outlive the call, or the alias checker says so
		}
	}
	v.errorf(sel.Sel.Pos(), diag.MethodValue, "call it, or write a function literal that calls it",
		"method value %s.%s: may outlive the request whose receiver it holds", s.Name, sel.Sel.Name)
}

// inConstructor checks a service value in a constructor: it may be kept.
func (v *serviceVisitor) inConstructor(e ast.Expr, s *ir.Service, parent ast.Node) {
	switch p := parent.(type) {
	case *ast.AssignStmt, *ast.KeyValueExpr, *ast.ValueSpec, *ast.ExprStmt, *ast.Field:
		return
	case *ast.ReturnStmt:
		if s == v.constructs {
			return
		}
	case *ast.CompositeLit:
		if p.Type != e {
			return
		}
	case *ast.UnaryExpr:
		if s == v.constructs && p.Op == token.AND {
			return
		}
	}
	v.errorf(e.Pos(), diag.Constructor, "only keep it in a field",
		"service %s used in constructor New%s: nothing can be asked of it before there is a request", s.Name, v.constructs.Name)
}

// passedOn reports whether e goes to a place of the same type, or is compared with nil.
func (v *serviceVisitor) passedOn(e ast.Expr, parent ast.Node, stack []ast.Node) bool {
	switch p := parent.(type) {
	case *ast.AssignStmt:
		for i, lhs := range p.Lhs {
			if ast.Unparen(lhs) == e {
				return true // a variable of the type; fields are the fields pass's
			}
			if len(p.Rhs) == len(p.Lhs) && ast.Unparen(p.Rhs[i]) == e {
				return v.same(e, v.info.TypeOf(lhs))
			}
		}
	case *ast.ValueSpec:
		if _, ok := stack[0].(*ast.FuncDecl); !ok {
			return false
		}
		return p.Type == nil || v.same(e, v.info.TypeOf(p.Type))
	case *ast.CallExpr:
		return v.argument(p, e)
	case *ast.ReturnStmt:
		return v.returned(p, e, stack)
	case *ast.BinaryExpr:
		other := p.X
		if ast.Unparen(p.X) == e {
			other = p.Y
		}
		return v.info.Types[other].IsNil()
	case *ast.ExprStmt, *ast.DeferStmt, *ast.GoStmt, *ast.Field:
		return true
	}
	return false
}

func (v *serviceVisitor) same(e ast.Expr, t types.Type) bool {
	return t != nil && types.Identical(v.info.TypeOf(e), t)
}

// argument reports whether call takes e as a parameter of its own type.
func (v *serviceVisitor) argument(call *ast.CallExpr, e ast.Expr) bool {
	if ast.Unparen(call.Fun) == e {
		return true
	}
	fun := v.info.Types[call.Fun]
	sig, ok := fun.Type.Underlying().(*types.Signature)
	if fun.IsType() || fun.IsBuiltin() || !ok {
		return false
	}
	for i, arg := range call.Args {
		if ast.Unparen(arg) != e {
			continue
		}
		if sig.Variadic() && i >= sig.Params().Len()-1 {
			return false
		}
		return i < sig.Params().Len() && v.same(e, sig.Params().At(i).Type())
	}
	return false
}

// returned reports whether ret returns e as a result of its own type.
func (v *serviceVisitor) returned(ret *ast.ReturnStmt, e ast.Expr, stack []ast.Node) bool {
	var sig *types.Signature
	for i := len(stack) - 1; i >= 0 && sig == nil; i-- {
		switch n := stack[i].(type) {
		case *ast.FuncLit:
			sig, _ = v.info.TypeOf(n).(*types.Signature)
		case *ast.FuncDecl:
			if fn, ok := v.info.Defs[n.Name].(*types.Func); ok {
				sig = fn.Signature()
			}
		}
	}
	if sig == nil || len(ret.Results) != sig.Results().Len() {
		return false
	}
	for i, r := range ret.Results {
		if ast.Unparen(r) == e {
			return v.same(e, sig.Results().At(i).Type())
		}
	}
	return false
}
