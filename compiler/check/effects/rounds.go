package effects

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/ir"
)

// rounds predicts sequential store reads. The model is that of package state: a
// place that was read or set in the request is not read again; setting,
// deleting and blind adding read nothing; a map's len and range are one read; a
// slice's length is one, an element another. Branches of an errgroup run side by
// side. What is predicted is the longest path: branches count as their longer side.
type rounds struct {
	prog  *ir.Program
	costs map[*ir.Function]ir.Formula
}

// newRounds predicts the reads of all functions; groups are the components of
// the call graph, callees first.
func newRounds(prog *ir.Program, groups [][]*ir.Function) *rounds {
	r := &rounds{prog: prog, costs: map[*ir.Function]ir.Formula{}}
	for _, group := range groups {
		if len(group) > 1 || recursive(group[0]) {
			for _, f := range group {
				if f.Touching() {
					r.costs[f] = recursion(f)
				}
			}
			continue
		}
		r.costs[group[0]] = r.function(group[0])
	}
	return r
}

func recursive(f *ir.Function) bool {
	for _, c := range f.Calls {
		if c.Callee == f {
			return true
		}
	}
	return false
}

// recursion is what nobody knows of a function that calls itself.
func recursion(f *ir.Function) ir.Formula {
	return ir.Number(1).Repeat(ir.Times{Where: "recursion(" + f.Func.Name() + ")"})
}

// total returns the rounds of a request to f: the read version, the reads (of
// which the first runs beside the read of the request's record) and the commit.
func (r *rounds) total(f *ir.Function, kind ir.MethodKind) ir.Formula {
	c := r.costs[f]
	switch kind {
	case ir.ReadOnly:
		c.Fixed++
	case ir.Atomic:
		c.Fixed = 1 + max(1, c.Fixed) + 1
	}
	return c
}

// function walks the body of f.
func (r *rounds) function(f *ir.Function) ir.Formula {
	w := &reader{costs: r.costs, walker: newWalker(r.prog, f), accesses: map[*ast.SelectorExpr]*ir.Access{}, groups: map[types.Object]ir.Formula{}}
	for _, acc := range f.Accesses {
		w.accesses[acc.Sel] = acc
	}
	w.node = w.reads
	return w.function(f.Func.Signature(), f.Decl.Body, path{seen: places{}}).any.cost.Most
}

// newWalker returns a walker of a function, which calls what it calls when it runs.
func newWalker(prog *ir.Program, f *ir.Function) *walker {
	w := &walker{
		prog: prog, info: f.File.Pkg.Info, fn: f.Func.Signature(),
		calls: map[token.Pos][]*ir.Function{}, sites: map[token.Pos]*ast.CallExpr{},
		unstable: assigned(f.Decl.Body, f.File.Pkg.Info), closures: map[types.Object]*ast.FuncLit{},
	}
	for _, c := range f.Calls {
		w.calls[c.Pos] = append(w.calls[c.Pos], c.Callee)
	}
	return w
}

// places are those that need no read any more; the value is where the youngest
// variable in the place's index was declared.
type places map[string]token.Pos

// reader is a walker that adds reads.
type reader struct {
	*walker
	costs    map[*ir.Function]ir.Formula
	accesses map[*ast.SelectorExpr]*ir.Access
	groups   map[types.Object]ir.Formula // the longest branch of each errgroup since its last Wait
}

// read adds reads.
func (p *path) read(f ir.Formula) { p.cost.Most = p.cost.Most.Plus(f) }

// reads adds the reads of one node of an expression. It reports whether those below
// are still to be added.
func (w *reader) reads(p *path, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt: // what is assigned was evaluated before
		if w.define(n) {
			return false
		}
		for _, e := range n.Rhs {
			*p = w.expr(*p, e)
		}
		if w.shortens(n) {
			p.read(ir.Number(-1))
		}
		for _, e := range n.Lhs {
			*p = w.expr(*p, e)
		}
		return false
	case *ast.FuncLit:
		p.read(w.literal(n, p).any.cost.Most.Repeat(w.where("calls", n.Pos())))
		return false
	case *ast.CallExpr:
		w.site(n)
		if lit := w.closure(n); lit != nil {
			w.operands(p, n)
			p.read(w.literal(lit, p).any.cost.Most)
			return false
		}
		return w.sent(p, n) && w.group(p, n)
	case *ast.RangeStmt:
		if n.Value != nil && w.sliceField(n.X) != nil {
			p.read(ir.Number(1)) // the elements; their number was counted with the expression
		}
	case *ast.SliceExpr:
		if w.sliceField(n.X) != nil {
			p.read(ir.Number(1)) // the elements; their number is counted below
		}
	case *ast.SelectorExpr:
		if acc := w.accesses[n]; acc != nil {
			p.read(ir.Number(w.access(*p, acc)))
		}
	case *ast.Ident:
		p.read(w.call(n.Pos()))
	}
	return true
}

