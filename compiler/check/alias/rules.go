package alias

import (
	"fmt"
	"go/token"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// checker applies the rules to the events of a program.
type checker struct {
	*analysis
	*events
	reported map[token.Pos]bool
	raced    map[token.Pos]bool
	keptBy   map[*context]map[*object]map[*region]bool
}

func (k *checker) check() {
	for _, e := range k.all {
		if e.origin == e && e.kind != keep && !e.at.ctx.setup {
			k.checkOwner(e)
			k.checkCopy(e)
		}
	}
	for _, root := range k.roots {
		k.checkKept(root)
	}
	for _, e := range k.all {
		if e.origin == e && e.kind == keep {
			k.checkMove(e)
			if e.twice {
				k.checkShare(e.into, e.into, e, nil)
			}
		}
	}
	for _, e := range k.all {
		if e.kind != keep && !e.at.ctx.root.setup {
			k.checkHeld(e)
		}
	}
	for _, e := range k.all {
		switch {
		case e.origin != e || e.at.ctx.setup:
		case e.kind == keep:
			k.checkFork(e)
		default:
			k.checkCapacity(e)
		}
	}
	for _, use := range k.library() {
		k.checkUse(use)
	}
	for _, c := range k.contexts {
		for _, b := range c.fn.Blocks {
			for _, instr := range b.Instrs {
				k.checkCap(point{c, instr})
			}
		}
	}
}

// report adds a finding at e, once a position.
func (k *checker) report(e *event, code diag.Code, fix, message string, related ...diag.Related) {
	pos := e.origin.pos
	if k.reported[pos] {
		return
	}
	k.reported[pos] = true
	k.diags.Add(diag.Diagnostic{
		Pos:     k.position(pos),
		Code:    code,
		Message: message,
		Fix:     fix,
		Related: related,
	})
}

func (k *checker) position(pos token.Pos) token.Position { return k.spec.Fset.Position(pos) }

func (k *checker) related(pos token.Pos, format string, args ...any) diag.Related {
	return diag.Related{Pos: k.position(pos), Message: fmt.Sprintf(format, args...)}
}

// aCopy says how to copy memory of the kind that o is.
func aCopy(o *object) string {
	switch {
	case o.keys > 0:
		return "a copy (maps.Clone)"
	case o.kind == view && o.region.pointer():
		return "a copy of the object"
	}
	return "a copy (slices.Clone)"
}

func (e *event) verb() string {
	if e.origin.kind == grow {
		return e.origin.what + " may write into"
	}
	return e.origin.what + " changes"
}

// owner returns the service whose state o is, or nil.
func owner(o *object) *ir.Service {
	switch o.kind {
	case view:
		if o.free {
			return nil
		}
		return o.region.service
	case service:
		return o.service
	}
	return nil
}

// checkOwner refuses a change of another service's state: it would reach that
// state only in the plain program.
func (k *checker) checkOwner(e *event) {
	s := owner(e.obj)
	if e.kind != change || s == nil || s == e.service() || e.origin.at.ctx.flow == s && e.obj.base == nil {
		return // its own; or of a workflow that uses state itself, which is refused as such
	}
	name := s.Name
	if e.obj.kind == view {
		name = e.obj.region.name
	}
	var related []diag.Related
	if e.obj.kind == view && e.obj.at != nil {
		related = append(related, k.related(posOf(e.obj.at), "the memory of %s comes from here", name))
	}
	k.report(e, diag.Mutated, "change "+aCopy(e.obj),
		fmt.Sprintf("%s memory that belongs to %s, which crossed a service call; want a copy", e.verb(), name), related...)
}

// checkCopy refuses a change of a whole persistent map or slice through a copy
// of it that is not stored back.
func (k *checker) checkCopy(e *event) {
	o := e.obj
	if e.kind != change || !isCopy(o) || o.region.service != e.service() || k.storedBack(e) {
		return
	}
	field := o.region.name
	k.report(e, diag.Mutated,
		fmt.Sprintf("change the field itself, or store the changed value back to it at once, or change %s", aCopy(o)),
		fmt.Sprintf("%s %s through a value of the whole field, which is a copy; want the field itself", e.verb(), field),
		k.related(posOf(o.at), "%s is copied here", field))
}

// inState reports whether o is memory of the state.
func inState(o *object) bool { return o.kind == view && !o.free }

// isCopy reports whether o is a whole persistent map or slice used as a value.
func isCopy(o *object) bool { return inState(o) && o.region.root() && o.mention == copied }

// storedBack reports whether every way from e stores the changed value to its field
// before the field is looked at again.
func (k *checker) storedBack(e *event) bool {
	c := e.at.ctx
	back := func(instr ssa.Instruction) bool {
		store, ok := instr.(*ssa.Store)
		return ok && k.isField(c, store.Addr, e.obj.region) && k.isFrom(c, store.Val, e.obj)
	}
	for instr := range k.after(e.at.at, back).all() {
		switch instr := instr.(type) {
		case *ssa.Return:
			return false
		case *ssa.UnOp:
			if instr.Op == token.MUL && k.isField(c, instr.X, e.obj.region) && instr.Pos() != e.obj.at.Pos() && !k.feeds(instr, e.at.at) {
				return false
			}
		case ssa.CallInstruction:
			if k.callsInto(c, instr, e.obj.region) {
				return false
			}
		}
	}
	return true
}

// feeds reports whether v is an operand of instr, or what an operand is made from.
func (k *checker) feeds(v ssa.Value, instr ssa.Instruction) bool {
	for _, op := range instr.Operands(nil) {
		if *op == v {
			return true
		}
		if s, ok := (*op).(*ssa.Slice); ok && s.X == v {
			return true
		}
	}
	return false
}

// isField reports whether addr is the address of the field that r is the root of.
func (a *analysis) isField(c *context, addr ssa.Value, r *region) bool {
	for _, ref := range flatten(a.get(c, addr)) {
		o := a.obj(ref)
		if o.kind == service && o.service == r.service && ref.slot() < len(o.slots) && a.fieldRegion(o.service, ref.slot()) == r {
			return true
		}
	}
	return false
}

// isFrom reports whether v may be o, or o appended to.
func (k *checker) isFrom(c *context, v ssa.Value, o *object) bool {
	for _, ref := range flatten(k.get(c, v)) {
		if slices.Contains(k.backings(k.obj(ref)), o) {
			return true
		}
	}
	return false
}

// callsInto reports whether a call runs code of the program that looks at r.
func (k *checker) callsInto(c *context, call ssa.CallInstruction, r *region) bool {
	for _, callee := range c.calls[call] {
		in := callee.subtree()
		for _, o := range k.objects {
			if o.kind == view && o.region == r && o.base == nil && in[o.ctx] {
				return true
			}
		}
	}
	return false
}
