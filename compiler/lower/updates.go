package lower

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/rewrite"
)

// updates rewrites the assignments whose left side is state:
//
//	h.rooms[id] = room          h.rooms.Set(id, room)
//	h.total += n                h.total.Add(n), where nothing needs the sum
//	h.seats[id] -= n            *h.seats.Ref(id) -= n
//	o.placed = append(o.placed, x)    o.placed.Append(x)
//	h.a, h.b = h.b, h.a         *h.a.Ref(), *h.b.Ref() = h.b.Get(), h.a.Get()
func (f *file) updates() {
	for _, c := range f.methods {
		for stmt := range c.Preorder((*ast.AssignStmt)(nil), (*ast.IncDecStmt)(nil)) {
			switch s := stmt.Node().(type) {
			case *ast.IncDecStmt:
				f.step(stmt, s)
			case *ast.AssignStmt:
				f.assignment(stmt, s)
			}
		}
	}
}

// step rewrites h.total++ where nothing needs the sum; otherwise the place
// becomes a variable like any other.
func (f *file) step(c inspector.Cursor, s *ast.IncDecStmt) {
	if f.prog.Blind[s] == nil {
		return
	}
	one := &ast.BasicLit{Kind: token.INT, Value: "1"}
	f.add(c, s, s.X, one, s.Tok == token.DEC)
}

func (f *file) assignment(c inspector.Cursor, s *ast.AssignStmt) {
	if s.Tok == token.DEFINE {
		return
	}
	targets, found := f.targets(c, s)
	switch {
	case !found:
	case len(s.Lhs) > 1:
		f.several(c, s, targets)
	case s.Tok == token.ASSIGN:
		f.single(c, s, targets[0])
	case f.prog.Blind[s] != nil:
		f.add(c, s, s.Lhs[0], s.Rhs[0], s.Tok == token.SUB_ASSIGN)
	default:
		f.operation(c, s, targets[0])
	}
}

// lvalue is one left side of an assignment.
type lvalue struct {
	expr  ast.Expr
	place place // where the expression is state, or a part of it
	use   use   // target or through; read where it is no state
}

// targets returns the left sides of s and whether any of them is state.
func (f *file) targets(c inspector.Cursor, s *ast.AssignStmt) (targets []lvalue, found bool) {
	for i, lhs := range s.Lhs {
		t := lvalue{expr: lhs}
		at := c.ChildAt(assignLhs, i)
		for sel := range at.Preorder((*ast.SelectorExpr)(nil)) {
			p, ok := f.placeAt(sel)
			if !ok {
				continue
			}
			if u := f.useOf(p); f.extent(p) == at && (u == target || u == through) {
				t.place, t.use, found = p, u, true
			}
		}
		targets = append(targets, t)
	}
	return targets, found
}

// add rewrites a blind update.
func (f *file) add(c inspector.Cursor, s ast.Stmt, x, operand ast.Expr, negative bool) {
	p, ok := f.placeIn(c, x)
	if !ok {
		panic("lower: a blind update of no field at " + f.prog.Position(x.Pos()).String())
	}
	f.taken[p.cur.Node()] = true
	holes := f.holes(p)
	holes["n"] = f.operand(p, operand, negative)
	call := "$x.$field.Add($n)"
	if p.index != nil {
		call = "$x.$field.Add($i, $n)"
	}
	f.Replace("updates", s, call, holes)
}

// placeIn returns the place that x, below c, is.
func (f *file) placeIn(c inspector.Cursor, x ast.Expr) (place, bool) {
	at, _ := c.FindNode(ast.Unparen(x))
	for sel := range at.Preorder((*ast.SelectorExpr)(nil)) {
		if p, ok := f.placeAt(sel); ok && p.cur == at {
			return p, true
		}
	}
	return place{}, false
}

// operand returns what to add: x, or its negation. A constant may have none in
// the field's type, where wrapping around gives the same.
func (f *file) operand(p place, x ast.Expr, negative bool) any {
	if !negative {
		if lit, ok := x.(*ast.BasicLit); ok && !lit.Pos().IsValid() {
			return lit.Value
		}
		return x
	}
	value := f.info.Types[x].Value
	if lit, ok := x.(*ast.BasicLit); ok && !lit.Pos().IsValid() {
		value = constant.MakeInt64(1)
	}
	if value == nil {
		return rewrite.Compose(negation(x), rewrite.Holes{"x": x})
	}
	value = constant.ToInt(value)
	basic := p.field.Elem.Underlying().(*types.Basic)
	if basic.Info()&types.IsUnsigned != 0 && constant.Sign(value) > 0 {
		// -n is ^(n-1).
		less := constant.BinaryOp(value, token.SUB, constant.MakeInt64(1))
		return "^" + f.typeText(p.field.Elem) + "(" + less.ExactString() + ")"
	}
	if constant.Sign(value) > 0 && x.Pos().IsValid() {
		return rewrite.Compose(negation(x), rewrite.Holes{"x": x})
	}
	return strings.TrimPrefix("-"+value.ExactString(), "--")
}

