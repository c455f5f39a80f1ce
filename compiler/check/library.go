package check

import (
	"go/ast"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// library checks where the functions of package onefold are called: in a method of a
// service, on the context that it was given, and each in the kind of method in which it
// has a meaning.
func library(u *pass.Unit) {
	c := newChecker(u)
	for f := range c.rewritten {
		info := f.File.Pkg.Info
		inspect(f.Decl.Body, func(stack []ast.Node) bool {
			id, ok := stack[len(stack)-1].(*ast.Ident)
			if !ok {
				return true
			}
			if name := ir.LibraryFunc(info.Uses[id]); name != "" {
				c.libraryCall(f, id, name, stack)
			}
			return true
		})
	}
}

// libraryCall checks one mention of a function of package onefold.
func (c *checker) libraryCall(f *ir.Function, id *ast.Ident, name string, stack []ast.Node) {
	code := libraryCode(name)
	call := callOf(id, stack)
	if call == nil {
		c.errorf(id.Pos(), code, "call it", "onefold.%s as a value: only calls of it can be compiled", name)
		return
	}
	if f.Method == nil || f.Method.Receiver() == nil {
		c.errorf(id.Pos(), code, "make the function a method of the service, with a named receiver", "onefold.%s in %s: only a method of a service belongs to a request or workflow", name, f)
		return
	}
	if doAround(f.File.Pkg.Info, stack[:len(stack)-1]) != nil || f.Runs&ir.InEffect != 0 {
		c.errorf(id.Pos(), diag.Effect, "call it before or after the onefold.Do", "onefold.%s inside an onefold.Do: what an effect does is recorded as a whole", name)
		return
	}
	c.libraryContext(f, call, name, code)
	c.libraryPlace(f, id, name, code)
	if name == "Tx" {
		c.transaction(f, call)
	}
}

func libraryCode(name string) diag.Code {
	switch name {
	case "Tx":
		return diag.Transaction
	case "Do":
		return diag.Effect
	case "Go":
		return diag.Message
	case "Await", "Signal":
		return diag.Signal
	}
	return diag.Workflow
}

// callOf returns the call whose function the identifier at the end of the path
// names, or nil where it is no call.
func callOf(id *ast.Ident, stack []ast.Node) *ast.CallExpr {
	var fun ast.Node = id
	for i := len(stack) - 2; i >= 0; i-- {
		switch n := stack[i].(type) {
		case *ast.ParenExpr:
		case *ast.SelectorExpr:
			if n.Sel != id {
				return nil
			}
		case *ast.IndexExpr:
			if n.X != fun {
				return nil
			}
		case *ast.IndexListExpr:
			if n.X != fun {
				return nil
			}
		case *ast.CallExpr:
			if n.Fun == fun {
				return n
			}
			return nil
		default:
			return nil
		}
		fun = stack[i]
	}
	return nil
}

// libraryContext refuses a context that was not given to the method: it belongs to no
// request, and a plain program would take it for none.
func (c *checker) libraryContext(f *ir.Function, call *ast.CallExpr, name string, code diag.Code) {
	info := f.File.Pkg.Info
	if name == "Tx" && !f.Sends {
		return // it does not look at the context
	}
	id, ok := ast.Unparen(call.Args[0]).(*ast.Ident)
	v, _ := info.Uses[orBlank(id)].(*types.Var)
	if !ok || v == nil || v.Parent() == v.Pkg().Scope() {
		c.errorf(call.Args[0].Pos(), code, "pass the method's context", "onefold.%s with context %s: want a variable of the method", name, types.ExprString(call.Args[0]))
		return
	}
	if c.onlyHere(f, v) {
		c.errorf(id.Pos(), code, "pass the method's own context", "onefold.%s with context %s, which nothing else uses: it would be left over", name, id.Name)
	}
	ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if fn, isFunc := info.Uses[orBlank(id)].(*types.Func); ok && isFunc && fn.Pkg() != nil && fn.Pkg().Path() == "context" && (fn.Name() == "Background" || fn.Name() == "TODO") && f.Runs&ir.InWorkflow == 0 {
			c.errorf(id.Pos(), code, "use the method's context", "context.%s in %s, which calls onefold.%s: such a context belongs to no request or workflow", fn.Name(), f, name)
		}
		return true
	})
}

