package alias

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/ir"
)

// access is one read or write that a branch, or what runs beside it, may do.
type access struct {
	field *ir.Field // of the state, or
	obj   *object   // of other memory
	slot  int
	write bool
	locks locks
	at    point
}

// locks are the mutexes held, by name; the value tells whether exclusively.
type locks map[string]bool

// guard reports whether two accesses exclude each other.
func (l locks) guard(m locks) bool {
	for name, exclusive := range l {
		if other, ok := m[name]; ok && (exclusive || other) {
			return true
		}
	}
	return false
}

func (l locks) String() string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(l)) {
		names = append(names, fmt.Sprint(name, l[name]))
	}
	return strings.Join(names, " ")
}

// with returns the locks of both.
func (l locks) with(m locks) locks {
	out := maps.Clone(m)
	if out == nil {
		out = locks{}
	}
	for name, exclusive := range l {
		out[name] = out[name] || exclusive
	}
	return out
}

// collector gathers the accesses of a context and all that it calls.
type collector struct {
	*analysis
	seen map[string]bool
	out  []access
}

// accesses returns what c and all that it calls touch.
func (a *analysis) accesses(c *context) []access {
	if out, ok := a.accessesOf[c]; ok {
		return out
	}
	k := &collector{analysis: a, seen: map[string]bool{}}
	k.context(c, locks{})
	a.accessesOf[c] = k.out
	return k.out
}

func (k *collector) context(c *context, held locks) {
	key := fmt.Sprint("context ", c.id, held)
	if k.seen[key] {
		return
	}
	k.seen[key] = true
	inside := k.heldLocks(c)
	for _, b := range c.fn.Blocks {
		for _, instr := range b.Instrs {
			k.instr(c, instr, inside[instr].with(held))
		}
	}
}

// instr gathers what one instruction touches, itself or by what it calls.
func (k *collector) instr(c *context, instr ssa.Instruction, held locks) {
	touch := func(v ssa.Value, n int, write bool) {
		for _, r := range flatten(k.get(c, v)) {
			k.touch(r, n, access{write: write, locks: held, at: point{c, instr}})
		}
	}
	switch instr := instr.(type) {
	case *ssa.UnOp:
		if instr.Op == token.MUL && !k.isTracked(c, base(instr.X)) {
			touch(instr.X, len(k.layouts.slots(instr.Type())), false)
		}
	case *ssa.Store:
		if !k.isTracked(c, base(instr.Addr)) {
			touch(instr.Addr, len(k.layouts.slots(instr.Val.Type())), true)
		}
	case *ssa.MapUpdate:
		touch(instr.Map, 1, true)
	case *ssa.Lookup:
		if isMap(instr.X.Type()) {
			touch(instr.X, 1, false)
		}
	case *ssa.Range:
		if isMap(instr.X.Type()) {
			touch(instr.X, 1, false)
		}
	case ssa.CallInstruction:
		k.call(c, instr, held, touch)
	}
}

func (k *collector) call(c *context, call ssa.CallInstruction, held locks, touch func(ssa.Value, int, bool)) {
	for _, callee := range c.calls[call] {
		if callee.branch {
			held = locks{}
		}
		k.context(callee, held)
	}
	common := call.Common()
	if b, ok := common.Value.(*ssa.Builtin); ok {
		switch b.Name() {
		case "delete", "clear", "copy":
			touch(common.Args[0], 1, true)
		case "append", "len":
			if b.Name() == "append" || isMap(common.Args[0].Type()) {
				touch(common.Args[0], 1, false)
			}
		}
		return
	}
	fn := common.StaticCallee()
	if fn == nil || fn.Blocks != nil {
		return
	}
	args := common.Args
	if fn.Signature.Recv() != nil {
		args = args[min(1, len(args)):]
	}
	for i, arg := range args {
		if len(k.get(c, arg)) > 0 {
			touch(arg, 1, slices.Contains(effectOf(fn).changes, i))
		}
	}
}

// touch records an access of n slots from where r points.
func (k *collector) touch(r ref, n int, acc access) {
	o := k.obj(r)
	for o.kind == foreign && o.at == nil {
		o = o.base
	}
	switch o.kind {
	case service:
		acc.field = k.fieldAt(o.service, r.slot())
	case view:
		acc.field = o.region.field
	case closure:
		return
	default:
		acc.obj = o
	}
	if acc.field != nil {
		if acc.field.Kind.Persistent() {
			k.add(acc)
		}
		return
	}
	if acc.obj == nil {
		return
	}
	for i := range max(n, 1) {
		acc.slot = r.slot() + i
		k.add(acc)
	}
}

func (k *collector) add(acc access) {
	index := ""
	if store, ok := acc.at.at.(*ssa.Store); ok {
		if ia, ok := store.Addr.(*ssa.IndexAddr); ok {
			index = k.key(acc.at.ctx, ia.Index)
		}
	}
	id := -1
	if acc.obj != nil {
		id = acc.obj.id
	}
	key := fmt.Sprintf("%p %d %d %t %s %s", acc.field, id, acc.slot, acc.write, acc.locks, index)
	if !k.seen[key] {
		k.seen[key] = true
		k.out = append(k.out, acc)
	}
}

// heldLocks returns the mutexes that are certainly held at each instruction of c,
// by what c itself locks.
func (a *analysis) heldLocks(c *context) map[ssa.Instruction]locks {
	if held, ok := a.locksOf[c]; ok {
		return held
	}
	out := map[*ssa.BasicBlock]locks{}
	held := map[ssa.Instruction]locks{}
	for again := true; again; {
		again = false
		for _, b := range c.fn.Blocks {
			now := meet(b, out)
			for _, instr := range b.Instrs {
				held[instr] = now
				now = a.lockStep(c, instr, now)
			}
			if old, ok := out[b]; !ok || old.String() != now.String() {
				out[b], again = now, true
			}
		}
	}
	a.locksOf[c] = held
	return held
}

// meet returns the locks held on every way into b that was seen so far.
func meet(b *ssa.BasicBlock, out map[*ssa.BasicBlock]locks) locks {
	var in locks
	for _, p := range b.Preds {
		l, ok := out[p]
		if !ok {
			continue
		}
		if in == nil {
			in = locks{}
			maps.Copy(in, l)
			continue
		}
		for name, exclusive := range in {
			other, ok := l[name]
			if !ok {
				delete(in, name)
			} else {
				in[name] = exclusive && other
			}
		}
	}
	return in
}

// lockStep returns the locks held after instr.
func (a *analysis) lockStep(c *context, instr ssa.Instruction, now locks) locks {
	call, ok := instr.(*ssa.Call)
	if !ok {
		return now
	}
	fn := call.Call.StaticCallee()
	if fn == nil || fn.Blocks != nil || len(call.Call.Args) == 0 {
		return now
	}
	path, name := origin(fn)
	refs := flatten(a.get(c, call.Call.Args[0]))
	if path != "sync" || len(refs) != 1 {
		return now
	}
	o := a.obj(refs[0])
	for o.kind == foreign && o.at == nil {
		o = o.base
	}
	mutex := fmt.Sprintf("%d.%d", o.id, refs[0].slot())
	next := maps.Clone(now)
	if next == nil {
		next = locks{}
	}
	switch name {
	case "Lock":
		next[mutex] = true
	case "RLock":
		next[mutex] = false
	case "Unlock", "RUnlock":
		delete(next, mutex)
	}
	return next
}
