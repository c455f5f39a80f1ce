package lower

import (
	"go/ast"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/rewrite"
)

// steps makes a workflow call the endpoints of its own service as steps:
//
//	s.Reserve(ctx, order)
//	s.self().Reserve(ctx, order)
func (f *file) steps() {
	for m, c := range f.methods {
		if !f.inFlow(m) || m.Receiver() == nil {
			continue
		}
		for sel := range c.Preorder((*ast.SelectorExpr)(nil)) {
			n := sel.Node().(*ast.SelectorExpr)
			s := f.info.Selections[n]
			if s == nil || s.Kind() != types.MethodVal || f.prog.Pointee(s.Recv()) != m.Service {
				continue
			}
			called := f.prog.MethodOf(s.Obj().(*types.Func))
			if called == nil || !called.Endpoint() || !f.isReceiver(m, n.X) || f.Replaced(n) {
				continue
			}
			f.Replace("steps", n.X, "$x.$self()", rewrite.Holes{"x": rewrite.Inside{Node: n.X}, "self": f.names.Service(m.Service).Self})
		}
	}
}

// inFlow reports whether m runs in workflows.
func (f *file) inFlow(m *ir.Method) bool {
	fn := f.prog.FunctionOf(m.Func)
	return fn != nil && fn.Runs&ir.InWorkflow != 0
}

// isReceiver reports whether x is the receiver of m, as s or (*s) is.
func (f *file) isReceiver(m *ir.Method, x ast.Expr) bool {
	for {
		switch n := x.(type) {
		case *ast.ParenExpr:
			x = n.X
		case *ast.StarExpr:
			x = n.X
		case *ast.Ident:
			return f.info.Uses[n] == m.Receiver()
		default:
			return false
		}
	}
}

// receiver returns the name of m's receiver for new code at n, "" where another
// variable hides it, which it reports.
func (f *file) receiver(m *ir.Method, n ast.Node, what string) string {
	recv := m.Receiver()
	if !f.visible(recv, n.Pos()) {
		f.errorf(n, diag.Workflow, "rename the variable", "%s: a variable hides the receiver %s here", what, recv.Name())
		return ""
	}
	return recv.Name()
}