func negation(x ast.Expr) string {
	switch ast.Unparen(x).(type) {
	case *ast.BinaryExpr, *ast.UnaryExpr, *ast.StarExpr:
		if _, ok := x.(*ast.ParenExpr); !ok {
			return "-($x)"
		}
	}
	return "-$x"
}

// operation rewrites h.total += n where the sum is needed. The place becomes a
// variable; calls on the right that may reach state run before it is looked up,
// as in plain Go, where the left side is read last.
func (f *file) operation(c inspector.Cursor, s *ast.AssignStmt, t lvalue) {
	if f.reaches(s.Rhs[0]) {
		f.hoist(c, s, t)
	}
}

// hoist computes the right side first:
//
//	h.total += h.price(id)
//
//	v := h.price(id)
//	*h.total.Ref() += v
func (f *file) hoist(c inspector.Cursor, s *ast.AssignStmt, t lvalue) {
	q := f.newSequence(c, s)
	var lhs any = t.expr
	if t.use == target {
		q.operands(&t)
		lhs = rewrite.Compose("*"+t.place.ref(), f.holes(t.place))
	} else if f.reaches(t.expr) {
		f.errorf(t.expr, diag.Evaluation, "call the function in a statement before", "assignment to %s: both sides call functions that may use state", f.Original(t.expr))
		return
	}
	v := q.temp(f.typed(s.Rhs[0]))
	q.define()
	q.lines = append(q.lines, rewrite.Compose("$lhs $op $v", rewrite.Holes{"lhs": lhs, "op": s.Tok.String(), "v": v}))
	f.lines(c, s, q.lines)
}

// single rewrites h.x = v.
func (f *file) single(c inspector.Cursor, s *ast.AssignStmt, t lvalue) {
	if t.use == through {
		if f.reaches(s.Rhs[0]) {
			f.hoist(c, s, t)
		}
		return
	}
	f.taken[t.place.cur.Node()] = true
	if t.place.field.Kind == ir.Slice && t.place.index == nil && f.resized(s, t.place) {
		return
	}
	frag := f.store(t.place, s.Rhs[0])
	f.Replace("updates", s, "$stmt", rewrite.Holes{"stmt": frag})
}

// store returns the statement that assigns value to p.
func (f *file) store(p place, value any) rewrite.Fragment {
	holes := f.holes(p)
	holes["v"] = value
	switch {
	case p.index != nil:
		return rewrite.Compose("$x.$field.Set($i, $v)", holes)
	case p.field.Kind == ir.Value:
		return rewrite.Compose("$x.$field.Set($v)", holes)
	}
	return rewrite.Compose("$x.$field.Assign($v)", holes)
}

// resized rewrites the assignments that make a slice longer or shorter at its end.
func (f *file) resized(s *ast.AssignStmt, p place) bool {
	holes := f.holes(p)
	switch rhs := ast.Unparen(s.Rhs[0]).(type) {
	case *ast.CallExpr:
		if !isBuiltin(f.info, rhs, "append") || !f.same(p, rhs.Args[0]) {
			return false
		}
		f.takeIn(rhs.Args[0])
		holes["args"] = ""
		if len(rhs.Args) > 1 {
			holes["args"] = rewrite.Span{From: rhs.Args[1].Pos(), To: rhs.Rparen}
		}
		f.Replace("updates", s, "$x.$field.Append($args)", holes)
	case *ast.SliceExpr:
		if rhs.Low != nil || rhs.High == nil || rhs.Max != nil || !f.same(p, rhs.X) {
			return false
		}
		f.takeIn(rhs.X)
		holes["n"] = rhs.High
		text := "$x.$field.Truncate($n)"
		if !isInt(f.info.TypeOf(rhs.High)) {
			text = "$x.$field.Truncate(int($n))"
		}
		f.Replace("updates", s, text, holes)
	default:
		return false
	}
	return true
}

// same reports whether x is the field of p, selected from the same variable.
func (f *file) same(p place, x ast.Expr) bool {
	sel, ok := ast.Unparen(x).(*ast.SelectorExpr)
	return ok && f.prog.Selected(f.info, sel) == p.field && f.base(sel.X) != nil && f.base(sel.X) == f.base(p.sel.X)
}

// base returns the variable that x is, parentheses and a dereference left out.
func (f *file) base(x ast.Expr) types.Object {
	x = ast.Unparen(x)
	if star, ok := x.(*ast.StarExpr); ok {
		x = ast.Unparen(star.X)
	}
	if id, ok := x.(*ast.Ident); ok {
		return f.info.Uses[id]
	}
	return nil
}

// takeIn marks the field that x is as dealt with.
func (f *file) takeIn(x ast.Expr) { f.taken[ast.Unparen(x)] = true }
