package check

import (
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// reached says which functions a request can reach, and by which call each was
// found first: on a shortest way from a method.
type reached struct {
	functions []*ir.Function
	by        map[*ir.Function]caller
}

// caller is a call and the function that it is in; the zero value for a method
// from which the search began.
type caller struct {
	function *ir.Function
	call     *ir.Call
}

// reach returns the functions that methods of services reach.
func (c *checker) reach() *reached {
	var roots []*ir.Function
	for _, s := range c.prog.Services {
		for m := range s.All() {
			if f := c.prog.FunctionOf(m.Func); f != nil {
				roots = append(roots, f)
			}
		}
	}
	return search(roots, everywhere)
}

func everywhere(*ir.Call) bool { return true }

// flows returns the functions that workflows run themselves.
func (c *checker) flows() *reached {
	var roots []*ir.Function
	for _, s := range c.prog.Services {
		for _, m := range s.Methods {
			if f := c.prog.FunctionOf(m.Func); f != nil && m.Kind == ir.Workflow {
				roots = append(roots, f)
			}
		}
	}
	return search(roots, func(call *ir.Call) bool { return call.Within == ir.Body && !call.Callee.Endpoint() })
}

// search finds what roots reach by the calls that are to be followed, breadth first.
func search(roots []*ir.Function, follow func(*ir.Call) bool) *reached {
	r := &reached{by: map[*ir.Function]caller{}}
	visit := func(f *ir.Function, by caller) {
		if _, ok := r.by[f]; !ok {
			r.by[f] = by
			r.functions = append(r.functions, f)
		}
	}
	for _, f := range roots {
		visit(f, caller{})
	}
	for i := 0; i < len(r.functions); i++ {
		f := r.functions[i]
		for _, call := range f.Calls {
			if follow(call) {
				visit(call.Callee, caller{f, call})
			}
		}
	}
	return r
}

// has reports whether a request reaches f.
func (r *reached) has(f *ir.Function) bool {
	_, ok := r.by[f]
	return ok
}

// chain says how a request comes to f, the nearest call first.
func (c *checker) chain(r *reached, f *ir.Function) []diag.Related {
	var related []diag.Related
	for by := r.by[f]; by.call != nil; by = r.by[by.function] {
		related = append(related, diag.Related{
			Pos:     c.prog.Position(by.call.Pos),
			Message: by.function.String() + " calls " + by.call.Callee.String(),
		})
	}
	return related
}
