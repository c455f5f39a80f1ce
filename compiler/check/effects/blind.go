package effects

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/ir"
)

// blindUpdates finds the statements that add to an integer field (or map entry)
// without needing its value: s.count++, s.hits[k] += n. Where the same method
// also reads the field, the value is at hand and adding blindly gains nothing.
func blindUpdates(prog *ir.Program) map[ast.Stmt]*ir.Field {
	blind := map[ast.Stmt]*ir.Field{}
	for _, s := range prog.Services {
		for m := range s.All() {
			if m.Decl.Body != nil {
				addBlind(blind, prog, m)
			}
		}
	}
	return blind
}

func addBlind(blind map[ast.Stmt]*ir.Field, prog *ir.Program, m *ir.Method) {
	info := m.File.Pkg.Info
	targets := map[*ast.SelectorExpr]bool{}
	candidates := map[ast.Stmt]*ir.Field{}
	var order []ast.Stmt
	ast.Inspect(m.Decl.Body, func(n ast.Node) bool {
		stmt, ok := n.(ast.Stmt)
		if !ok {
			return true
		}
		if sel, f := blindTarget(prog, info, stmt); f != nil {
			targets[sel] = true
			candidates[stmt] = f
			order = append(order, stmt)
		}
		return true
	})
	other := map[*ir.Field]bool{} // fields that the method mentions otherwise
	ast.Inspect(m.Decl.Body, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && !targets[sel] {
			if f := prog.Selected(info, sel); f != nil {
				other[f] = true
			}
		}
		return true
	})
	for _, stmt := range order {
		if f := candidates[stmt]; !other[f] {
			blind[stmt] = f
		}
	}
}

// blindTarget returns the field that stmt adds to, and its selector, or nil.
func blindTarget(prog *ir.Program, info *types.Info, stmt ast.Stmt) (*ast.SelectorExpr, *ir.Field) {
	var target ast.Expr
	switch stmt := stmt.(type) {
	case *ast.IncDecStmt:
		target = stmt.X
	case *ast.AssignStmt:
		if stmt.Tok != token.ADD_ASSIGN && stmt.Tok != token.SUB_ASSIGN {
			return nil, nil
		}
		target = stmt.Lhs[0]
	default:
		return nil, nil
	}
	basic, ok := info.TypeOf(target).Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsInteger == 0 {
		return nil, nil
	}
	want := ir.Value
	target = ast.Unparen(target)
	if index, ok := target.(*ast.IndexExpr); ok {
		want, target = ir.Map, ast.Unparen(index.X)
	}
	sel, ok := target.(*ast.SelectorExpr)
	if !ok {
		return nil, nil
	}
	f := prog.Selected(info, sel)
	if f == nil || f.Kind != want || len(info.Selections[sel].Index()) != 1 {
		return nil, nil
	}
	return sel, f
}
