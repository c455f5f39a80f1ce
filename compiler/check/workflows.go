package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// workflows refuses what a workflow leaves to its steps: the state of its service
// and its mutexes; and workflows that are called where nothing can wait for them.
func workflows(u *pass.Unit) {
	c := newChecker(u)
	flows := c.flows()
	for _, f := range flows.functions {
		c.stateInFlow(flows, f)
	}
	for _, f := range u.Prog.Functions {
		if f.Runs&ir.InEffect != 0 {
			c.fieldsInEffect(f)
		}
		for _, call := range f.Calls {
			c.workflowCall(f, call)
		}
	}
}

// stateInFlow refuses state and mutexes in a function that runs between steps.
func (c *checker) stateInFlow(flows *reached, f *ir.Function) {
	info := f.File.Pkg.Info
	seen := map[token.Pos]bool{}
	ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		field := c.prog.Selected(info, sel)
		if field == nil || seen[sel.Sel.Pos()] {
			return true
		}
		seen[sel.Sel.Pos()] = true
		switch {
		case field.Kind.Persistent():
			c.report(sel.Sel.Pos(), diag.Error, diag.Workflow, c.chain(flows, f), "move what uses it into a method of "+field.Service.Name+", which is a step when the workflow calls it",
				"%s uses %s, and runs in a workflow: state belongs to a transaction, which each step has for itself", f, field)
		case field.Kind == ir.Mutex:
			c.report(sel.Sel.Pos(), diag.Error, diag.Workflow, c.chain(flows, f), "lock it in the methods that are steps",
				"%s locks %s, and runs in a workflow: a lock over several steps would be held for as long as it takes", f, field)
		}
		return true
	})
}

// fieldsInEffect refuses the state, mutexes and dependencies of a service in a function that
// runs inside an onefold.Do.
func (c *checker) fieldsInEffect(f *ir.Function) {
	ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if field := c.prog.Selected(f.File.Pkg.Info, sel); field != nil && field.Kind != ir.Config {
			c.errorf(sel.Sel.Pos(), diag.Effect, "take what is needed of it before the onefold.Do, by a step", "%s uses %s, and runs inside an onefold.Do: an effect has no transaction", f, field)
		}
		return true
	})
}

// workflowCall refuses a call of a workflow in an atomic method, and calls of
// services inside an onefold.Do.
func (c *checker) workflowCall(f *ir.Function, call *ir.Call) {
	m := call.Callee.Method
	if m == nil || f.Runs == 0 {
		return
	}
	switch {
	case m.Endpoint() && (call.Within == ir.InDo || f.Runs&ir.InEffect != 0):
		c.errorf(call.Pos, diag.Effect, "call it before or after the onefold.Do", "%s calls %s inside an onefold.Do: a step in an effect could not be recorded", f, m)
	case m.Kind == ir.Workflow && call.Within == ir.Body && f.Runs&ir.InAtomic != 0:
		c.errorf(call.Pos, diag.Workflow, "start it by onefold.Go, or mark "+f.String()+" //onefold:workflow",
			"%s calls the workflow %s: a request is one transaction, and cannot wait for it", f, m)
	}
}

// mentioned calls visit with every identifier of f that stands outside functions of
// onefold.Do and onefold.Go, and the path to it.
func mentioned(f *ir.Function, visit func(id *ast.Ident, obj types.Object, stack []ast.Node)) {
	info := f.File.Pkg.Info
	inspect(f.Decl.Body, func(stack []ast.Node) bool {
		if doAround(info, stack) != nil || goAround(info, stack) != nil {
			return false
		}
		if id, ok := stack[len(stack)-1].(*ast.Ident); ok {
			if obj := info.Uses[id]; obj != nil {
				visit(id, obj, stack)
			}
		}
		return true
	})
}
