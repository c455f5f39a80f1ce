package alias

import (
	"fmt"
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/diag"
)

// checkRaces compares every branch with itself, where a loop starts it again, and
// with all that runs between its start and the Wait of its group.
func (k *checker) checkRaces() {
	for _, c := range k.contexts {
		for _, b := range c.fn.Blocks {
			for _, instr := range b.Instrs {
				call, ok := instr.(*ssa.Call)
				if !ok {
					continue
				}
				for _, branch := range c.calls[call] {
					if branch.branch {
						k.checkBranch(point{c, call}, branch)
					}
				}
			}
		}
	}
}

// checkBranch compares one branch with what runs beside it.
func (k *checker) checkBranch(start point, branch *context) {
	mine := k.accesses(branch)
	seen := map[point]bool{}
	var beside func(p point)
	beside = func(p point) {
		if seen[p] {
			return
		}
		seen[p] = true
		ends := false
		held := k.heldLocks(p.ctx)
		join := func(instr ssa.Instruction) bool { return k.joins(start, p.ctx, instr) }
		for instr := range k.after(p.at, join).all() {
			if _, ok := instr.(*ssa.Return); ok {
				ends = true
			}
			col := &collector{analysis: k.analysis, seen: map[string]bool{}}
			col.instr(p.ctx, instr, held[instr])
			for _, other := range col.out {
				k.compare(start, p, instr, branch, mine, other, join)
			}
		}
		if !ends || p.ctx == p.ctx.root || k.madeIn(start, p.ctx) {
			return
		}
		for _, from := range p.ctx.callers {
			beside(point{from.ctx, from.call})
		}
	}
	beside(start)
}

// joins reports whether instr waits for the group that start adds a branch to.
func (k *checker) joins(start point, c *context, instr ssa.Instruction) bool {
	for _, call := range c.runs(instr) {
		fn := call.Common().StaticCallee()
		if fn == nil || !isJoin(fn) {
			continue
		}
		for _, r := range flatten(k.get(c, call.Common().Args[0])) {
			for _, s := range k.group(start) {
				if r == s {
					return true
				}
			}
		}
	}
	return false
}

// group returns the errgroup that the call at p adds a branch to.
func (k *checker) group(p point) set {
	return flatten(k.get(p.ctx, callAt(p).Common().Args[0]))
}

// madeIn reports whether the group of start is made in c, so that no caller waits for it.
func (k *checker) madeIn(start point, c *context) bool {
	for _, r := range k.group(start) {
		if k.obj(r).ctx != c {
			return false
		}
	}
	return true
}

// compare reports a race between a branch and another access, done by instr.
func (k *checker) compare(start, p point, instr ssa.Instruction, branch *context, mine []access, other access, join func(ssa.Instruction) bool) {
	for _, m := range mine {
		if !m.write && !other.write || m.field != other.field || m.obj != other.obj || m.obj != nil && m.slot != other.slot {
			continue
		}
		if m.locks.guard(other.locks) {
			continue
		}
		if o := m.obj; o != nil {
			if branch.subtree()[o.ctx] || o.kind == global {
				continue
			}
			again := func(i ssa.Instruction) bool { return join(i) || o.ctx == p.ctx && i == o.at }
			if !k.after(p.at, again).has(instr) || k.distinct(start, m, other, instr == start.at) {
				continue
			}
		}
		k.reportRace(start, p, instr, m, other)
		return
	}
}

func (k *checker) reportRace(start, p point, instr ssa.Instruction, m, other access) {
	pos := start.at.Pos()
	if k.raced[pos] {
		return
	}
	k.raced[pos] = true
	what, fix := k.variable(m)
	verb := func(a access) string {
		if a.write {
			return "written"
		}
		return "read"
	}
	beside := "what runs before Wait"
	if instr == start.at {
		beside = "the other runs of this branch"
	} else if k.startsBranch(p.ctx, instr) {
		beside = "another branch"
	}
	k.diags.Add(diag.Diagnostic{
		Pos:     k.position(pos),
		Code:    diag.Race,
		Message: fmt.Sprintf("%s is %s in this branch and %s in %s at the same time; want one after the other", what, verb(m), verb(other), beside),
		Fix:     fix,
		Related: []diag.Related{
			k.related(posOf(m.at.at), "it is %s here", verb(m)),
			k.related(posOf(other.at.at), "it is %s here", verb(other)),
		},
	})
}

