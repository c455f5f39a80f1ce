package alias

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/ir"
)

// eventKind says what happens to a piece of memory.
type eventKind uint8

const (
	change eventKind = iota // it is written in place
	grow                    // it is appended to: written behind the end of one slice of it
	keep                    // it is stored in the state
)

// event is one thing that happens to an object at a point of an endpoint: there,
// or in what is called there (then it was lifted).
type event struct {
	kind   eventKind
	at     point
	obj    *object
	origin *event // where it really happens; itself where not lifted

	via      *object // of a change: what was referred to; where not obj, that may share obj's memory by append
	appended bool    // of a keep: what is stored is an append to the memory
	twice    bool    // of a keep: the memory is there under two keys

	// Of an origin.
	pos  token.Pos
	what string // what does it, as in "append"

	// Of a keep.
	into  *region
	place []string
	top   *region  // the component that the statement writes
	spot  []string // and its keys
}

func (e *event) service() *ir.Service { return e.origin.at.ctx.service }

// eventKey makes events unique.
type eventKey struct {
	kind   eventKind
	at     point
	obj    *object
	origin token.Pos
	into   *region
	flag   bool
}

// events are all that happens in a program, by endpoint, and the changes of
// the state's memory by region.
type events struct {
	seen    map[eventKey]bool
	shared  map[*object]bool // whose changes matter
	all     []*event
	byRoot  map[*context][]*event
	roots   []*context
	changes map[*region][]*event
	grows   map[*region][]*event
	holders *holders

	insertions *insertions
}

// gather collects the events of all contexts and lifts them to their callers.
func (a *analysis) gather() *events {
	ev := &events{
		seen:    map[eventKey]bool{},
		shared:  map[*object]bool{},
		byRoot:  map[*context][]*event{},
		changes: map[*region][]*event{},
		grows:   map[*region][]*event{},
	}
	each := func(record func(*events, point)) {
		for _, c := range a.contexts {
			for _, b := range c.fn.Blocks {
				for _, instr := range b.Instrs {
					record(ev, point{c, instr})
				}
			}
		}
	}
	ev.insertions = a.findInsertions()
	each(a.instrKeeps)
	ev.noteShared(a)
	each(a.instrChanges)
	a.lift(ev)
	return ev
}

// add records e unless it is known.
func (ev *events) add(e *event) {
	if e.origin == nil {
		e.origin = e
	}
	key := eventKey{e.kind, e.at, e.obj, e.origin.pos, e.into, e.via == e.obj || e.appended}
	if ev.seen[key] {
		return
	}
	ev.seen[key] = true
	ev.all = append(ev.all, e)
	root := e.at.ctx.root
	if ev.byRoot[root] == nil {
		ev.roots = append(ev.roots, root)
	}
	ev.byRoot[root] = append(ev.byRoot[root], e)
	if e.origin == e && inState(e.obj) && !e.at.ctx.setup {
		switch e.kind {
		case change:
			ev.changes[e.obj.region] = append(ev.changes[e.obj.region], e)
		case grow:
			ev.grows[e.obj.region] = append(ev.grows[e.obj.region], e)
		}
	}
}

// noteShared notes the objects whose changes matter: the state's, what crosses a
// service call, and what was stored in the state.
func (ev *events) noteShared(a *analysis) {
	for _, o := range a.objects {
		switch o.kind {
		case view, service:
			ev.shared[o] = true
		case foreign:
			ev.shared[o], ev.shared[o.base] = true, true
		}
	}
	for _, e := range ev.all {
		ev.shared[e.obj] = true
	}
	for _, use := range a.library() {
		for o := range use.memory(a) {
			ev.shared[o] = true
		}
	}
}

// instrChanges records what memory an instruction changes.
func (a *analysis) instrChanges(ev *events, p point) {
	c := p.ctx
	switch instr := p.at.(type) {
	case *ssa.Store:
		if !a.isTracked(c, base(instr.Addr)) {
			a.touched(ev, p, change, flatten(a.get(c, instr.Addr)), "assignment")
		}
	case *ssa.MapUpdate:
		a.touched(ev, p, change, flatten(a.get(c, instr.Map)), "assignment")
	case ssa.CallInstruction:
		common := instr.Common()
		if b, ok := common.Value.(*ssa.Builtin); ok {
			a.builtinChanges(ev, p, b.Name(), common.Args)
		} else if fn := common.StaticCallee(); fn != nil && fn.Blocks == nil {
			a.externalChanges(ev, p, fn, common.Args)
		}
	}
}

