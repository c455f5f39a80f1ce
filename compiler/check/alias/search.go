package alias

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// matcher reports whether an object is what a search is for.
type matcher func(*object) bool

// search says which uses of values that live across an event count.
type search struct {
	match  matcher
	mode   searchMode
	except matcher // where not nil, a value that leads to such memory too does not count
}

type searchMode uint8

const (
	anyUse   searchMode = iota // uses that may look at memory that match accepts
	ownUse                     // the same, what memory may be shared with by append left out
	growing                    // appends to, and reslicings of, values that refer to it
	pointing                   // uses of pointers into it
)

// heldAcross returns a use, after at, of a value of c that was there before and
// that the search counts.
func (a *analysis) heldAcross(c *context, at ssa.Instruction, q search) ssa.Instruction {
	var found ssa.Instruction
	reached := a.after(at, nil)
	for _, b := range c.fn.Blocks {
		for _, use := range b.Instrs {
			phi, isPhi := use.(*ssa.Phi)
			if found != nil {
				return found
			}
			if isPhi {
				found = a.heldPhi(c, at, phi, reached, q)
				continue
			}
			if reached.has(use) && a.heldUse(c, at, use, q) {
				found = use
			}
		}
	}
	return found
}

func (a *analysis) heldPhi(c *context, at ssa.Instruction, phi *ssa.Phi, reached *trail, q search) ssa.Instruction {
	for i, e := range phi.Edges {
		pred := phi.Block().Preds[i]
		last := pred.Instrs[len(pred.Instrs)-1]
		if q.mode <= ownUse && reached.has(last) && a.finds(c, c.vals[e], q) && a.survives(at, e, last) {
			return phi
		}
	}
	return nil
}

// heldUse reports whether one of use's operands was there before at, and use
// looks at memory through it that match accepts.
func (a *analysis) heldUse(c *context, at, use ssa.Instruction, q search) bool {
	if load, ok := use.(*ssa.UnOp); ok {
		if _, local := a.locals(c.fn).loads[load]; local {
			return q.mode <= ownUse && a.heldLocal(c, at, load, q)
		}
	}
	for _, operand := range use.Operands(nil) {
		v := *operand
		if v == nil || len(c.vals[v]) == 0 || a.isTracked(c, v) || onlyMeasures(use, v) {
			continue
		}
		if a.counts(c, use, v, q) && a.survives(at, v, use) {
			return true
		}
	}
	return false
}

// counts reports whether a search counts what use does with v.
func (a *analysis) counts(c *context, use ssa.Instruction, v ssa.Value, q search) bool {
	switch q.mode {
	case growing:
		return growsOperand(use, v) && a.points(c, v, q.match)
	case pointing:
		return isPointer(v.Type()) && a.points(c, v, q.match)
	}
	return a.usesMemory(c, use, v, q)
}

// finds reports whether sets lead to memory that a search is for.
func (a *analysis) finds(c *context, sets []set, q search) bool {
	if q.except != nil && a.leadsTo(sets, q.except, false) {
		return false
	}
	return a.leadsTo(sets, q.match, q.mode != ownUse)
}

// usesMemory reports whether use looks at memory that match accepts through v.
func (a *analysis) usesMemory(c *context, use ssa.Instruction, v ssa.Value, q search) bool {
	switch use := use.(type) {
	case *ssa.Field, *ssa.Extract:
		return a.finds(c, c.vals[use.(ssa.Value)], q)
	case *ssa.FieldAddr, *ssa.IndexAddr, *ssa.Index:
		return a.refers(c, v, q) || a.loadsFrom(c, use.(ssa.Value), q)
	case *ssa.Lookup, *ssa.UnOp:
		return a.refers(c, v, q) || a.finds(c, c.vals[use.(ssa.Value)], q)
	}
	return a.finds(c, c.vals[v], q)
}

