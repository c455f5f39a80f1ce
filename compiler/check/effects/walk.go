package effects

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/ir"
)

// walker walks all paths through a function's body and adds up what they cost. What a
// node of an expression costs is what each count has of its own.
type walker struct {
	prog     *ir.Program
	node     func(*path, ast.Node) bool               // adds the cost of one node; false where those below it are not to be added
	called   func(p *path, call *ast.CallExpr) *exits // the ends of a call that may fail; nil where node has all of it
	info     *types.Info
	sig      *types.Signature             // of the innermost function
	fn       *types.Signature             // of the declared one, whose parameters formulas name
	unstable map[types.Object]bool        // variables assigned more than once
	calls    map[token.Pos][]*ir.Function // by the identifier
	sites    map[token.Pos]*ast.CallExpr  // likewise, of those that were walked
	exits    exits
	closures map[types.Object]*ast.FuncLit // that variables hold
	frames   []*frame
	depth    int // of loops
}

// frame is a statement that break and continue lead out of.
type frame struct {
	label             string
	loop              bool
	depth             int // of loops, in its body
	breaks, continues []path
	escapes           []escape // out of this loop, to frames around it
}

// escape is a break or continue that leaves a loop for a frame around it.
type escape struct {
	to        *frame
	continues bool
	path      path
}

// function walks the body of a function or a literal, from p on.
func (w *walker) function(sig *types.Signature, body *ast.BlockStmt, p path) exits {
	inner := *w
	inner.sig, inner.exits, inner.frames, inner.depth = sig, exits{}, nil, 0
	if q := inner.block(p, body.List).settled(); !q.dead {
		inner.exits = inner.exits.alternatively(exits{q.end(), q.end()})
	}
	return inner.exits
}

// literal walks a function literal that is called now, p being so far.
func (w *walker) literal(lit *ast.FuncLit, p *path) exits {
	return w.function(w.info.TypeOf(lit).(*types.Signature), lit.Body, path{seen: maps.Clone(p.seen), open: p.open, idle: true})
}

// define notes that a variable holds a function from its definition on, and reports whether it does.
func (w *walker) define(s *ast.AssignStmt) bool {
	if len(s.Lhs) != 1 || len(s.Rhs) != 1 || s.Tok != token.DEFINE {
		return false
	}
	obj := w.variable(s.Lhs[0])
	lit, ok := ast.Unparen(s.Rhs[0]).(*ast.FuncLit)
	if !ok || obj == nil || w.unstable[obj] {
		return false
	}
	w.closures[obj] = lit
	return true
}

// closure returns the function literal that runs when call does, once, or nil.
func (w *walker) closure(call *ast.CallExpr) *ast.FuncLit {
	e := call.Fun
	if ir.LibraryFunc(typeutil.Callee(w.info, call)) == "Tx" {
		e = call.Args[len(call.Args)-1]
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		return e
	case *ast.Ident:
		return w.closures[w.info.Uses[e]]
	}
	return nil
}

// operands adds what the arguments and the receiver of a call cost, functions that run in it apart.
func (w *walker) operands(p *path, call *ast.CallExpr) {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		*p = w.expr(*p, sel.X)
	}
	for _, arg := range call.Args {
		if lit, ok := ast.Unparen(arg).(*ast.FuncLit); !ok || w.closure(call) != lit {
			*p = w.expr(*p, arg)
		}
	}
}

func (w *walker) block(p path, stmts []ast.Stmt) path {
	for _, s := range stmts {
		if p.dead {
			return p
		}
		p = w.stmt(p, s, "")
	}
	return p
}