// onlyHere reports whether v is a variable, no parameter, whose every use is one that the
// compiled program does without.
func (c *checker) onlyHere(f *ir.Function, v *types.Var) bool {
	info := f.File.Pkg.Info
	declared, used := false, false
	inspect(f.Decl.Body, func(stack []ast.Node) bool {
		id, ok := stack[len(stack)-1].(*ast.Ident)
		switch {
		case !ok:
		case info.Defs[id] == v:
			_, parameter := above(stack, 1).(*ast.Field)
			declared = !parameter
		case info.Uses[id] == v:
			call, ok := above(stack, 1).(*ast.CallExpr)
			used = used || !ok || len(call.Args) == 0 || ast.Unparen(call.Args[0]) != id || !dropsContext(f, info, call)
		}
		return !used
	})
	return declared && !used
}

// dropsContext reports whether a call is compiled to one without the context.
func dropsContext(f *ir.Function, info *types.Info, call *ast.CallExpr) bool {
	switch ir.LibraryFunc(callee(info, call)) {
	case "ID", "Version":
		return true
	case "Signal":
		return f.Runs&ir.InWorkflow == 0
	}
	return false
}

func orBlank(id *ast.Ident) *ast.Ident {
	if id == nil {
		return &ast.Ident{}
	}
	return id
}

// libraryPlace refuses functions in methods of the wrong kind.
func (c *checker) libraryPlace(f *ir.Function, id *ast.Ident, name string, code diag.Code) {
	both := f.Runs&(ir.InAtomic|ir.InWorkflow) == ir.InAtomic|ir.InWorkflow
	switch name {
	case "Tx":
		if f.Runs&ir.InWorkflow != 0 {
			c.errorf(id.Pos(), code, "make the function an atomic method and call it: each step is a transaction", "onefold.Tx in %s, which runs in a workflow: a workflow has no transaction to nest in", f)
		}
	case "Go":
	case "Signal":
		if both {
			c.errorf(id.Pos(), code, "write one for each", "onefold.Signal in %s, which both atomic methods and workflows call: it is a step of the one, and goes with the commit of the other", f)
		}
	default:
		if f.Runs&ir.InAtomic != 0 {
			c.errorf(id.Pos(), code, "move it into a method marked //onefold:workflow", "onefold.%s in %s, which runs in an atomic method: one that is tried again as a whole and cannot wait; want a workflow", name, f)
		}
	}
}

// transaction checks one call of onefold.Tx.
func (c *checker) transaction(f *ir.Function, call *ast.CallExpr) {
	if !isIdent(call.Args[1], f.File.Pkg.Info, f.Method.Receiver()) {
		c.errorf(call.Args[1].Pos(), diag.Transaction, "pass "+f.Method.Receiver().Name()+"; it covers everything that "+f.Method.Service.Name+" reaches",
			"onefold.Tx over %s: want the receiver, %s", types.ExprString(call.Args[1]), f.Method.Receiver().Name())
	}
}

// doAround returns the call of onefold.Do whose function the node at the end of the
// path is in, or nil.
func doAround(info *types.Info, stack []ast.Node) *ast.CallExpr { return argumentOf("Do", info, stack) }

// goAround is doAround for onefold.Go.
func goAround(info *types.Info, stack []ast.Node) *ast.CallExpr { return argumentOf("Go", info, stack) }

// argumentOf returns the innermost call of a function of package onefold whose last
// argument the node at the end of the path is in, or nil.
func argumentOf(name string, info *types.Info, stack []ast.Node) *ast.CallExpr {
	for i := len(stack) - 1; i > 0; i-- {
		call, ok := stack[i-1].(*ast.CallExpr)
		if ok && len(call.Args) > 0 && call.Args[len(call.Args)-1] == stack[i] && ir.LibraryFunc(callee(info, call)) == name {
			return call
		}
	}
	return nil
}
