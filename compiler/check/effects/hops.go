package effects

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/ir"
)

// hops predicts how often a request goes from one service to another, and whether it
// certainly changes something. Both are of requests that succeed, so a call whose error
// ends the request counts as one that returned none.
type hops struct {
	prog *ir.Program
	done map[running]*exits // nil while it is found out
}

// running is a function that runs in a service: what it calls of that one is no hop.
type running struct {
	f  *ir.Function
	in *ir.Service
}

// of returns the ends of a function.
func (h *hops) of(r running) exits {
	if e, ok := h.done[r]; ok {
		if e == nil { // it calls itself
			e := nothing()
			if len(r.f.Reach) > 1 {
				e.ok.cost.Most, e.any.cost.Most = recursion(r.f), recursion(r.f)
			}
			return *e
		}
		return *e
	}
	h.done[r] = nil
	w := &hopper{
		hops: h, in: r.in, walker: newWalker(h.prog, r.f),
		accesses: map[*ast.SelectorExpr]*ir.Access{},
	}
	for _, acc := range r.f.Accesses {
		w.accesses[acc.Sel] = acc
	}
	w.node, w.called = w.visit, w.call
	e := w.function(r.f.Func.Signature(), r.f.Decl.Body, path{seen: places{}, idle: true})
	if !e.ok.some {
		e.ok = e.any // it never succeeds
	}
	h.done[r] = &e
	return e
}

// finish sets what a request to a method takes.
func (h *hops) finish(m *ir.Method, f *ir.Function) {
	e := h.of(running{f, m.Service}).ok
	m.Effects.Hops = e.cost
	if m.Kind == ir.Atomic {
		m.Effects.Commits = ir.Exactly(ir.Number(1))
		if e.idle || slices.ContainsFunc(e.unread, func(field *ir.Field) bool { return slices.Contains(f.Reads, field) }) {
			m.Effects.Commits.Least.Fixed = 0
		}
	}
}

// hopper is a walker that adds hops.
type hopper struct {
	*walker
	hops     *hops
	in       *ir.Service
	accesses map[*ast.SelectorExpr]*ir.Access
}

// visit adds the hops of one node of an expression.
func (w *hopper) visit(p *path, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return w.assignment(p, n)
	case *ast.IncDecStmt:
		w.changes(p, n.X, true)
	case *ast.CallExpr:
		if e := w.call(p, n); e != nil {
			*p = p.then(e.any)
			return false
		}
	case *ast.FuncLit:
		w.sometimes(p, n)
		return false
	case *ast.Ident:
		if lit := w.closures[w.info.Uses[n]]; lit != nil {
			w.sometimes(p, lit)
		}
		for _, f := range w.calls[n.Pos()] { // a method value
			w.perhaps(p, w.callee(f, nil).any.cost, n.Pos())
		}
	}
	return true
}

// assignment notes functions that variables hold, and what changes state.
func (w *hopper) assignment(p *path, s *ast.AssignStmt) bool {
	for _, e := range s.Lhs {
		w.changes(p, e, len(s.Lhs) == 1 && w.longer(e, s.Rhs[0]))
	}
	return !w.define(s)
}

// longer reports whether value is what e has, with elements appended.
func (w *hopper) longer(e, value ast.Expr) bool {
	call, ok := ast.Unparen(value).(*ast.CallExpr)
	if !ok || len(call.Args) < 2 || call.Ellipsis.IsValid() {
		return false
	}
	b, ok := typeutil.Callee(w.info, call).(*types.Builtin)
	return ok && b.Name() == "append" && types.ExprString(call.Args[0]) == types.ExprString(e)
}

// changes notes that a place in the state is assigned. A value may be the one that is there
// already, which changes nothing if the request has read it; other says that it is another one.
func (w *hopper) changes(p *path, e ast.Expr, other bool) {
	for {
		switch n := ast.Unparen(e).(type) {
		case *ast.IndexExpr:
			e = n.X
			continue
		case *ast.SelectorExpr:
			acc := w.accesses[n]
			if acc == nil {
				e = n.X
				continue
			}
			switch f := acc.Field; {
			case acc.Kind&(ir.Write|ir.Add) == 0:
			case other:
				p.idle, p.unread = false, nil
			case p.idle && f.Kind != ir.Slice && acc.Kind&ir.Whole == 0:
				p.idle, p.unread = false, []*ir.Field{f}
			}
		}
		return
	}
}

// sometimes adds a function that runs any number of times.
func (w *hopper) sometimes(p *path, lit *ast.FuncLit) {
	w.perhaps(p, w.literal(lit, p).any.cost, lit.Pos())
}

func (w *hopper) perhaps(p *path, cost ir.Range, pos token.Pos) {
	p.cost.Most = p.cost.Most.Plus(cost.Most.Repeat(w.where("calls", pos)))
}

// call returns the ends of a call, after it added what its operands cost; nil if it is
// none that is known, and nothing was added.
func (w *hopper) call(p *path, call *ast.CallExpr) *exits {
	if e, ok := w.group(p, call); ok {
		return e
	}
	library := ir.LibraryFunc(typeutil.Callee(w.info, call))
	if library == "Go" {
		e := nothing()
		e.ok.idle, e.any.idle = false, false
		return e
	}
	if lit := w.closure(call); lit != nil {
		w.operands(p, call)
		e := w.literal(lit, p)
		if library == "Tx" {
			e.any.idle = true // it was undone where it failed
		}
		return &e
	}
	id := calleeName(call.Fun)
	if id == nil {
		return nil
	}
	var all exits
	for _, f := range w.calls[id.Pos()] {
		all = all.alternatively(w.callee(f, call))
	}
	if !all.any.some {
		return nil
	}
	w.operands(p, call)
	return &all
}

// callee returns the ends of a function that is called.
func (w *hopper) callee(f *ir.Function, call *ast.CallExpr) exits {
	in, hop := w.in, 0
	if f.Endpoint() && f.Method.Service != w.in {
		in, hop = f.Method.Service, 1
	}
	e := w.hops.of(running{f, in})
	for _, end := range []*end{&e.ok, &e.any} {
		end.cost.Least = w.passed(end.cost.Least, f, call).Plus(ir.Number(hop))
		end.cost.Most = w.passed(end.cost.Most, f, call).Plus(ir.Number(hop))
	}
	return e
}

// group handles errgroup's Go and Wait: all branches count when they are waited for.
func (w *hopper) group(p *path, call *ast.CallExpr) (e *exits, ok bool) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil, false
	}
	fn, ok := w.info.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "golang.org/x/sync/errgroup" {
		return nil, false
	}
	switch fn.Name() {
	case "Go":
		if lit, ok := ast.Unparen(call.Args[0]).(*ast.FuncLit); ok {
			p.forks = p.forks.and(w.literal(lit, p))
			return nothing(), true
		}
	case "Wait":
		all := nothing().and(p.forks)
		p.forks = exits{}
		return &all, true
	}
	return nil, false
}

// nothing are the ends of a call that costs nothing.
func nothing() *exits {
	e := end{idle: true, some: true}
	return &exits{e, e}
}