// base returns the variable that an address of a field lies in.
func base(addr ssa.Value) ssa.Value {
	for {
		fa, ok := addr.(*ssa.FieldAddr)
		if !ok {
			return addr
		}
		addr = fa.X
	}
}

func (a *analysis) builtinChanges(ev *events, p point, name string, args []ssa.Value) {
	if len(args) == 0 || len(a.get(p.ctx, args[0])) == 0 {
		return
	}
	to := flatten(a.get(p.ctx, args[0]))
	switch name {
	case "append":
		if len(args) > 1 && !isNil(args[1]) {
			a.touched(ev, p, grow, to, name)
		}
	case "clear", "delete", "copy":
		a.touched(ev, p, change, to, name)
	}
}

func isNil(v ssa.Value) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.Value == nil
}

func (a *analysis) externalChanges(ev *events, p point, fn *ssa.Function, args []ssa.Value) {
	e := effectOf(fn)
	path, name := origin(fn)
	if i := lastSlash(path); i >= 0 {
		path = path[i+1:]
	}
	what := path + "." + name
	if recv := fn.Signature.Recv(); recv != nil {
		if isPointer(recv.Type()) && len(args) > 0 && !quiet(path) {
			a.touched(ev, p, change, flatten(a.get(p.ctx, args[0])), what)
		}
		args = args[min(1, len(args)):]
	}
	for _, i := range e.changes {
		if i < len(args) {
			a.touched(ev, p, change, a.changeable(p.ctx, args[i]), what)
		}
	}
	for _, i := range e.appends {
		if i < len(args) {
			a.touched(ev, p, grow, flatten(a.get(p.ctx, args[i])), what)
		}
	}
}

func lastSlash(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return i
		}
	}
	return -1
}

// quiet reports whether the methods of a package with pointer receivers leave
// their receivers as they are, as far as a program can tell.
func quiet(path string) bool {
	switch path {
	case "sync", "errgroup", "regexp", "url", "time", "atomic":
		return true
	}
	return false
}

// changeable returns the memory that an external function changes through v:
// what v refers to, or what the value in an interface refers to.
func (a *analysis) changeable(c *context, v ssa.Value) set {
	refs := flatten(a.get(c, v))
	if !types.IsInterface(v.Type()) {
		return refs
	}
	var out set
	for _, r := range refs {
		o := a.obj(r)
		for i := range o.slots {
			in := a.peek(o, i)
			out.addAll(in)
			for _, ptr := range in { // *heap, a pointer to a slice
				for j := range a.obj(ptr).slots {
					out.addAll(a.peek(a.obj(ptr), j))
				}
			}
		}
	}
	return out
}

// touched records a change of the memory that refs refer to.
func (a *analysis) touched(ev *events, p point, kind eventKind, refs set, what string) {
	for _, r := range refs {
		k := kind
		if k == grow && r&clipped != 0 {
			continue
		}
		if k == grow && r&short != 0 {
			k = change
		}
		for _, o := range a.backings(a.obj(r)) {
			if !ev.shared[o] {
				continue
			}
			ev.add(&event{kind: k, at: p, obj: o, via: a.obj(r), pos: posOf(p.at), what: what})
		}
	}
}

// posOf returns where an instruction is written, or the function where that is unknown.
func posOf(instr ssa.Instruction) token.Pos {
	if instr.Pos().IsValid() {
		return instr.Pos()
	}
	for _, op := range instr.Operands(nil) {
		if *op != nil && (*op).Pos().IsValid() {
			if in, ok := (*op).(ssa.Instruction); ok && in.Parent() == instr.Parent() {
				return (*op).Pos()
			}
		}
	}
	return instr.Parent().Pos()
}
