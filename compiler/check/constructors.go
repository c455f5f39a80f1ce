package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// constructors refuses constructors that do more than build the first state:
// they run once before the first request, without their dependencies. What
// concerns services as values is the services pass's.
func constructors(u *pass.Unit) {
	c := newChecker(u)
	for _, s := range u.Prog.Services {
		if s.Constructor == nil {
			continue
		}
		f := u.Prog.FunctionOf(s.Constructor.Func)
		if f == nil {
			continue
		}
		for _, g := range search([]*ir.Function{f}, everywhere).functions {
			if g.Method == nil {
				c.constructorBody(s, g)
			}
		}
	}
}

// constructorBody refuses goroutines and channels in a function that a
// constructor reaches, and lasting references to the state that it builds.
func (c *checker) constructorBody(s *ir.Service, f *ir.Function) {
	info := f.File.Pkg.Info
	inspect(f.Decl.Body, func(stack []ast.Node) bool {
		switch n := stack[len(stack)-1].(type) {
		case *ast.GoStmt:
			c.errorf(n.Pos(), diag.Goroutine, "build the state in the constructor itself", "go statement below constructor New%s: the state is stored when the constructor returns", s.Name)
		case *ast.UnaryExpr:
			if n.Op == token.AND && f.Func == s.Constructor.Func {
				c.stateAddress(s, n, info)
			}
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				if v := packageVariable(info, lhs); v != nil && f.Func == s.Constructor.Func {
					c.errorf(lhs.Pos(), diag.Global, "set a field", "assignment to package variable %s in constructor New%s: the constructor runs once in the life of the store, not in every process", v.Name(), s.Name)
				}
			}
		}
		return true
	})
}

// stateAddress refuses &x.field of the service under construction.
func (c *checker) stateAddress(s *ir.Service, n *ast.UnaryExpr, info *types.Info) {
	if sel, ok := ast.Unparen(n.X).(*ast.SelectorExpr); ok {
		if f := c.prog.Selected(info, sel); f != nil && f.Service == s {
			c.errorf(n.Pos(), diag.Address, "set the field instead", "address of field %s: state is not kept in memory", f.Name)
		}
	}
}
