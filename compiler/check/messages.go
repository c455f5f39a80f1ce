package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// messages checks the functions of onefold.Go: each is one call of a method, whose
// arguments are the same now, when the message is made, as later, when a plain program
// looks at them.
func messages(u *pass.Unit) {
	c := newChecker(u)
	for f := range c.rewritten {
		info := f.File.Pkg.Info
		inspect(f.Decl.Body, func(stack []ast.Node) bool {
			if call, ok := stack[len(stack)-1].(*ast.CallExpr); ok && ir.LibraryFunc(callee(info, call)) == "Go" && len(call.Args) == 2 {
				v := &messageVisitor{checker: c, f: f, info: info, call: call}
				for _, n := range stack {
					v.loops = append(v.loops, loopAt(n)...)
				}
				v.message()
			}
			return true
		})
	}
}

const messageForm = "write onefold.Go(ctx, func(ctx context.Context) error { return s.mail.Send(ctx, to) })"

// messageVisitor looks at one onefold.Go.
type messageVisitor struct {
	*checker
	f     *ir.Function
	info  *types.Info
	call  *ast.CallExpr
	loops []ast.Stmt // around it
}

// loopAt returns n if it is a loop.
func loopAt(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.ForStmt:
		return []ast.Stmt{n}
	case *ast.RangeStmt:
		return []ast.Stmt{n}
	}
	return nil
}

func (v *messageVisitor) message() {
	sent := ir.SentCall(v.call)
	var sel *ast.SelectorExpr
	if sent != nil {
		sel, _ = ast.Unparen(sent.Fun).(*ast.SelectorExpr)
	}
	if sel == nil {
		v.errorf(v.call.Args[1].Pos(), diag.Message, messageForm, "onefold.Go of %s: want a function literal that makes one call of a service's method and returns its error", described(v.call.Args[1]))
		return
	}
	fn, _ := v.info.Uses[sel.Sel].(*types.Func)
	m := v.prog.MethodOf(fn)
	if m == nil || !m.Endpoint() {
		v.errorf(sel.Sel.Pos(), diag.Message, messageForm, "onefold.Go of %s, which is no exported method of a service: a message is a request to one", types.ExprString(sel))
		return
	}
	lit := ast.Unparen(v.call.Args[1]).(*ast.FuncLit)
	v.receiver(sel.X)
	if !v.contextOf(lit, sent) {
		v.errorf(sent.Args[0].Pos(), diag.Message, "pass the function's own context", "onefold.Go of %s with another context than the function's", m)
	}
	for _, arg := range sent.Args[1:] {
		v.argument(arg)
	}
}

// described names the function of an onefold.Go in a finding.
func described(e ast.Expr) string {
	if _, ok := ast.Unparen(e).(*ast.FuncLit); ok {
		return "a function that does more"
	}
	return types.ExprString(e)
}

// receiver allows the receiver, a dependency of it, or a variable that is never assigned.
func (v *messageVisitor) receiver(x ast.Expr) {
	switch n := ast.Unparen(x).(type) {
	case *ast.Ident:
		v.variable(n)
		return
	case *ast.SelectorExpr:
		if field := v.prog.Selected(v.info, n); field != nil && field.Kind == ir.Dependency {
			return
		}
	}
	v.errorf(x.Pos(), diag.Message, messageForm, "onefold.Go of a method of %s: want the receiver, or a service that is a field of it", types.ExprString(x))
}

// contextOf reports whether the call gets the context of the function.
func (v *messageVisitor) contextOf(lit *ast.FuncLit, sent *ast.CallExpr) bool {
	params := lit.Type.Params.List
	if len(params) != 1 || len(params[0].Names) != 1 || len(sent.Args) == 0 {
		return false
	}
	ctx, _ := v.info.Defs[params[0].Names[0]].(*types.Var)
	return isIdent(sent.Args[0], v.info, ctx)
}

// argument refuses what may have another value later: state, calls, memory behind
// pointers, slices and maps, and variables that are assigned.
func (v *messageVisitor) argument(arg ast.Expr) {
	const fix = "compute it before onefold.Go, into a variable of its own"
	inspect(arg, func(stack []ast.Node) bool {
		switch n := stack[len(stack)-1].(type) {
		case *ast.CallExpr:
			if v.info.Types[n].Value == nil && !v.info.Types[n.Fun].IsType() {
				v.errorf(n.Pos(), diag.Message, fix, "call of %s in an argument of a message: a plain program makes it later", types.ExprString(n.Fun))
				return false
			}
		case *ast.FuncLit:
			v.errorf(n.Pos(), diag.Message, fix, "function in an argument of a message")
			return false
		case *ast.StarExpr, *ast.IndexExpr, *ast.SliceExpr:
			if tv := v.info.Types[n.(ast.Expr)]; tv.IsValue() && tv.Value == nil && !v.inArray(n) {
				v.errorf(n.Pos(), diag.Message, fix, "%s in an argument of a message: a plain program looks there later", types.ExprString(n.(ast.Expr)))
				return false
			}
		case *ast.SelectorExpr:
			return v.selector(n)
		case *ast.Ident:
			v.variable(n)
		}
		return true
	})
}