// sent handles onefold.Go, whose function does not run now, and onefold.Signal, which
// reads the state of the workflow, and where that waits, when it is due.
func (w *reader) sent(p *path, call *ast.CallExpr) bool {
	switch ir.LibraryFunc(typeutil.Callee(w.info, call)) {
	case "Go":
		return false
	case "Signal":
		p.read(ir.Number(2))
	}
	return true
}

// sliceField returns the persistent slice that e is, or nil.
func (w *reader) sliceField(e ast.Expr) *ir.Field {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if acc := w.accesses[sel]; acc != nil && acc.Field.Kind == ir.Slice {
		return acc.Field
	}
	return nil
}

// shortens reports whether an assignment shortens a persistent slice, as in
// s.list = s.list[:n], which reads no element.
func (w *reader) shortens(n *ast.AssignStmt) bool {
	if len(n.Lhs) != 1 || len(n.Rhs) != 1 {
		return false
	}
	cut, ok := ast.Unparen(n.Rhs[0]).(*ast.SliceExpr)
	if !ok {
		return false
	}
	field := w.sliceField(cut.X)
	return field != nil && field == w.sliceField(n.Lhs[0])
}

// call returns the reads of the functions that an identifier may call.
func (w *reader) call(pos token.Pos) ir.Formula {
	var c ir.Formula
	for _, f := range w.calls[pos] {
		c = c.Max(w.passed(w.costs[f], f, w.sites[pos]))
	}
	return c
}

// group handles errgroup's Go and Wait: a branch counts when it is waited for,
// the longest of them only. It reports whether the call is to be walked as any other.
func (w *reader) group(p *path, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return true
	}
	fn, ok := w.info.Uses[sel.Sel].(*types.Func)
	id, named := ast.Unparen(sel.X).(*ast.Ident)
	if !ok || !named || fn.Pkg() == nil || fn.Pkg().Path() != "golang.org/x/sync/errgroup" {
		return true
	}
	obj := w.info.Uses[id]
	switch fn.Name() {
	case "Go", "TryGo":
		if lit, ok := ast.Unparen(call.Args[0]).(*ast.FuncLit); ok {
			w.groups[obj] = w.groups[obj].Max(w.literal(lit, p).any.cost.Most)
			return false
		}
	case "Wait":
		p.read(w.groups[obj])
		delete(w.groups, obj)
	}
	return true
}

// access returns the reads of one access, and notes the place as seen.
func (w *reader) access(p path, acc *ir.Access) int {
	name := acc.Field.String()
	index := indexOf(acc)
	switch {
	case acc.Field.Kind == ir.Slice && acc.Kind&ir.Whole != 0:
		return 1 + w.once(p, name+"#len", token.NoPos, acc.Kind) // the elements, and how many there are
	case acc.Field.Kind == ir.Slice:
		n := w.once(p, name+"#len", token.NoPos, acc.Kind)
		if index != nil {
			place, declared := w.key(name, index)
			n += w.once(p, place, declared, acc.Kind)
		}
		return n
	case acc.Field.Kind == ir.Map && index == nil:
		return int(acc.Kind & ir.Read)
	case acc.Field.Kind == ir.Map:
		place, declared := w.key(name, index)
		return w.once(p, place, declared, acc.Kind)
	}
	return w.once(p, name, token.NoPos, acc.Kind)
}

// once returns 1 where the place must be read: it was not before, and is needed.
func (w *reader) once(p path, place string, declared token.Pos, kind ir.AccessKind) int {
	if _, ok := p.seen[place]; ok || kind == ir.Add {
		return 0
	}
	if place != "" {
		p.seen[place] = declared
	}
	if kind&ir.Read != 0 {
		return 1
	}
	return 0
}

// key names the entry at index and says where the youngest variable of the
// index is declared. The name is "" where the index may differ each time.
func (w *reader) key(name string, index ast.Expr) (string, token.Pos) {
	stable, youngest := true, token.NoPos
	place := name + "[" + types.ExprString(index) + "]"
	ast.Inspect(index, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			stable = stable && w.info.Types[n.Fun].IsType()
		case *ast.Ident:
			obj := w.info.Uses[n]
			stable = stable && !w.unstable[obj]
			if v, ok := obj.(*types.Var); ok {
				youngest = max(youngest, v.Pos())
				place += fmt.Sprintf(" %d", v.Pos())
			}
		case *ast.SelectorExpr:
			stable = stable && w.accesses[n] == nil
		case *ast.IndexExpr, *ast.StarExpr, *ast.FuncLit:
			stable = false
		}
		return stable
	})
	if !stable {
		return "", token.NoPos
	}
	return place, youngest
}