func (w *walker) stmt(p path, s ast.Stmt, label string) path {
	switch s := s.(type) {
	case nil:
	case *ast.BlockStmt:
		return w.block(p, s.List)
	case *ast.LabeledStmt:
		return w.stmt(p, s.Stmt, s.Label.Name)
	case *ast.IfStmt:
		yes, no := w.condition(w.stmt(p, s.Init, ""), s.Cond)
		if s.Else != nil && !no.dead {
			no = w.stmt(no, s.Else, "")
		}
		if !yes.dead {
			yes = w.block(yes, s.Body.List)
		}
		return merge(yes, no)
	case *ast.ForStmt:
		p = w.stmt(p, s.Init, "").settled()
		l := loop{pos: s.Pos(), label: label, endless: s.Cond == nil, times: w.where("loop", s.Pos()), fixed: -1}
		if s.Cond != nil {
			l.times, l.fixed = w.counted(s)
		}
		return w.loop(p, l, func(w *walker, q path) path { return w.block(w.expr(q, s.Cond), s.Body.List) }, s.Post)
	case *ast.RangeStmt:
		p = w.expr(p, s.X)
		w.node(&p, s)
		l := loop{pos: s.Pos(), label: label}
		l.times, l.fixed = w.elements(s.X)
		return w.loop(p, l, func(w *walker, q path) path {
			return w.block(w.expr(w.expr(q, s.Key), s.Value), s.Body.List)
		}, nil)
	case *ast.SwitchStmt:
		return w.cases(w.expr(w.stmt(p, s.Init, ""), s.Tag), s.Body, label)
	case *ast.TypeSwitchStmt:
		return w.cases(w.stmt(w.stmt(p, s.Init, ""), s.Assign, ""), s.Body, label)
	case *ast.SelectStmt:
		return w.cases(p.settled(), s.Body, label)
	case *ast.ReturnStmt:
		w.returned(p, s)
		p.dead = true
	case *ast.BranchStmt:
		return w.branch(p.settled(), s)
	case *ast.AssignStmt:
		return w.assign(p, s)
	default:
		return w.expr(p, s)
	}
	return p
}

// condition evaluates a condition, which may tell how the last call ended.
func (w *walker) condition(p path, cond ast.Expr) (yes, no path) {
	obj, equal := w.comparedWithNil(cond)
	if obj == nil {
		p = w.expr(p, cond)
		return p, p.clone()
	}
	failed, fine := p.clone().settled(), p
	if p.due != nil && p.err == obj {
		fine = p.then(p.due.ok)
		fine.due, fine.err = nil, nil
	}
	fine, failed.failed = fine.settled(), obj
	if equal {
		return fine, failed
	}
	return failed, fine
}

// comparedWithNil returns the error variable that a condition compares with nil.
func (w *walker) comparedWithNil(cond ast.Expr) (obj types.Object, equal bool) {
	b, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok || b.Op != token.EQL && b.Op != token.NEQ || !w.info.Types[b.Y].IsNil() {
		return nil, false
	}
	if obj := w.variable(b.X); obj != nil && isError(obj.Type()) {
		return obj, b.Op == token.EQL
	}
	return nil, false
}

// variable returns the variable that an expression names, or nil.
func (w *walker) variable(e ast.Expr) types.Object {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	if v, ok := w.info.ObjectOf(id).(*types.Var); ok {
		return v
	}
	return nil
}

var errorType = types.Universe.Lookup("error").Type()

func isError(t types.Type) bool { return types.Identical(t, errorType) }

// assign walks an assignment; that of a call's error waits for what tells how it ended.
func (w *walker) assign(p path, s *ast.AssignStmt) path {
	p = p.settled()
	last := w.variable(s.Lhs[len(s.Lhs)-1])
	call, ok := ast.Unparen(s.Rhs[len(s.Rhs)-1]).(*ast.CallExpr)
	if ok && len(s.Rhs) == 1 && last != nil && isError(last.Type()) && w.called != nil {
		if due := w.called(&p, call); due != nil {
			for _, e := range s.Lhs {
				p = w.expr(p, e)
			}
			p.due, p.err, p.failed = due, last, nil
			return p
		}
	}
	p = w.expr(p, s)
	for _, e := range s.Lhs {
		if obj := w.variable(e); obj != nil && obj == p.failed {
			p.failed = nil
		}
	}
	return p
}

// returned ends a path in a return.
func (w *walker) returned(p path, s *ast.ReturnStmt) {
	results := w.sig.Results()
	if n := results.Len(); n == 0 || !isError(results.At(n-1).Type()) || len(s.Results) == 0 {
		for _, e := range s.Results {
			p = w.expr(p, e)
		}
		p = p.settled()
		w.exits = w.exits.alternatively(exits{p.end(), p.end()})
		return
	}
	last := s.Results[len(s.Results)-1]
	if obj := w.variable(last); p.due != nil && obj == p.err {
		due := p.due
		p.due = nil
		for _, e := range s.Results {
			p = w.expr(p, e)
		}
		w.ended(p, *due)
		return
	}
	if call, ok := ast.Unparen(last).(*ast.CallExpr); ok && w.called != nil {
		p = p.settled()
		for _, e := range s.Results[:len(s.Results)-1] {
			p = w.expr(p, e)
		}
		if due := w.called(&p, call); due != nil {
			w.ended(p, *due)
			return
		}
		p = w.expr(p, last)
	} else {
		for _, e := range s.Results {
			p = w.expr(p, e)
		}
	}
	p = p.settled()
	end := exits{any: p.end()}
	if !w.failing(p, last) {
		end.ok = p.end()
	}
	w.exits = w.exits.alternatively(end)
}

