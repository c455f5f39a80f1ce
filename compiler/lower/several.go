package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/rewrite"
)

const assignLhs = edge.AssignStmt_Lhs

// several rewrites an assignment with several left sides, some of them state. Go
// evaluates in two phases: first the operands on the left and everything on the
// right, then it assigns from left to right.
func (f *file) several(c inspector.Cursor, s *ast.AssignStmt, targets []lvalue) {
	if f.swappable(s, targets) {
		return // the places become variables, and the assignment stays as it is
	}
	q := f.newSequence(c, s)
	for i := range targets {
		if !q.operands(&targets[i]) {
			return
		}
	}
	q.values(s)
	q.define()
	for i, t := range targets {
		q.assign(t, q.results[i])
	}
	f.lines(c, s, q.lines)
}

// swappable reports whether the left sides may all become variables that are
// looked up before the right side is evaluated: nothing there can tell.
func (f *file) swappable(s *ast.AssignStmt, targets []lvalue) bool {
	if len(s.Rhs) != len(s.Lhs) {
		return false
	}
	for _, t := range targets {
		if t.use == target && t.place.index == nil && t.place.field.Kind != ir.Value {
			return false
		}
		if t.use == target && t.place.field.Kind == ir.Map {
			return false // looking up makes the entry, which len and others would see
		}
	}
	return !slices.ContainsFunc(s.Rhs, f.reaches)
}

// sequence is an assignment taken apart: temporary variables, then one statement
// for each left side.
type sequence struct {
	*file
	scope    ast.Node
	assigned map[types.Object]bool // what the statement assigns to
	names    []string              // temporary variables
	exprs    []any                 // and their values
	results  []any                 // what to assign to each left side
	lines    []any
}

func (f *file) newSequence(c inspector.Cursor, s *ast.AssignStmt) *sequence {
	return &sequence{file: f, scope: function(c), assigned: assignedVars(f.info, s)}
}

// define adds the statement that evaluates the temporary variables.
func (q *sequence) define() {
	if len(q.names) == 0 {
		return
	}
	op := ":="
	if !slices.ContainsFunc(q.names, func(name string) bool { return name != "_" }) {
		op = "="
	}
	values := rewrite.Holes{}
	text := "$names $op "
	for i, e := range q.exprs {
		hole := "e" + strconv.Itoa(i)
		values[hole] = e
		if i > 0 {
			text += ", "
		}
		text += "$" + hole
	}
	values["names"], values["op"] = strings.Join(q.names, ", "), op
	q.lines = append(q.lines, rewrite.Compose(text, values))
}

// temp returns a new variable that holds value.
func (q *sequence) temp(value any) string {
	name := q.Fresh(q.scope, "v")
	q.names = append(q.names, name)
	q.exprs = append(q.exprs, value)
	return name
}

// operands evaluates what the left side t is computed from, where the
// assignment may change it or it has effects of its own.
func (q *sequence) operands(t *lvalue) bool {
	switch {
	case t.use == target:
		q.taken[t.place.cur.Node()] = true
		if t.place.index != nil && !q.stable(t.place.index) {
			t.place.temp = q.temp(t.place.index)
		}
	case !isIdent(t.expr) && !q.stable(t.expr):
		q.errorf(t.expr, diag.Evaluation, "assign one by one", "assignment to %s beside other state: its operands change in the same statement", q.Original(t.expr))
		return false
	}
	return true
}

// values evaluates the right sides.
func (q *sequence) values(s *ast.AssignStmt) {
	if len(s.Rhs) == len(s.Lhs) {
		for i, rhs := range s.Rhs {
			tv := q.info.Types[rhs]
			switch {
			case tv.Value != nil || tv.IsNil():
				q.results = append(q.results, rhs)
			case isBlank(s.Lhs[i]):
				q.names, q.exprs = append(q.names, "_"), append(q.exprs, rhs)
				q.results = append(q.results, nil)
			default:
				q.results = append(q.results, q.temp(q.typed(rhs)))
			}
		}
		return
	}
	for _, lhs := range s.Lhs {
		name := "_"
		if !isBlank(lhs) {
			name = q.Fresh(q.scope, "v")
		}
		q.names = append(q.names, name)
		q.results = append(q.results, name)
	}
	q.exprs = append(q.exprs, s.Rhs[0])
}

