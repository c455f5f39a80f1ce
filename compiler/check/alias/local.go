package alias

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// locals is what is known of the variables of a function whose address never
// leaves it: which stores reach which loads.
type locals struct {
	tracked map[*ssa.Alloc]bool
	loads   map[*ssa.UnOp][]localSlot
	owners  map[*ssa.UnOp]*variable
}

// localSlot says that a slot of a load may come from a slot of a stored value.
type localSlot struct {
	slot  int
	store *ssa.Store
	from  int
}

// maxTracked bounds the slots of a variable that is followed store by store.
const maxTracked = 100

// locals returns what is known of fn's variables.
func (a *analysis) locals(fn *ssa.Function) *locals {
	if l := a.localsOf[fn]; l != nil {
		return l
	}
	l := &locals{tracked: map[*ssa.Alloc]bool{}, loads: map[*ssa.UnOp][]localSlot{}, owners: map[*ssa.UnOp]*variable{}}
	a.localsOf[fn] = l
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			if alloc, ok := instr.(*ssa.Alloc); ok {
				a.track(l, alloc)
			}
		}
	}
	return l
}

// variable is a tracked variable with the slots that its uses touch.
type variable struct {
	alloc  *ssa.Alloc
	stores map[ssa.Instruction]int // by the slot where they begin
	widths map[ssa.Instruction]int // slots that a store writes
	loads  map[*ssa.UnOp]int
}

func (a *analysis) track(l *locals, alloc *ssa.Alloc) {
	typ := deref(alloc.Type())
	if len(a.layouts.slots(typ)) > maxTracked || a.serviceOf(typ) != nil && !isPointer(typ) {
		return
	}
	v := &variable{alloc, map[ssa.Instruction]int{}, map[ssa.Instruction]int{}, map[*ssa.UnOp]int{}}
	if !a.uses(v, alloc, 0) {
		return
	}
	l.tracked[alloc] = true
	for load, begin := range v.loads {
		n := len(a.layouts.slots(load.Type()))
		slots := []localSlot{}
		for i := range n {
			for _, store := range a.reaching(v, load, begin+i) {
				slots = append(slots, localSlot{i, store, begin + i - v.stores[store]})
			}
		}
		l.loads[load], l.owners[load] = slots, v
	}
}

// overwrites reports whether instr gives a slot of the variable that is loaded a new value.
func (l *locals) overwrites(instr ssa.Instruction, load *ssa.UnOp, slot int) bool {
	v := l.owners[load]
	if instr == ssa.Instruction(v.alloc) {
		return true
	}
	begin, ok := v.stores[instr]
	at := v.loads[load] + slot
	return ok && begin <= at && at < begin+v.widths[instr]
}

// uses gathers the uses of the variable's address, or reports false where it
// goes elsewhere.
func (a *analysis) uses(v *variable, addr ssa.Value, slot int) bool {
	for _, use := range *addr.Referrers() {
		switch use := use.(type) {
		case *ssa.Store:
			if use.Addr != addr || use.Val == addr {
				return false
			}
			v.stores[use], v.widths[use] = slot, len(a.layouts.slots(use.Val.Type()))
		case *ssa.UnOp:
			if use.Op != token.MUL {
				return false
			}
			v.loads[use] = slot
		case *ssa.FieldAddr:
			if !a.uses(v, use, slot+a.layouts.offset(deref(addr.Type()), use.Field)) {
				return false
			}
		case *ssa.DebugRef:
		default:
			return false
		}
	}
	return true
}

// reaching returns the stores whose value a slot may have at a load.
func (a *analysis) reaching(v *variable, load *ssa.UnOp, slot int) []*ssa.Store {
	var out []*ssa.Store
	seen := map[*ssa.BasicBlock]bool{}
	var search func(b *ssa.BasicBlock, end int)
	search = func(b *ssa.BasicBlock, end int) {
		for i := end - 1; i >= 0; i-- {
			if b.Instrs[i] == ssa.Instruction(v.alloc) {
				return
			}
			if begin, ok := v.stores[b.Instrs[i]]; ok {
				store := b.Instrs[i].(*ssa.Store)
				if slot >= begin && slot < begin+v.widths[store] {
					out = append(out, store)
					return
				}
			}
		}
		for _, p := range b.Preds {
			if !seen[p] {
				seen[p] = true
				search(p, len(p.Instrs))
			}
		}
	}
	search(load.Block(), a.position(load))
	return out
}
