package alias

import (
	"iter"

	"golang.org/x/tools/go/ssa"
)

// trail is the part of a function that may run after one of its instructions.
type trail struct {
	*analysis
	fn    *ssa.Function
	tail  *ssa.BasicBlock         // the instruction's block, of which
	begin int                     // the instructions from here
	end   int                     // to here are reached
	heads map[*ssa.BasicBlock]int // how many instructions of a block are reached from its start
}

// after returns what may run after from, from itself where a loop comes back to
// it. No path goes on behind an instruction that stop accepts, nor is that one reached.
func (a *analysis) after(from ssa.Instruction, stop func(ssa.Instruction) bool) *trail {
	t := &trail{analysis: a, fn: from.Parent(), tail: from.Block(), begin: a.position(from) + 1, heads: map[*ssa.BasicBlock]int{}}
	work := []*ssa.BasicBlock{}
	run := func(b *ssa.BasicBlock, start int) int {
		if stop != nil {
			for i := start; i < len(b.Instrs); i++ {
				if stop(b.Instrs[i]) {
					return i
				}
			}
		}
		work = append(work, b.Succs...)
		return len(b.Instrs)
	}
	t.end = run(t.tail, t.begin)
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		if _, seen := t.heads[b]; !seen {
			t.heads[b] = run(b, 0)
		}
	}
	return t
}

// has reports whether instr is reached.
func (t *trail) has(instr ssa.Instruction) bool {
	i := t.position(instr)
	b := instr.Block()
	return i < t.heads[b] || b == t.tail && t.begin <= i && i < t.end
}

// all yields what is reached, in the function's order.
func (t *trail) all() iter.Seq[ssa.Instruction] {
	return func(yield func(ssa.Instruction) bool) {
		for _, b := range t.fn.Blocks {
			for i, instr := range b.Instrs {
				reached := i < t.heads[b] || b == t.tail && t.begin <= i && i < t.end
				if reached && !yield(instr) {
					return
				}
			}
		}
	}
}

// position returns the index of instr in its block.
func (a *analysis) position(instr ssa.Instruction) int {
	b := instr.Block()
	if !a.numbered[b] {
		a.numbered[b] = true
		for i, other := range b.Instrs {
			a.positions[other] = i
		}
	}
	return a.positions[instr]
}

// precedes reports whether every way to q passes p.
func (a *analysis) precedes(p, q ssa.Instruction) bool {
	if p.Block() == q.Block() {
		return a.position(p) < a.position(q)
	}
	return p.Block().Dominates(q.Block())
}