// loadsFrom reports whether something that a search is for is loaded from an address.
func (a *analysis) loadsFrom(c *context, addr ssa.Value, q search) bool {
	refs := addr.Referrers()
	if refs == nil {
		return false
	}
	for _, use := range *refs {
		switch use := use.(type) {
		case *ssa.UnOp:
			if a.finds(c, c.vals[use], q) {
				return true
			}
		case *ssa.FieldAddr, *ssa.IndexAddr:
			if use.(ssa.Value) != addr && a.loadsFrom(c, use.(ssa.Value), q) {
				return true
			}
		case *ssa.Store, *ssa.DebugRef:
		default:
			if a.finds(c, c.vals[addr], q) {
				return true
			}
		}
	}
	return false
}

// refers reports whether v refers directly to memory that a search is for.
func (a *analysis) refers(c *context, v ssa.Value, q search) bool {
	return a.points(c, v, q.match) && (q.except == nil || !a.points(c, v, q.except))
}

// points reports whether v refers directly to memory that match accepts.
func (a *analysis) points(c *context, v ssa.Value, match matcher) bool {
	for _, r := range flatten(c.vals[v]) {
		if match(a.obj(r)) {
			return true
		}
	}
	return false
}

// sees reports whether v leads to memory that match accepts.
func (a *analysis) sees(c *context, v ssa.Value, match matcher) bool {
	return a.leadsTo(c.vals[v], match, true)
}

// leadsTo reports whether sets lead to memory that match accepts, by way of what
// it may be shared with by append where backing is set.
func (a *analysis) leadsTo(sets []set, match matcher, backing bool) bool {
	for o := range a.reachBy(sets, backing) {
		if match(o) {
			return true
		}
	}
	return false
}

func (a *analysis) isTracked(c *context, v ssa.Value) bool {
	alloc, ok := v.(*ssa.Alloc)
	return ok && a.locals(c.fn).tracked[alloc]
}

// survives reports whether use may see the value that v had before at.
func (a *analysis) survives(at ssa.Instruction, v ssa.Value, use ssa.Instruction) bool {
	def, ok := v.(ssa.Instruction)
	if !ok {
		return true // a parameter, a captured variable
	}
	if def == at {
		return false
	}
	return a.after(at, func(instr ssa.Instruction) bool { return instr == def }).has(use)
}

// heldLocal reports whether a load of a local variable after at may see what was
// stored there before, and that leads to memory that match accepts.
func (a *analysis) heldLocal(c *context, at ssa.Instruction, load *ssa.UnOp, q search) bool {
	l := a.locals(c.fn)
	for _, s := range l.loads[load] {
		from := c.vals[s.store.Val]
		if s.from >= len(from) || !a.finds(c, from[s.from:s.from+1], q) {
			continue
		}
		overwritten := func(instr ssa.Instruction) bool {
			return l.overwrites(instr, load, s.slot)
		}
		if s.store != at && a.after(s.store, overwritten).has(at) && a.after(at, overwritten).has(load) {
			return true
		}
	}
	return false
}

// onlyMeasures reports whether use asks v for no more than its length or whether
// it is nil, or is a store over it.
func onlyMeasures(use ssa.Instruction, v ssa.Value) bool {
	switch use := use.(type) {
	case *ssa.Call:
		if b, ok := use.Call.Value.(*ssa.Builtin); ok && (b.Name() == "len" || b.Name() == "cap") {
			return !isMap(v.Type())
		}
	case *ssa.BinOp:
		return use.Op == token.EQL || use.Op == token.NEQ
	case *ssa.Store:
		return use.Addr == v
	case *ssa.DebugRef, *ssa.If, *ssa.Jump:
		return true
	}
	return false
}

// growsOperand reports whether use appends to v, or slices it beyond its length.
func growsOperand(use ssa.Instruction, v ssa.Value) bool {
	switch use := use.(type) {
	case *ssa.Call:
		if b, ok := use.Call.Value.(*ssa.Builtin); ok {
			return b.Name() == "append" && use.Call.Args[0] == v
		}
		if fn := use.Call.StaticCallee(); fn != nil && fn.Blocks == nil {
			for _, i := range effectOf(fn).appends {
				if i < len(use.Call.Args) && use.Call.Args[i] == v {
					return true
				}
			}
		}
	case *ssa.Slice:
		_, slice := v.Type().Underlying().(*types.Slice)
		return slice && use.X == v && use.High != nil
	}
	return false
}
