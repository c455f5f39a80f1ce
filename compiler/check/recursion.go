package check

import (
	"github.com/onefold/onefold/compiler/check/effects"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// recursion refuses methods of different services that call each other in a
// circle: a request would travel through them without end, and the services
// could not be ordered.
func recursion(u *pass.Unit) {
	c := newChecker(u)
	for _, group := range effects.Components(u.Prog.Functions) {
		in := map[*ir.Function]bool{}
		for _, f := range group {
			in[f] = true
		}
		var crossing []*ir.Call
		var from []*ir.Function
		for _, f := range group {
			for _, call := range f.Calls {
				if in[call.Callee] && crosses(f, call.Callee) {
					crossing = append(crossing, call)
					from = append(from, f)
				}
			}
		}
		if len(crossing) > 0 {
			c.circle(from, crossing)
		}
	}
}

// crosses reports whether a call from f to g leaves f's service. A circle through
// free functions is found where it enters the next service.
func crosses(f, g *ir.Function) bool {
	return g.Method != nil && (f.Method == nil || f.Method.Service != g.Method.Service)
}

func (c *checker) circle(from []*ir.Function, calls []*ir.Call) {
	services := map[*ir.Service]bool{}
	for _, call := range calls {
		services[call.Callee.Method.Service] = true
	}
	if len(services) < 2 {
		return // one service and helper functions: ordinary recursion
	}
	var related []diag.Related
	for i, call := range calls[1:] {
		related = append(related, diag.Related{Pos: c.prog.Position(call.Pos), Message: from[i+1].String() + " calls " + call.Callee.String()})
	}
	c.report(calls[0].Pos, diag.Error, diag.Recursion, related, "move what both need into a third service, or pass the result as a parameter",
		"%s calls %s, which calls it back: services may not call each other in a circle", from[0], calls[0].Callee)
}