// inArray reports whether n indexes an array, which is part of its variable.
func (v *messageVisitor) inArray(n ast.Node) bool {
	index, ok := n.(*ast.IndexExpr)
	if !ok {
		return false
	}
	_, ok = v.info.TypeOf(index.X).Underlying().(*types.Array)
	return ok
}

// selector allows config fields and parts of variables; it reports whether what is
// below is to be looked at.
func (v *messageVisitor) selector(n *ast.SelectorExpr) bool {
	if _, ok := v.info.Selections[n]; !ok {
		return false // of a package: a constant, or a variable that never changes
	}
	if field := v.prog.Selected(v.info, n); field != nil {
		if field.Kind != ir.Config {
			v.errorf(n.Sel.Pos(), diag.Message, "copy it into a variable before onefold.Go", "field %s in an argument of a message: a plain program looks at it later", field)
		}
		return false
	}
	if v.info.Selections[n].Indirect() || isPointerType(v.info.TypeOf(n.X)) {
		v.errorf(n.Pos(), diag.Message, "copy it into a variable before onefold.Go", "%s in an argument of a message: a plain program looks there later", types.ExprString(n))
		return false
	}
	return true
}

func isPointerType(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// variable refuses a captured variable that may be assigned after the message is made.
func (v *messageVisitor) variable(id *ast.Ident) {
	obj := asVar(v.info.Uses[id])
	if obj == nil || obj.IsField() || obj.Pkg() == nil || obj.Parent() == obj.Pkg().Scope() || v.call.Pos() <= obj.Pos() && obj.Pos() < v.call.End() {
		return
	}
	pos := v.changedLater(obj)
	if pos == token.NoPos {
		return
	}
	v.report(id.Pos(), diag.Error, diag.Message, []diag.Related{{Pos: v.prog.Position(pos), Message: "assigned here"}},
		"declare a variable for the message, and do not assign it again", "variable %s is sent by onefold.Go, and assigned where that may be later: a plain program would send the new value", id.Name)
}

// changedLater returns a place where obj may be assigned after the call, or NoPos.
func (v *messageVisitor) changedLater(obj *types.Var) token.Pos {
	for result := range v.f.Func.Signature().Results().Variables() {
		if result == obj {
			return obj.Pos() // a return assigns it
		}
	}
	var loop ast.Stmt // the outermost around the call that does not make a variable of each round
	for _, l := range v.loops {
		if loop == nil && !(l.Pos() <= obj.Pos() && obj.Pos() < l.End()) {
			loop = l
		}
	}
	found := token.NoPos
	jumps := v.jumps()
	note := func(e ast.Expr, stack []ast.Node) {
		later := jumps || e.Pos() > v.call.Pos() || loop != nil && loop.Pos() <= e.Pos() && e.Pos() < loop.End() || enclosing(stack) != nil
		if rootOfValue(v.info, e) == obj && later && found == token.NoPos {
			found = e.Pos()
		}
	}
	inspect(v.f.Decl.Body, func(stack []ast.Node) bool {
		switch n := stack[len(stack)-1].(type) {
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				if id, ok := lhs.(*ast.Ident); !ok || v.info.Defs[id] == nil {
					note(lhs, stack)
				}
			}
		case *ast.IncDecStmt:
			if post, ok := above(stack, 1).(*ast.ForStmt); !ok || post.Post != n {
				note(n.X, stack)
			}
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				for _, e := range []ast.Expr{n.Key, n.Value} {
					if e != nil {
						note(e, stack)
					}
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND && rootOfValue(v.info, n.X) == obj && found == token.NoPos {
				found = n.Pos()
			}
		case *ast.SelectorExpr:
			if s := v.info.Selections[n]; s != nil && s.Kind() == types.MethodVal && changesReceiver(v.info, n, s) && rootOfValue(v.info, n.X) == obj && found == token.NoPos {
				found = n.Pos()
			}
		}
		return true
	})
	return found
}

// jumps reports whether the function has a goto, which may lead anywhere.
func (v *messageVisitor) jumps() bool {
	found := false
	ast.Inspect(v.f.Decl.Body, func(n ast.Node) bool {
		branch, ok := n.(*ast.BranchStmt)
		found = found || ok && branch.Tok == token.GOTO
		return !found
	})
	return found
}

// rootOfValue returns the variable that e is a part of, no pointer, slice or map in between, or nil.
func rootOfValue(info *types.Info, e ast.Expr) *types.Var {
	for {
		switch n := ast.Unparen(e).(type) {
		case *ast.Ident:
			return asVar(info.ObjectOf(n))
		case *ast.SelectorExpr:
			if s := info.Selections[n]; s == nil || s.Indirect() || isPointerType(info.TypeOf(n.X)) {
				return nil
			}
			e = n.X
		case *ast.IndexExpr:
			if _, ok := info.TypeOf(n.X).Underlying().(*types.Array); !ok {
				return nil
			}
			e = n.X
		default:
			return nil
		}
	}
}
