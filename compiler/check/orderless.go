package check

import (
	"go/ast"
	"go/token"
	"go/types"
)

// orderless reports whether the order in which a loop visits a map cannot show: its body
// only fills maps under the loop's key, deletes from maps, counts, adds integers up,
// and collects into slices that are sorted later.
func (v *flowVisitor) orderless(loop *ast.RangeStmt) bool {
	return v.orderlessBlock(loop, loop.Body.List)
}

func (v *flowVisitor) orderlessBlock(loop *ast.RangeStmt, list []ast.Stmt) bool {
	for _, s := range list {
		if !v.orderlessStmt(loop, s) {
			return false
		}
	}
	return true
}

func (v *flowVisitor) orderlessStmt(loop *ast.RangeStmt, s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.EmptyStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE && s.Label == nil
	case *ast.BlockStmt:
		return v.orderlessBlock(loop, s.List)
	case *ast.IfStmt:
		return s.Init == nil && v.pure(loop, s.Cond) && v.orderlessBlock(loop, s.Body.List) && (s.Else == nil || v.orderlessStmt(loop, s.Else))
	case *ast.IncDecStmt:
		return v.integer(s.X) && v.place(loop, s.X)
	case *ast.AssignStmt:
		return v.orderlessAssign(loop, s)
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && builtin(v.info, call) == "delete" && v.pure(loop, call.Args[1])
	}
	return false
}

// orderlessAssign allows n += v of integers, m[k] = v for the loop's own k, and
// list = append(list, v) where the list is sorted afterwards.
func (v *flowVisitor) orderlessAssign(loop *ast.RangeStmt, s *ast.AssignStmt) bool {
	if len(s.Lhs) != 1 || len(s.Rhs) != 1 {
		return false
	}
	switch s.Tok {
	case token.ADD_ASSIGN, token.OR_ASSIGN, token.AND_ASSIGN, token.XOR_ASSIGN:
		return v.integer(s.Lhs[0]) && v.place(loop, s.Lhs[0]) && v.pure(loop, s.Rhs[0])
	case token.ASSIGN:
	default:
		return false
	}
	if list := v.appends(v.info, s); list != nil {
		call, ok := ast.Unparen(s.Rhs[0]).(*ast.CallExpr)
		if !ok || !sorted(v.f, list) {
			return false
		}
		for _, arg := range call.Args[1:] {
			if !v.pure(loop, arg) {
				return false
			}
		}
		return true
	}
	index, ok := ast.Unparen(s.Lhs[0]).(*ast.IndexExpr)
	if !ok || !isMap(v.info.TypeOf(index.X)) || !v.pure(loop, s.Rhs[0]) {
		return false
	}
	_, named := ast.Unparen(index.X).(*ast.Ident)
	key := identOf(loop.Key)
	return named && key.Name != "_" && isIdent(index.Index, v.info, asVar(v.info.ObjectOf(key)))
}

func (v *flowVisitor) integer(e ast.Expr) bool {
	basic, ok := v.info.TypeOf(e).Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsInteger != 0
}

// place reports whether e is a variable, or an entry under the loop's own variables.
func (v *flowVisitor) place(loop *ast.RangeStmt, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return true
	case *ast.IndexExpr:
		_, named := ast.Unparen(e.X).(*ast.Ident)
		return named && v.pure(loop, e.Index)
	}
	return false
}

// pure reports whether the value of e depends on nothing that the loop changes, and
// calls nothing.
func (v *flowVisitor) pure(loop *ast.RangeStmt, e ast.Expr) bool {
	pure := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if tv := v.info.Types[n.Fun]; !tv.IsType() && builtin(v.info, n) != "len" {
				pure = false
			}
		case *ast.FuncLit:
			pure = false
		case *ast.Ident:
			if obj := asVar(v.info.Uses[n]); obj != nil && v.changedIn(loop, obj) {
				pure = false
			}
		}
		return pure
	})
	return pure
}

// changedIn reports whether the body of the loop assigns to a variable or to a part of it.
func (v *flowVisitor) changedIn(loop *ast.RangeStmt, obj *types.Var) bool {
	changed := false
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				changed = changed || rootVariable(v.info, lhs) == obj
			}
		case *ast.IncDecStmt:
			changed = changed || rootVariable(v.info, n.X) == obj
		case *ast.CallExpr:
			if b := builtin(v.info, n); b == "delete" || b == "clear" {
				changed = changed || rootVariable(v.info, n.Args[0]) == obj
			}
		}
		return !changed
	})
	return changed
}

// rootVariable returns the variable that e is a part of, or is reached from, or nil.
func rootVariable(info *types.Info, e ast.Expr) *types.Var {
	for {
		switch n := ast.Unparen(e).(type) {
		case *ast.StarExpr:
			e = n.X
		case *ast.IndexExpr:
			e = n.X
		case *ast.SliceExpr:
			e = n.X
		case *ast.SelectorExpr:
			if _, ok := info.Selections[n]; !ok {
				return asVar(info.Uses[n.Sel])
			}
			e = n.X
		case *ast.TypeAssertExpr:
			e = n.X
		case *ast.Ident:
			return asVar(info.ObjectOf(n))
		default:
			return nil
		}
	}
}