// ended ends a path in the return of what a call returned.
func (w *walker) ended(p path, call exits) {
	var all exits
	if call.ok.some {
		all.ok = p.then(call.ok).end()
	}
	if call.any.some {
		all.any = p.then(call.any).end()
	}
	w.exits = w.exits.alternatively(all)
}

// failing reports whether an error is certainly not nil.
func (w *walker) failing(p path, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		obj := w.variable(e)
		return obj != nil && (obj == p.failed || isSentinel(obj))
	case *ast.SelectorExpr:
		return isSentinel(w.info.Uses[e.Sel])
	case *ast.UnaryExpr:
		return e.Op == token.AND
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr)
		if !ok {
			return false
		}
		fn, ok := w.info.Uses[sel.Sel].(*types.Func)
		return ok && (fn.FullName() == "errors.New" || fn.FullName() == "fmt.Errorf")
	}
	return false
}

// isSentinel reports whether obj is a package's error variable.
func isSentinel(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	return ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() && isError(v.Type())
}

// branch ends a path in a break, continue or goto.
func (w *walker) branch(p path, s *ast.BranchStmt) path {
	if s.Tok == token.FALLTHROUGH {
		return p
	}
	at := p
	p.dead = true
	for i := len(w.frames) - 1; i >= 0; i-- {
		f := w.frames[i]
		if s.Label != nil && f.label != s.Label.Name || s.Label == nil && s.Tok == token.CONTINUE && !f.loop {
			continue
		}
		if s.Tok == token.GOTO {
			break
		}
		w.leave(escape{f, s.Tok == token.CONTINUE, at.clone()})
		return p
	}
	w.exits = w.exits.alternatively(exits{at.end(), at.end()}) // a goto
	return p
}

// leave takes a path to the frame that it breaks or continues.
func (w *walker) leave(e escape) {
	switch {
	case e.to.depth != w.depth:
		for i := len(w.frames) - 1; i >= 0; i-- {
			if f := w.frames[i]; f.loop && f.depth == w.depth {
				f.escapes = append(f.escapes, e)
				return
			}
		}
	case e.continues:
		e.to.continues = append(e.to.continues, e.path)
	default:
		e.to.breaks = append(e.to.breaks, e.path)
	}
}

// cases walks the clauses of a switch or select: one of them runs, or none.
func (w *walker) cases(p path, body *ast.BlockStmt, label string) path {
	p = p.settled()
	f := &frame{label: label, depth: w.depth}
	w.frames = append(w.frames, f)
	out := p.clone()
	def := false
	var ways []path
	through := path{dead: true} // into the next clause
	for _, clause := range body.List {
		q := p.clone()
		switch c := clause.(type) {
		case *ast.CaseClause:
			def = def || c.List == nil
			for _, e := range c.List {
				q = w.expr(q, e)
			}
			q = w.block(merge(through, q), c.Body)
			if through = (path{dead: true}); fallsThrough(c.Body) {
				through, q = q, through
			}
		case *ast.CommClause:
			q = w.block(w.stmt(q, c.Comm, ""), c.Body)
		}
		ways = append(ways, q)
	}
	w.frames = w.frames[:len(w.frames)-1]
	out.dead = def
	for _, q := range append(ways, f.breaks...) {
		out = merge(out, q)
	}
	return out
}

func fallsThrough(body []ast.Stmt) bool {
	if len(body) == 0 {
		return false
	}
	b, ok := body[len(body)-1].(*ast.BranchStmt)
	return ok && b.Tok == token.FALLTHROUGH
}

// site notes where a call is.
func (w *walker) site(call *ast.CallExpr) {
	if id := calleeName(call.Fun); id != nil {
		w.sites[id.Pos()] = call
	}
}

// calleeName returns the identifier of what is called, or nil.
func calleeName(e ast.Expr) *ast.Ident {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return e.Sel
	case *ast.IndexExpr:
		return calleeName(e.X)
	case *ast.IndexListExpr:
		return calleeName(e.X)
	}
	return nil
}

// expr adds the cost of an expression or simple statement, in any order.
func (w *walker) expr(p path, n ast.Node) path {
	if isNil(n) {
		return p
	}
	p = p.settled()
	ast.Inspect(n, func(n ast.Node) bool { return w.node(&p, n) })
	return p
}

func isNil(n ast.Node) bool {
	if n == nil {
		return true
	}
	e, ok := n.(*ast.Ident)
	return ok && e == nil
}
