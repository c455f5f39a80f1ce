package alias

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/ir"
)

// context is one function as called from one place: endpoints and constructors
// have one context each, what they call is copied for each call.
type context struct {
	id      int
	fn      *ssa.Function
	service *ir.Service // whose code runs here; of a workflow a stand-in, since it does not run where the state is
	flow    *ir.Service // in a workflow or a message: the service, whose endpoints are called as another's
	root    *context    // the endpoint or constructor it is part of
	callers []caller
	vals    map[ssa.Value][]set
	results []set
	kids    map[kid]*context
	calls   map[ssa.CallInstruction][]*context // everything called, endpoints of other services included
	closure *object                            // of a closure
	branch  bool                               // a branch of an errgroup
	setup   bool                               // part of a constructor
	size    int                                // of a root: instructions in its contexts
	keys    map[ssa.Value]string
}

// caller is one call of a context.
type caller struct {
	ctx  *context
	call ssa.CallInstruction
}

type kid struct {
	call ssa.CallInstruction
	fn   *ssa.Function
}

// maxSize bounds the instructions in the copies of functions for one endpoint;
// beyond it, all calls of a function share one copy.
const maxSize = 10000

func (a *analysis) newContext(fn *ssa.Function, s *ir.Service) *context {
	c := &context{
		id:      len(a.contexts),
		fn:      fn,
		service: s,
		vals:    map[ssa.Value][]set{},
		kids:    map[kid]*context{},
		calls:   map[ssa.CallInstruction][]*context{},
		keys:    map[ssa.Value]string{},
	}
	c.root = c
	c.results = make([]set, len(a.layouts.slots(fn.Signature.Results())))
	a.contexts = append(a.contexts, c)
	return c
}

// endpoint returns the context of a service's method or constructor.
func (a *analysis) endpoint(fn *ssa.Function, s *ir.Service) *context {
	c := a.endpoints[fn]
	if c == nil {
		c = a.newContext(fn, s)
		a.endpoints[fn] = c
	}
	return c
}

// child returns the context of fn as called from c. A recursive call, and one
// beyond the bound, shares an earlier context.
func (a *analysis) child(c *context, call ssa.CallInstruction, fn *ssa.Function) *context {
	key := kid{call, fn}
	k := c.kids[key]
	if k == nil {
		k = a.enclosing(c, fn)
		if k == nil && a.full(c.root) {
			k = c.root.kids[kid{nil, fn}]
		}
		if k != nil && !a.recursive[fn] {
			a.recursive[fn], a.again = true, true
		}
		if k == nil {
			k = a.newContext(fn, c.service)
			k.root, k.setup, k.flow = c.root, c.setup, c.flow
			for _, b := range fn.Blocks {
				c.root.size += len(b.Instrs)
			}
			if a.full(c.root) {
				c.root.kids[kid{nil, fn}] = k
			}
		}
		c.kids[key] = k
	}
	a.link(c, call, k)
	return k
}

// full reports whether an endpoint has as many contexts as it may.
func (a *analysis) full(root *context) bool { return a.coarse || root.size >= maxSize }

// enclosing returns the context among c and its callers that runs fn.
func (a *analysis) enclosing(c *context, fn *ssa.Function) *context {
	for {
		if c.fn == fn {
			return c
		}
		if c.root == c || len(c.callers) == 0 {
			return nil
		}
		c = c.callers[0].ctx
	}
}

// link records that call in c runs callee.
func (a *analysis) link(c *context, call ssa.CallInstruction, callee *context) {
	for _, k := range c.calls[call] {
		if k == callee {
			return
		}
	}
	c.calls[call] = append(c.calls[call], callee)
	callee.callers = append(callee.callers, caller{c, call})
	a.changed = true
}

// subtree returns c and every context it may run, endpoints of other services included.
func (c *context) subtree() map[*context]bool {
	seen := map[*context]bool{}
	var visit func(c *context)
	visit = func(c *context) {
		if seen[c] {
			return
		}
		seen[c] = true
		for _, callees := range c.calls {
			for _, k := range callees {
				visit(k)
			}
		}
	}
	visit(c)
	return seen
}

// get returns what v refers to in c, one set a slot.
func (a *analysis) get(c *context, v ssa.Value) []set {
	if sets, ok := c.vals[v]; ok {
		return sets
	}
	sets := make([]set, len(a.layouts.slots(v.Type())))
	switch v := v.(type) {
	case *ssa.Function:
		sets[0].add(newRef(a.function(v), 0))
	case *ssa.Global:
		o := a.made(nil, v, global, 0, 0, a.layouts.slots(deref(v.Type())))
		sets[0].add(newRef(o, 0))
	case *ssa.Builtin:
		return sets
	}
	c.vals[v] = sets
	return sets
}

// function returns the object of a declared function used as a value.
func (a *analysis) function(fn *ssa.Function) *object {
	o := a.made(nil, fn, closure, 0, 0, nil)
	o.fn = fn
	return o
}

// flow adds from to to, slot by slot.
func (a *analysis) flow(to, from []set) {
	for i := range min(len(to), len(from)) {
		a.work += len(from[i])
		if to[i].addAll(from[i]) {
			a.changed = true
		}
	}
}

// put adds sets to what v refers to in c.
func (a *analysis) put(c *context, v ssa.Value, sets []set) {
	a.flow(a.get(c, v), sets)
}

// receiver returns the service whose method or helper fn is, or nil.
func (a *analysis) receiver(fn *ssa.Function) *ir.Service {
	recv := fn.Signature.Recv()
	if recv == nil {
		return nil
	}
	return a.serviceOf(recv.Type())
}

// serviceOf returns the service that t is or points to, or nil.
func (a *analysis) serviceOf(t types.Type) *ir.Service {
	named, ok := types.Unalias(deref(t)).(*types.Named)
	if !ok {
		return nil
	}
	return a.services[named.Origin().Obj()]
}
