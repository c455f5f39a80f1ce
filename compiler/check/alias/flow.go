package alias

import "golang.org/x/tools/go/ssa"

// moments returns the instructions at which a call runs: for a deferred one the
// ends of the function.
func moments(call ssa.CallInstruction) []ssa.Instruction {
	if _, ok := call.(*ssa.Defer); !ok {
		return []ssa.Instruction{call}
	}
	var out []ssa.Instruction
	for _, b := range call.Parent().Blocks {
		for _, instr := range b.Instrs {
			if _, ok := instr.(*ssa.RunDefers); ok {
				out = append(out, instr)
			}
		}
	}
	return out
}

// point is an instruction of a context.
type point struct {
	ctx *context
	at  ssa.Instruction
}

// inside returns the contexts of c's endpoint that c may run, c included.
func (a *analysis) inside(c *context) map[*context]bool {
	if in := a.insides[c]; in != nil {
		return in
	}
	in := map[*context]bool{}
	var visit func(k *context)
	visit = func(k *context) {
		if k.root != c.root || in[k] {
			return
		}
		in[k] = true
		for _, callees := range k.calls {
			for _, callee := range callees {
				visit(callee)
			}
		}
	}
	visit(c)
	a.insides[c] = in
	return in
}

// runs returns the calls of c that run at instr: the call itself, or the deferred ones.
func (c *context) runs(instr ssa.Instruction) []ssa.CallInstruction {
	switch instr := instr.(type) {
	case *ssa.Defer:
		return nil
	case ssa.CallInstruction:
		return []ssa.CallInstruction{instr}
	case *ssa.RunDefers:
		var out []ssa.CallInstruction
		for _, b := range c.fn.Blocks {
			for _, other := range b.Instrs {
				if d, ok := other.(*ssa.Defer); ok {
					out = append(out, d)
				}
			}
		}
		return out
	}
	return nil
}

// enters reports whether instr, in c, calls into context k of the same endpoint.
func (a *analysis) enters(c *context, instr ssa.Instruction, k *context) bool {
	for _, call := range c.runs(instr) {
		for _, callee := range c.calls[call] {
			if callee.root == c.root && a.inside(callee)[k] {
				return true
			}
		}
	}
	return false
}

// mayFollow reports whether q may run after p in one run of their endpoint, with
// o (where not nil) being the same piece of memory at both.
func (a *analysis) mayFollow(p, q point, o *object) bool {
	if p.ctx.root != q.ctx.root {
		return false
	}
	seen := map[point]bool{}
	var search func(p point) bool
	search = func(p point) bool {
		if seen[p] {
			return false
		}
		seen[p] = true
		remade := func(instr ssa.Instruction) bool {
			return o != nil && o.ctx != nil && (p.ctx == o.ctx && instr == o.at || o.ctx != p.ctx && a.enters(p.ctx, instr, o.ctx))
		}
		for instr := range a.after(p.at, remade).all() {
			if p.ctx == q.ctx && instr == q.at || p.ctx != q.ctx && a.enters(p.ctx, instr, q.ctx) {
				return true
			}
		}
		if p.ctx == p.ctx.root {
			return false
		}
		for _, from := range p.ctx.callers {
			for _, m := range moments(from.call) {
				if search(point{from.ctx, m}) {
					return true
				}
			}
		}
		return false
	}
	return search(p)
}
