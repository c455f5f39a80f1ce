package effects

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"

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

// path is one way through a body.
type path struct {
	cost ir.Range
	seen places
	open bool // of a workflow: it decided something that is not committed yet
	idle bool // it may not have changed anything yet

	// unread are fields that it changed only if the request has not read them.
	unread []*ir.Field

	dead bool // ended in a return, break or continue

	forks  exits        // of the branches that run
	due    *exits       // those of the last call: which it was tells the next if
	err    types.Object // the error of that call
	failed types.Object // an error that is not nil on this path
}

// exits are the ends of a function: those with a nil error, and all. A function that
// returns no error has the same of both.
type exits struct{ ok, any end }

// end is what the paths cost that end in a way, and how.
type end struct {
	cost       ir.Range
	open, idle bool
	unread     []*ir.Field // as of paths
	some       bool        // there are such paths
}

// or adds other paths.
func (e end) or(f end) end {
	switch {
	case !e.some:
		return f
	case !f.some:
		return e
	}
	return end{e.cost.Or(f.cost), e.open || f.open, e.idle || f.idle, union(e.unread, f.unread), true}
}

// alternatively adds the ends of another function that may be called instead.
func (e exits) alternatively(f exits) exits { return exits{e.ok.or(f.ok), e.any.or(f.any)} }

// and has both run, if they are there.
func (e end) and(f end) end {
	switch {
	case !e.some:
		return f
	case !f.some:
		return e
	}
	idle, unread := changed(e.idle, e.unread, f.idle, f.unread)
	return end{e.cost.Plus(f.cost), e.open || f.open, idle, unread, true}
}

func (e exits) and(f exits) exits { return exits{e.ok.and(f.ok), e.any.and(f.any)} }

// then goes on after a call that ended so.
func (p path) then(e end) path {
	p.cost, p.dead = p.cost.Plus(e.cost), p.dead || !e.some
	p.idle, p.unread = changed(p.idle, p.unread, e.idle, e.unread)
	return p
}

// changed joins whether two things that both happen may have changed nothing.
func changed(idle bool, unread []*ir.Field, other bool, others []*ir.Field) (bool, []*ir.Field) {
	switch {
	case idle:
		return other, others
	case other || len(unread) == 0:
		return false, unread
	case len(others) == 0:
		return false, nil
	}
	return false, unread // either suffices
}

// union returns the fields of both lists.
func union(a, b []*ir.Field) []*ir.Field {
	for _, f := range b {
		if !slices.Contains(a, f) {
			a = append(a[:len(a):len(a)], f)
		}
	}
	return a
}

func (p path) end() end { return end{p.cost, p.open, p.idle, p.unread, true} }

func (p path) clone() path {
	p.seen = maps.Clone(p.seen)
	return p
}

// settled adds the cost of the last call, which nothing has told the end of.
func (p path) settled() path {
	if p.due != nil {
		p = p.then(p.due.any)
		p.due, p.err = nil, nil
	}
	return p
}