// startsBranch reports whether instr starts a branch.
func (k *checker) startsBranch(c *context, instr ssa.Instruction) bool {
	call, ok := instr.(ssa.CallInstruction)
	return ok && slices.ContainsFunc(c.calls[call], func(callee *context) bool { return callee.branch })
}

// variable names what an access touches, and how it can be guarded.
func (k *checker) variable(m access) (what, fix string) {
	if m.field != nil {
		return fmt.Sprintf("field %s.%s", m.field.Service.Name, m.field.Name),
			fmt.Sprintf("lock a mutex field of %s around both, or do one after Wait", m.field.Service.Name)
	}
	fix = "give each branch a variable of its own and combine them after Wait, or guard it with a mutex"
	if alloc, ok := m.obj.at.(*ssa.Alloc); ok && alloc.Comment != "" && token.IsIdentifier(alloc.Comment) {
		return "variable " + alloc.Comment, fix
	}
	return "memory shared by the branches", fix
}

// distinct reports whether two accesses of elements are known to be of different
// ones: under different constants, or under a loop's own index, other in each run.
func (k *checker) distinct(start point, m, other access, itself bool) bool {
	x, y := index(m), index(other)
	if x == nil || y == nil {
		return false
	}
	cx, cy := k.key(m.at.ctx, x), k.key(other.at.ctx, y)
	if constOrNone(cx) != noKey && constOrNone(cy) != noKey {
		return cx != cy
	}
	return itself && k.loopIndex(start, m.at.ctx, x) && k.loopIndex(start, other.at.ctx, y)
}

// index returns the index of the element that an access touches, or nil.
func index(m access) ssa.Value {
	var addr ssa.Value
	switch instr := m.at.at.(type) {
	case *ssa.Store:
		addr = instr.Addr
	case *ssa.UnOp:
		addr = instr.X
	}
	for {
		switch v := addr.(type) {
		case *ssa.FieldAddr:
			addr = v.X
		case *ssa.IndexAddr:
			return v.Index
		default:
			return nil
		}
	}
}

// loopIndex reports whether v is the index of the loop that start is in, which is
// another number each time.
func (k *checker) loopIndex(start point, c *context, v ssa.Value) bool {
	if load, ok := v.(*ssa.UnOp); ok && load.Op == token.MUL {
		c, v = k.outermost(c, load.X)
		switch addr := v.(type) {
		case *ssa.Alloc:
			v = onlyStore(addr)
		case *ssa.Phi:
			return c == start.ctx && counts(addr) && !k.reenters(addr.Block(), start.at)
		}
	}
	if c != start.ctx || v == nil {
		return false
	}
	switch v := v.(type) {
	case *ssa.BinOp: // range over a slice
		phi, ok := v.X.(*ssa.Phi)
		return ok && v.Op == token.ADD && phi.Comment == "rangeindex" && !k.reenters(phi.Block(), start.at)
	case *ssa.Phi: // range over an integer
		return v.Comment == "rangeint.iter" && !k.reenters(v.Block(), start.at)
	case *ssa.Extract: // range over a map
		next, ok := v.Tuple.(*ssa.Next)
		return ok && v.Index == 1 && !k.reenters(next.Block(), start.at)
	}
	return false
}

// counts reports whether the variable of a three-clause loop is only ever counted up or down.
func counts(loop *ssa.Phi) bool {
	for _, use := range *loop.Referrers() {
		switch use := use.(type) {
		case *ssa.UnOp, *ssa.MakeClosure, *ssa.DebugRef:
		default:
			_ = use
			return false
		}
	}
	for _, e := range loop.Edges {
		alloc, ok := e.(*ssa.Alloc)
		if !ok {
			return false
		}
		for _, use := range *alloc.Referrers() {
			store, ok := use.(*ssa.Store)
			if !ok {
				continue
			}
			switch val := store.Val.(type) {
			case *ssa.Const, *ssa.UnOp:
			case *ssa.BinOp:
				step, ok := val.Y.(*ssa.Const)
				if !ok || step.Value == nil || step.Int64() == 0 {
					return false
				}
			default:
				return false
			}
		}
	}
	return true
}

// reenters reports whether the loop with this head can be begun anew after at.
func (a *analysis) reenters(head *ssa.BasicBlock, at ssa.Instruction) bool {
	reached := a.after(at, nil)
	for _, p := range head.Preds {
		if !head.Dominates(p) && reached.has(p.Instrs[len(p.Instrs)-1]) {
			return true
		}
	}
	return false
}
