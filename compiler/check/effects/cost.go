package effects

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/ir"
)

// indexOf returns the index right behind the field, or nil.
func indexOf(acc *ir.Access) ast.Expr {
	var index ast.Expr
	ast.Inspect(acc.Place, func(n ast.Node) bool {
		if i, ok := n.(*ast.IndexExpr); ok && ast.Unparen(i.X) == acc.Sel {
			index = i.Index
		}
		return index == nil
	})
	return index
}

// assigned returns the variables that body may assign after their declaration.
func assigned(body *ast.BlockStmt, info *types.Info) map[types.Object]bool {
	out := map[types.Object]bool{}
	mark := func(e ast.Expr) {
		for {
			switch n := ast.Unparen(e).(type) {
			case *ast.SelectorExpr:
				e = n.X
				continue
			case *ast.IndexExpr:
				e = n.X
				continue
			case *ast.Ident:
				if obj := info.Uses[n]; obj != nil {
					out[obj] = true
				}
			}
			return
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				mark(lhs)
			}
		case *ast.IncDecStmt:
			mark(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				mark(n.Key)
				mark(n.Value)
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				mark(n.X)
			}
		}
		return true
	})
	return out
}
