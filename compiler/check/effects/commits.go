package effects

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/ir"
)

// commits predicts how many commits a workflow takes at most. The model is that of
// package workflow: a step commits once; a sleep, a wait or a child commits that
// the workflow waits; what it decides beside that rides in the next commit; an effect
// whose workflow has decided something since its last commit, or has not begun,
// commits that before. The end is one more.
func (a *analysis) commits(f *ir.Function) ir.Range {
	end := a.flowWalker(f, nil).flow(f, true)
	return ir.Range{Most: end.cost.Most.Plus(ir.Number(1))}
}

// flowWalker walks functions of a workflow.
type flowWalker struct {
	*walker
	above  []*ir.Function // that are walked, to tell recursion
	branch bool           // inside a branch of an errgroup
}

func (a *analysis) flowWalker(f *ir.Function, above []*ir.Function) *flowWalker {
	w := &flowWalker{walker: newWalker(a.prog, f), above: append(slices.Clone(above), f)}
	clear(w.calls)
	for _, c := range f.Calls {
		if c.Within == ir.Body {
			w.calls[c.Pos] = append(w.calls[c.Pos], c.Callee)
		}
	}
	w.node = func(p *path, n ast.Node) bool { return w.steps(a, p, n) }
	return w
}

// flow returns what a function takes at most that begins open, and whether it may end so.
func (w *flowWalker) flow(f *ir.Function, open bool) end {
	return w.function(f.Func.Signature(), f.Decl.Body, path{seen: places{}, open: open}).any
}

// commit adds commits, after which nothing is open.
func (p *path) commit(n int) {
	p.cost.Most.Fixed += n
	p.open = false
}

// steps adds the commits of one node of an expression.
func (w *flowWalker) steps(a *analysis, p *path, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		w.site(n)
		return w.operation(p, n)
	case *ast.FuncLit:
		outer := w.branch
		w.branch = true // it may run at any time
		below := w.literal(n, p).any
		w.branch = outer
		p.cost.Most = p.cost.Most.Plus(below.cost.Most)
		p.open = p.open || below.open
		return false
	case *ast.Ident:
		w.callee(a, p, n)
	}
	return true
}

// operation adds the commits of a call of the library or the clock.
func (w *flowWalker) operation(p *path, call *ast.CallExpr) bool {
	fn := typeutil.Callee(w.info, call)
	switch ir.LibraryFunc(fn) {
	case "Do":
		if p.open || w.branch {
			p.commit(1)
		}
		p.commit(1)
		return false
	case "Signal":
		p.commit(1)
	case "Await":
		p.commit(1)
		p.open = true
	case "Go":
		p.open = true
		return false
	case "Version":
		p.open = true
	}
	if f, ok := fn.(*types.Func); ok && f.Pkg() != nil && f.Pkg().Path() == "time" && f.Name() == "Sleep" {
		p.commit(1)
		p.open = true
	}
	return true
}

// callee adds the commits of the functions that an identifier may call: the dearest counts.
func (w *flowWalker) callee(a *analysis, p *path, id *ast.Ident) {
	var most ir.Formula
	open, opens := p.open, false
	for _, f := range w.calls[id.Pos()] {
		var c ir.Formula
		switch {
		case f.Endpoint():
			c.Fixed = 1
			opens = opens || f.Method.Kind == ir.Workflow
		case slices.Contains(w.above, f):
			c = recursion(f)
			opens = true
		default:
			below := a.flowWalker(f, w.above)
			below.branch = w.branch
			end := below.flow(f, open)
			c = w.passed(end.cost.Most, f, w.sites[id.Pos()])
			opens = opens || end.open
		}
		most = most.Max(c)
	}
	if len(w.calls[id.Pos()]) > 0 {
		p.open = opens
	}
	p.cost.Most = p.cost.Most.Plus(most)
}
