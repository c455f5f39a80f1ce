package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// evaluation refuses expressions that read a field and call something that
// writes it, where Go does not say which comes first (Go specification, "Order
// of evaluation": only calls and channel operations are ordered among each other).
func evaluation(u *pass.Unit) {
	c := newChecker(u)
	for f := range c.rewritten {
		if f.Method != nil && len(f.Accesses) > 0 {
			newEvaluator(c, f).run()
		}
	}
}

type evaluator struct {
	*checker
	f        *ir.Function
	info     *types.Info
	accesses map[*ast.SelectorExpr]*ir.Access
	calls    map[token.Pos][]*ir.Function
	literals map[*ir.Field]bool // written by the function literals of f
}

func newEvaluator(c *checker, f *ir.Function) *evaluator {
	e := &evaluator{
		checker: c, f: f, info: f.File.Pkg.Info,
		accesses: map[*ast.SelectorExpr]*ir.Access{},
		calls:    map[token.Pos][]*ir.Function{},
		literals: map[*ir.Field]bool{},
	}
	for _, acc := range f.Accesses {
		e.accesses[acc.Sel] = acc
	}
	for _, call := range f.Calls {
		e.calls[call.Pos] = append(e.calls[call.Pos], call.Callee)
	}
	ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok {
			e.written(lit.Body, e.literals)
		}
		return true
	})
	return e
}

// written adds the fields that code below n writes, calls included.
func (e *evaluator) written(n ast.Node, into map[*ir.Field]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if acc := e.accesses[n]; acc != nil && acc.Kind&(ir.Write|ir.Add) != 0 {
				into[acc.Field] = true
			}
		case *ast.Ident:
			for _, g := range e.calls[n.Pos()] {
				for _, f := range g.Writes {
					into[f] = true
				}
				for _, f := range g.Adds {
					into[f] = true
				}
			}
		}
		return true
	})
}

// run looks at each statement's own expressions: one evaluation each.
func (e *evaluator) run() {
	ast.Inspect(e.f.Decl.Body, func(n ast.Node) bool {
		for _, unit := range units(n) {
			e.unit(unit)
		}
		return true
	})
}

// units returns the groups of expressions of a statement that are evaluated together.
func units(n ast.Node) [][]ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return [][]ast.Expr{append(append([]ast.Expr{}, n.Lhs...), n.Rhs...)}
	case *ast.ReturnStmt:
		return [][]ast.Expr{n.Results}
	case *ast.ExprStmt:
		return [][]ast.Expr{{n.X}}
	case *ast.IncDecStmt:
		return [][]ast.Expr{{n.X}}
	case *ast.IfStmt:
		return [][]ast.Expr{{n.Cond}}
	case *ast.ForStmt:
		return [][]ast.Expr{{n.Cond}}
	case *ast.RangeStmt:
		return [][]ast.Expr{{n.X}}
	case *ast.SwitchStmt:
		return [][]ast.Expr{{n.Tag}}
	case *ast.CaseClause:
		var out [][]ast.Expr
		for _, x := range n.List {
			out = append(out, []ast.Expr{x})
		}
		return out
	case *ast.ValueSpec:
		return [][]ast.Expr{n.Values}
	case *ast.DeferStmt:
		return [][]ast.Expr{{n.Call}}
	}
	return nil
}

// step is a read or a call in a unit, with the path to it.
type step struct {
	path   []ast.Node
	access *ir.Access         // of a read
	writes map[*ir.Field]bool // of a call
}

func (e *evaluator) unit(exprs []ast.Expr) {
	var reads, calls []step
	for _, x := range exprs {
		if x == nil {
			continue
		}
		inspect(x, func(stack []ast.Node) bool {
			switch n := stack[len(stack)-1].(type) {
			case *ast.FuncLit:
				return false
			case *ast.SelectorExpr:
				if acc := e.accesses[n]; acc != nil && acc.Kind&(ir.Read|ir.Add) != 0 {
					reads = append(reads, step{path: append([]ast.Node{}, stack...), access: acc})
				}
			case *ast.CallExpr:
				if w := e.callWrites(n); len(w) > 0 {
					calls = append(calls, step{path: append([]ast.Node{}, stack...), writes: w})
				}
			}
			return true
		})
	}
	for _, r := range reads {
		for _, call := range calls {
			if call.writes[r.access.Field] && !ordered(r.path, call.path, e.info) {
				e.conflict(r, call)
				break
			}
		}
	}
}

// callWrites returns the fields that a call may write: through the function it
// names, the literals it is given, or, where the function is a variable, any
// literal around.
func (e *evaluator) callWrites(call *ast.CallExpr) map[*ir.Field]bool {
	if e.info.Types[call.Fun].IsType() || builtin(e.info, call) != "" {
		return nil
	}
	writes := map[*ir.Field]bool{}
	for _, arg := range call.Args {
		if lit, ok := ast.Unparen(arg).(*ast.FuncLit); ok {
			e.written(lit.Body, writes)
		}
		e.functionValue(arg, writes)
	}
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		e.written(lit.Body, writes)
		return writes
	}
	if callee(e.info, call) == nil {
		for f := range e.literals {
			writes[f] = true
		}
	}
	e.named(call.Fun, writes)
	return writes
}

// functionValue adds what a function passed as an argument may write.
func (e *evaluator) functionValue(arg ast.Expr, writes map[*ir.Field]bool) {
	if t := e.info.TypeOf(arg); t == nil || !holdsFunc(t) {
		return
	}
	e.named(arg, writes)
	if id, ok := ast.Unparen(arg).(*ast.Ident); ok {
		if _, ok := e.info.Uses[id].(*types.Var); ok {
			for f := range e.literals {
				writes[f] = true
			}
		}
	}
}

// named adds what the function that fun names may write.
func (e *evaluator) named(fun ast.Expr, writes map[*ir.Field]bool) {
	switch f := ast.Unparen(fun).(type) {
	case *ast.Ident:
		e.written(f, writes)
	case *ast.SelectorExpr:
		e.written(f.Sel, writes)
	case *ast.IndexExpr:
		e.named(f.X, writes)
	case *ast.IndexListExpr:
		e.named(f.X, writes)
	}
}

// ordered reports whether Go orders the read against the call.
func ordered(read, call []ast.Node, info *types.Info) bool {
	shared := 0
	for shared < len(read) && shared < len(call) && read[shared] == call[shared] {
		shared++
	}
	if shared == len(call) {
		return true // the read is an operand of the call
	}
	if shared > 0 {
		if b, ok := read[shared-1].(*ast.BinaryExpr); ok && (b.Op == token.LAND || b.Op == token.LOR) {
			return true
		}
	}
	for _, n := range read[shared:] {
		other, ok := n.(*ast.CallExpr)
		if ok && builtin(info, other) == "" && !info.Types[other.Fun].IsType() && other.End() <= call[len(call)-1].Pos() {
			return true // an operand of an earlier call
		}
	}
	return false
}

func (e *evaluator) conflict(r, call step) {
	at := call.path[len(call.path)-1].(*ast.CallExpr)
	e.report(r.access.Sel.Pos(), diag.Error, diag.Evaluation,
		[]diag.Related{{Pos: e.prog.Position(at.Pos()), Message: "this call writes it"}},
		"read the field into a variable in a statement of its own, before or after the call",
		"field %s is read in the same expression in which %s writes it: Go does not say which comes first", r.access.Field.Name, types.ExprString(at.Fun))
}