func (q *sequence) assign(t lvalue, value any) {
	switch {
	case isBlank(t.expr):
	case t.use == target:
		q.lines = append(q.lines, q.store(t.place, value))
	default:
		q.lines = append(q.lines, rewrite.Compose("$lhs = $v", rewrite.Holes{"lhs": t.expr, "v": value}))
	}
}

// lines replaces s by the given statements.
func (f *file) lines(c inspector.Cursor, s ast.Stmt, lines []any) {
	holes := rewrite.Holes{}
	var names []string
	for i, l := range lines {
		name := "s" + strconv.Itoa(i)
		holes[name] = l
		names = append(names, "$"+name)
	}
	switch {
	case len(lines) == 1:
		f.Replace("updates", s, names[0], holes)
	case inBlock(c) && !hasGoto(function(c)):
		f.Replace("updates", s, strings.Join(names, "\n"), holes)
	default: // where the grammar has room for one simple statement
		f.Replace("updates", s, "func() { "+strings.Join(names, "; ")+" }()", holes)
	}
}

// hasGoto reports whether fn has a goto, which may not jump over the declaration
// of a variable.
func hasGoto(fn ast.Node) bool {
	found := false
	ast.Inspect(fn, func(n ast.Node) bool {
		branch, ok := n.(*ast.BranchStmt)
		found = found || ok && branch.Tok == token.GOTO
		return !found
	})
	return found
}

func isIdent(e ast.Expr) bool {
	_, ok := ast.Unparen(e).(*ast.Ident)
	return ok
}

// assignedVars returns the variables that s assigns to.
func assignedVars(info *types.Info, s *ast.AssignStmt) map[types.Object]bool {
	vars := map[types.Object]bool{}
	for _, lhs := range s.Lhs {
		if id, ok := ast.Unparen(lhs).(*ast.Ident); ok {
			vars[info.Uses[id]] = true
		}
	}
	return vars
}

// stable reports whether x has the same value before and after the assignment:
// it reads no state, calls nothing and uses no variable that is assigned to.
func (q *sequence) stable(x ast.Expr) bool {
	stable := true
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			stable = stable && q.info.Types[n].Value != nil
		case *ast.Ident:
			stable = stable && !q.assigned[q.info.Uses[n]]
		case *ast.SelectorExpr:
			if field := q.prog.Selected(q.info, n); field != nil && field.Kind.Persistent() {
				stable = false
			}
		case *ast.IndexExpr, *ast.StarExpr, *ast.UnaryExpr:
			stable = stable && len(q.assigned) == 0 && !receives(n)
		}
		return stable
	})
	return stable
}

func receives(n ast.Node) bool {
	u, ok := n.(*ast.UnaryExpr)
	return ok && u.Op == token.ARROW
}

// typed returns x, converted to the type it has in its context where a variable
// defined by it alone would have another.
func (f *file) typed(x ast.Expr) any {
	var standard types.BasicKind
	switch e := ast.Unparen(x).(type) {
	case *ast.BinaryExpr:
		switch e.Op {
		case token.SHL, token.SHR:
			standard = types.Int
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.LAND, token.LOR:
			standard = types.Bool
		default:
			return x
		}
	case *ast.UnaryExpr:
		if e.Op != token.NOT {
			return x
		}
		standard = types.Bool
	default:
		return x
	}
	t := f.info.TypeOf(x)
	if basic, ok := t.(*types.Basic); ok && (basic.Kind() == standard || basic.Info()&types.IsUntyped != 0) {
		return x
	}
	return rewrite.Compose(f.typeText(t)+"($x)", rewrite.Holes{"x": x})
}