// merge joins two ways that meet again.
func merge(a, b path) path {
	switch a, b = a.settled(), b.settled(); {
	case a.dead:
		return b
	case b.dead:
		return a
	}
	maps.DeleteFunc(a.seen, func(place string, _ token.Pos) bool {
		_, ok := b.seen[place]
		return !ok
	})
	a.cost, a.open, a.idle, a.unread = a.cost.Or(b.cost), a.open || b.open, a.idle || b.idle, union(a.unread, b.unread)
	if a.forks.any.some || b.forks.any.some {
		none := *nothing()
		a.forks = a.forks.and(none).alternatively(b.forks.and(none))
	}
	if a.failed != b.failed {
		a.failed = nil
	}
	return a
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

// loop is how often a body runs: times, or a fixed number if that is not negative.
type loop struct {
	pos     token.Pos
	label   string
	endless bool // until a break or a return
	times   ir.Times
	fixed   int
}

// iteration is one run of a loop's body.
type iteration struct {
	end   path       // where the next one begins
	most  ir.Formula // of any way out of the body
	exits exits
	frame *frame
}

// loop walks a body that runs any number of times. What the first run reads and
// the others find again counts once, outside the loop.
func (w *walker) loop(p path, l loop, body func(*walker, path) path, post ast.Stmt) path {
	p = p.settled()
	first := w.iterate(p, l, body, post)
	after := first.end
	after.seen = maps.Clone(after.seen)
	maps.DeleteFunc(after.seen, func(_ string, declared token.Pos) bool { return declared >= l.pos })
	after.cost, after.dead = ir.Range{}, false
	next := w.iterate(after, l, body, post)

	each, forks := ir.Range{Most: next.most}, next.end.forks
	if f := next.frame; !next.end.dead && len(f.breaks)+len(f.escapes) == 0 && !next.exits.ok.some {
		each.Least = next.end.cost.Least
	} else {
		forks.ok.cost.Least, forks.any.cost.Least = ir.Formula{}, ir.Formula{}
	}
	before := p
	p.open = p.open || first.end.open
	p.cost.Most = p.cost.Most.Plus(ir.Number(max(0, first.most.Fixed-next.most.Fixed)))
	p.cost = p.cost.Plus(w.repeated(each, l))
	p.forks = p.forks.and(w.forked(forks, l))
	within := func(e end) end {
		if e.some {
			e.cost = ir.Range{Least: before.cost.Least.Plus(e.cost.Least), Most: p.cost.Most}
			e.idle, e.unread = changed(before.idle, before.unread, e.idle, e.unread)
		}
		return e
	}
	w.exits = w.exits.alternatively(exits{within(next.exits.ok), within(next.exits.any)})
	for _, e := range next.frame.escapes {
		out := within(e.path.end())
		e.path.cost, e.path.seen, e.path.idle, e.path.unread = out.cost, maps.Clone(before.seen), out.idle, out.unread
		w.leave(e)
	}
	p.dead = l.endless && len(next.frame.breaks) == 0
	return p
}

// iterate walks one run of a loop's body that begins after p.
func (w *walker) iterate(p path, l loop, body func(*walker, path) path, post ast.Stmt) iteration {
	inner := *w
	f := &frame{label: l.label, loop: true, depth: w.depth + 1}
	inner.exits, inner.depth, inner.frames = exits{}, w.depth+1, append(w.frames[:len(w.frames):len(w.frames)], f)
	q := body(&inner, path{seen: maps.Clone(p.seen), open: p.open, idle: true}).settled()
	it := iteration{end: q, frame: f}
	for _, c := range f.continues {
		it.end = merge(it.end, c)
	}
	if !it.end.dead && post != nil {
		it.end = inner.stmt(it.end, post, "").settled()
	}
	// The rest counts only at most.
	for _, b := range f.breaks {
		it.most = it.most.Max(b.cost.Most)
	}
	for _, e := range f.escapes {
		it.most = it.most.Max(e.path.cost.Most)
	}
	it.most = it.most.Max(it.end.cost.Most).Max(inner.exits.any.cost.Most)
	it.exits = inner.exits
	return it
}

// repeated returns what a loop costs whose body costs each.
func (w *walker) repeated(each ir.Range, l loop) ir.Range {
	if l.fixed >= 0 {
		return ir.Range{Least: each.Least.Scale(l.fixed), Most: each.Most.Scale(l.fixed)}
	}
	return ir.Range{Least: each.Least.Repeat(l.times), Most: each.Most.Repeat(l.times)}
}

// forked returns the branches that a loop begins whose body begins some.
func (w *walker) forked(each exits, l loop) exits {
	for _, e := range []*end{&each.ok, &each.any} {
		e.cost, e.idle, e.unread = w.repeated(e.cost, l), true, nil
	}
	return each
}

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
