package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// order warns where the iteration order of a persistent map shows: the plain
// program visits it in any order, the compiled one by key.
func order(u *pass.Unit) {
	c := newChecker(u)
	for f := range c.rewritten {
		if f.Method == nil {
			continue
		}
		info := f.File.Pkg.Info
		inspect(f.Decl.Body, func(stack []ast.Node) bool {
			switch n := stack[len(stack)-1].(type) {
			case *ast.RangeStmt:
				if field := c.mapField(info, n.X); field != nil {
					c.rangeOrder(f, field, n)
				}
			case *ast.CallExpr:
				c.iteratorOrder(f, n, stack)
			}
			return true
		})
	}
}

// mapField returns the persistent map that e is, or nil.
func (c *checker) mapField(info *types.Info, e ast.Expr) *ir.Field {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if field := c.prog.Selected(info, sel); field != nil && field.Kind == ir.Map && len(info.Selections[sel].Index()) == 1 {
		return field
	}
	return nil
}

const orderFix = "sort what is collected, or range over sorted keys: slices.Sorted(maps.Keys(…))"

func (c *checker) rangeOrder(f *ir.Function, field *ir.Field, loop *ast.RangeStmt) {
	info := f.File.Pkg.Info
	inspect(loop.Body, func(stack []ast.Node) bool {
		switch n := stack[len(stack)-1].(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if mentions(info, n, info.ObjectOf(identOf(loop.Key))) || mentions(info, n, info.ObjectOf(identOf(loop.Value))) {
				c.warnf(n.Pos(), diag.Order, orderFix, "return from a range over map %s: which entry comes first is open in plain Go", field.Name)
			}
		case ast.Stmt:
			if v := c.collects(info, n); v != nil && (v.Pos() < loop.Pos() || v.Pos() > loop.End()) && (v.IsField() || shows(f, v)) && !sorted(f, v) {
				c.warnf(n.Pos(), diag.Order, orderFix, "%s collects the entries of map %s in an order that is open in plain Go", v.Name(), field.Name)
			}
		}
		return true
	})
}

func identOf(e ast.Expr) *ast.Ident {
	id, _ := e.(*ast.Ident)
	if id == nil {
		return &ast.Ident{}
	}
	return id
}

func mentions(info *types.Info, n ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && obj != nil && info.Uses[id] == obj {
			found = true
		}
		return !found
	})
	return found
}

// collects returns the variable or persistent field that a statement x = append(x, …),
// s += …, b.WriteString(…) or fmt.Fprint(&b, …) grows at its end, or nil.
func (c *checker) collects(info *types.Info, n ast.Stmt) *types.Var {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if len(n.Lhs) == 1 && len(n.Rhs) == 1 {
			return c.appends(info, n)
		}
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); ok {
			return writes(info, call)
		}
	}
	return nil
}

func (c *checker) appends(info *types.Info, n *ast.AssignStmt) *types.Var {
	target := ast.Unparen(n.Lhs[0])
	v := variable(info, target)
	if sel, ok := target.(*ast.SelectorExpr); ok {
		if field := c.prog.Selected(info, sel); field != nil && field.Kind.Persistent() {
			v = field.Var
		}
	}
	if v == nil {
		return nil
	}
	if n.Tok == token.ADD_ASSIGN {
		if basic, ok := v.Type().Underlying().(*types.Basic); ok && basic.Info()&types.IsString != 0 {
			return v
		}
		return nil
	}
	call, ok := ast.Unparen(n.Rhs[0]).(*ast.CallExpr)
	if ok && builtin(info, call) == "append" && types.ExprString(call.Args[0]) == types.ExprString(target) {
		return v
	}
	return nil
}

// writes returns the strings.Builder or bytes.Buffer that a call writes to, or nil.
func writes(info *types.Info, call *ast.CallExpr) *types.Var {
	fn := callee(info, call)
	if fn == nil || fn.Pkg() == nil {
		return nil
	}
	to := ast.Expr(nil)
	switch sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); {
	case ok && fn.Signature().Recv() != nil && strings.HasPrefix(fn.Name(), "Write"):
		to = sel.X
	case fn.Pkg().Path() == "fmt" && strings.HasPrefix(fn.Name(), "Fprint"):
		to = call.Args[0]
	default:
		return nil
	}
	if address, ok := ast.Unparen(to).(*ast.UnaryExpr); ok && address.Op == token.AND {
		to = address.X
	}
	v := variable(info, to)
	if v == nil {
		return nil
	}
	switch strings.TrimPrefix(v.Type().String(), "*") {
	case "strings.Builder", "bytes.Buffer":
		return v
	}
	return nil
}

// variable returns the variable that e names, or nil.
func variable(info *types.Info, e ast.Expr) *types.Var {
	v, _ := info.Uses[identOf(ast.Unparen(e))].(*types.Var)
	return v
}

// shows reports whether the order of v's elements may be seen: v is a named
// result, or used otherwise than to grow, to measure or to range over.
func shows(f *ir.Function, v *types.Var) bool {
	info := f.File.Pkg.Info
	for result := range f.Func.Signature().Results().Variables() {
		if result == v {
			return true
		}
	}
	found := false
	inspect(f.Decl.Body, func(stack []ast.Node) bool {
		id, ok := stack[len(stack)-1].(*ast.Ident)
		if !ok || info.Uses[id] != v {
			return !found
		}
		switch p := above(stack, 1).(type) {
		case *ast.AssignStmt:
			found = found || ast.Unparen(p.Lhs[0]) != id
		case *ast.RangeStmt:
		case *ast.CallExpr:
			b := builtin(info, p)
			found = found || b != "len" && b != "append"
		default:
			found = true
		}
		return true
	})
	return found
}

// sorted reports whether f hands v to a function of slices or sort that orders it.
func sorted(f *ir.Function, v *types.Var) bool {
	info := f.File.Pkg.Info
	found := false
	ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return !found
		}
		fn := callee(info, call)
		if fn == nil || fn.Pkg() == nil || len(call.Args) == 0 {
			return !found
		}
		switch fn.Pkg().Path() + "." + fn.Name() {
		case "slices.Sort", "slices.SortFunc", "slices.SortStableFunc", "slices.Max", "slices.Min",
			"sort.Slice", "sort.SliceStable", "sort.Sort", "sort.Stable", "sort.Strings", "sort.Ints", "sort.Float64s":
			found = found || mentions(info, call.Args[0], v)
		}
		return !found
	})
	return found
}

// iteratorOrder warns about maps.Keys and its like over a persistent map, unless
// what they yield is sorted at once.
func (c *checker) iteratorOrder(f *ir.Function, call *ast.CallExpr, stack []ast.Node) {
	info := f.File.Pkg.Info
	fn := callee(info, call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "maps" || !slices.Contains([]string{"Keys", "Values", "All"}, fn.Name()) {
		return
	}
	field := c.mapField(info, call.Args[0])
	if field == nil {
		return
	}
	if outer, ok := above(stack, 1).(*ast.CallExpr); ok {
		if by := callee(info, outer); by != nil && by.Pkg() != nil {
			switch by.Pkg().Path() + "." + by.Name() {
			case "slices.Sorted", "slices.SortedFunc", "slices.SortedStableFunc", "maps.Collect":
				return
			}
		}
	}
	c.warnf(call.Pos(), diag.Order, orderFix, "maps.%s over map %s: the order is open in plain Go", fn.Name(), field.Name)
}
