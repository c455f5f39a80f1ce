package effects

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/ir"
)

// within says what the node at the end of the path stands in: the innermost
// function that is given to onefold.Do or onefold.Go.
func within(stack []ast.Node, info *types.Info) ir.Within {
	for i := len(stack) - 1; i > 0; i-- {
		call, ok := stack[i-1].(*ast.CallExpr)
		if !ok || len(call.Args) == 0 || call.Args[len(call.Args)-1] != stack[i] {
			continue
		}
		switch ir.LibraryFunc(typeutil.Callee(info, call)) {
		case "Do":
			return ir.InDo
		case "Go":
			return ir.InGo
		}
	}
	return ir.Body
}

// place finds out where every function runs, and which methods are steps and
// messages. What nothing calls is taken to run in an atomic method.
func (a *analysis) place() {
	for _, f := range a.prog.Functions {
		if m := f.Method; m != nil && m.Endpoint() {
			visit(f, kindOf(m))
		}
	}
	for _, f := range a.prog.Functions {
		if f.Method != nil && f.Runs == 0 {
			visit(f, ir.InAtomic)
		}
	}
}

func kindOf(m *ir.Method) ir.Runs {
	if m.Kind == ir.Workflow {
		return ir.InWorkflow
	}
	return ir.InAtomic
}

// visit notes that f runs in a place, and with it what it calls.
func visit(f *ir.Function, runs ir.Runs) {
	if f.Runs&runs != 0 {
		return
	}
	f.Runs |= runs
	for _, c := range f.Calls {
		switch {
		case c.Within == ir.InGo:
			if m := c.Callee.Method; m != nil {
				m.Message = true
			}
		case c.Callee.Endpoint():
			m := c.Callee.Method
			m.Step = m.Step || runs == ir.InWorkflow && c.Within == ir.Body
		case c.Within == ir.InDo:
			visit(c.Callee, ir.InEffect)
		default:
			visit(c.Callee, runs)
		}
	}
}
