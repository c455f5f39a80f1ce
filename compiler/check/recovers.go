package check

import (
	"go/ast"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// recovers refuses recover where a panic of a service call or a state access
// could arrive: such a panic means that the attempt is over.
func recovers(u *pass.Unit) {
	c := newChecker(u)
	r := c.reach()
	recovering := map[*ir.Function]bool{}
	for _, f := range r.functions {
		ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || builtin(f.File.Pkg.Info, call) != "recover" {
				return true
			}
			recovering[f] = true
			if f.Touching() || len(f.Reach) > 0 {
				c.refuseRecover(r, f, call)
			}
			return true
		})
	}
	for _, f := range r.functions {
		if f.Touching() || len(f.Reach) > 0 {
			c.deferredRecover(r, f, recovering)
		}
	}
}

func (c *checker) refuseRecover(r *reached, f *ir.Function, at ast.Node) {
	c.report(at.Pos(), diag.Error, diag.Recover, c.chain(r, f), "let the panic end the request, or recover in a helper function that uses no service",
		"recover in %s, which uses services or state: a panic there ends the request and undoes it", f)
}

// deferredRecover refuses to defer a function that recovers.
func (c *checker) deferredRecover(r *reached, f *ir.Function, recovering map[*ir.Function]bool) {
	ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
		d, ok := n.(*ast.DeferStmt)
		if !ok {
			return true
		}
		g := c.prog.FunctionOf(callee(f.File.Pkg.Info, d.Call))
		if g != nil && g != f && recovering[g] && len(g.Reach) == 0 {
			c.refuseRecover(r, f, d)
		}
		return true
	})
}
