package effects

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"

	"github.com/onefold/onefold/compiler/ir"
)

// where names something that happens any number of times by its position.
func (w *walker) where(what string, pos token.Pos) ir.Times {
	at := w.prog.Position(pos)
	return ir.Times{Where: fmt.Sprintf("%s(%s:%d)", what, filepath.Base(at.Filename), at.Line)}
}

// fewest is how many runs of a loop are still written out where their number is constant.
const fewest = 16

// elements returns how often a range over e runs; fixed is negative if it is not constant.
func (w *walker) elements(e ast.Expr) (times ir.Times, fixed int) {
	times = w.where("loop", e.Pos())
	t := w.info.TypeOf(e)
	if n := w.constant(e); n >= 0 {
		return times, n
	}
	under := t.Underlying()
	if ptr, ok := under.(*types.Pointer); ok {
		under = ptr.Elem().Underlying()
	}
	switch under := under.(type) {
	case *types.Array:
		if under.Len() <= fewest {
			return times, int(under.Len())
		}
	case *types.Slice, *types.Map:
		return w.parameter(e, true, times), -1
	case *types.Basic:
		if under.Info()&types.IsInteger != 0 {
			return w.parameter(e, false, times), -1
		}
	}
	return times, -1
}

// counted returns how often a for statement of the usual form runs, as elements does.
func (w *walker) counted(s *ast.ForStmt) (times ir.Times, fixed int) {
	times = w.where("loop", s.Pos())
	cond, ok := ast.Unparen(s.Cond).(*ast.BinaryExpr)
	init, starts := s.Init.(*ast.AssignStmt)
	inc, steps := s.Post.(*ast.IncDecStmt)
	if !ok || !starts || !steps || cond.Op != token.LSS || inc.Tok != token.INC || len(init.Rhs) != 1 || w.constant(init.Rhs[0]) != 0 {
		return times, -1
	}
	i := w.variable(init.Lhs[0])
	if i == nil || i != w.variable(cond.X) || i != w.variable(inc.X) || assigned(s.Body, w.info)[i] {
		return times, -1
	}
	if n := w.constant(cond.Y); n >= 0 {
		return times, n
	}
	if call, ok := ast.Unparen(cond.Y).(*ast.CallExpr); ok && len(call.Args) == 1 {
		if b, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && b.Name == "len" {
			return w.parameter(call.Args[0], true, times), -1
		}
	}
	return w.parameter(cond.Y, false, times), -1
}

// constant returns the value of a small constant that is not negative, or -1.
func (w *walker) constant(e ast.Expr) int {
	v := w.info.Types[e].Value
	if v == nil || v.Kind() != constant.Int {
		return -1
	}
	if n, exact := constant.Int64Val(v); exact && n >= 0 && n <= fewest {
		return int(n)
	}
	return -1
}

// parameter returns what a parameter, or a field in one, says; otherwise if e is no such.
func (w *walker) parameter(e ast.Expr, len bool, otherwise ir.Times) ir.Times {
	param, fields := w.named(e)
	if param == nil {
		return otherwise
	}
	return ir.Times{Param: param, Path: fields, Len: len, Where: otherwise.Where}
}

// named returns the parameter and the fields in it that e names, if nothing assigns them.
func (w *walker) named(e ast.Expr) (*types.Var, []string) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, ok := w.info.Uses[e].(*types.Var)
		if ok && !w.unstable[v] && isParam(w.fn, v) {
			return v, nil
		}
	case *ast.SelectorExpr:
		if s := w.info.Selections[e]; s != nil && s.Kind() == types.FieldVal {
			if param, fields := w.named(e.X); param != nil {
				return param, append(fields, e.Sel.Name)
			}
		}
	}
	return nil, nil
}

func isParam(sig *types.Signature, v *types.Var) bool {
	for i := range sig.Params().Len() {
		if sig.Params().At(i) == v {
			return true
		}
	}
	return false
}

// passed returns what a callee's formula is in terms of the caller's parameters.
func (w *walker) passed(f ir.Formula, callee *ir.Function, call *ast.CallExpr) ir.Formula {
	sig := callee.Func.Signature()
	return f.Replace(func(t ir.Times) ir.Times {
		if t.Param == nil {
			return t
		}
		other := ir.Times{Where: t.Where}
		for i := range sig.Params().Len() {
			if sig.Params().At(i) != t.Param || call == nil || i >= len(call.Args) || len(call.Args) != sig.Params().Len() || sig.Variadic() && !call.Ellipsis.IsValid() {
				continue
			}
			if param, fields := w.named(call.Args[i]); param != nil {
				return ir.Times{Param: param, Path: append(fields, t.Path...), Len: t.Len, Where: t.Where}
			}
		}
		return other
	})
}
