package effects

import (
	"go/ast"
	"go/token"
	"maps"

	"github.com/onefold/onefold/compiler/ir"
)

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
