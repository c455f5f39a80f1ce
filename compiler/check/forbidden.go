package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/deterministic"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// forbidden refuses what no function may do that a request reaches. What runs
// inside the function of an onefold.Do may do nearly everything.
func forbidden(u *pass.Unit) {
	c := newChecker(u)
	r := c.reach()
	for _, f := range r.functions {
		v := &forbiddenVisitor{checker: c, f: f, info: f.File.Pkg.Info, chain: c.chain(r, f), flow: f.Runs&ir.InWorkflow != 0}
		inspect(f.Decl.Body, v.visit)
	}
}

type forbiddenVisitor struct {
	*checker
	f      *ir.Function
	info   *types.Info
	chain  []diag.Related
	flow   bool // it runs in a workflow
	logged bool // one warning about logging a function is enough
}

// effect reports whether the node at the end of the path runs inside an onefold.Do.
func (v *forbiddenVisitor) effect(stack []ast.Node) bool {
	return v.f.Runs == ir.InEffect || doAround(v.info, stack) != nil
}

func (v *forbiddenVisitor) refuse(pos token.Pos, code diag.Code, fix, format string, args ...any) {
	v.report(pos, diag.Error, code, v.chain, fix, format, args...)
}

func (v *forbiddenVisitor) visit(stack []ast.Node) bool {
	if v.effect(stack) {
		v.ending(stack)
		return true
	}
	switch n := stack[len(stack)-1].(type) {
	case *ast.GoStmt:
		v.goroutine(n)
	case *ast.SelectStmt:
		v.channel(n.Pos(), "select statement")
	case *ast.SendStmt:
		if _, ok := above(stack, 1).(*ast.CommClause); !ok {
			v.channel(n.Pos(), "send on a channel")
		}
	case *ast.UnaryExpr:
		if n.Op == token.ARROW && !inComm(stack) {
			v.channel(n.Pos(), "receive from a channel")
		}
	case *ast.RangeStmt:
		if t := v.info.TypeOf(n.X); t != nil && isChan(t) {
			v.channel(n.Pos(), "range over a channel")
		}
	case *ast.CallExpr:
		v.builtin(n)
	case *ast.Ident:
		v.mention(n)
	}
	return true
}

// inComm reports whether the path leads through the communication of a select clause.
func inComm(stack []ast.Node) bool {
	for i, n := range stack[:len(stack)-1] {
		if clause, ok := n.(*ast.CommClause); ok && stack[i+1] == clause.Comm {
			return true
		}
	}
	return false
}

func isChan(t types.Type) bool {
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// ending refuses what not even an effect may do.
func (v *forbiddenVisitor) ending(stack []ast.Node) {
	id, ok := stack[len(stack)-1].(*ast.Ident)
	if !ok {
		return
	}
	fn, ok := v.info.Uses[id].(*types.Func)
	if ok && fn.Pkg() != nil && v.prog.PackageOf(fn.Pkg()) == nil && ruleFor(fn) == diag.Exit {
		v.function(id.Pos(), fn)
	}
}

func (v *forbiddenVisitor) channel(pos token.Pos, what string) {
	if v.flow {
		v.refuse(pos, diag.Channel, "collect results in variables; use an errgroup for parallel calls, onefold.Await for what comes from outside",
			"%s: a workflow that runs again could not repeat who comes first", what)
		return
	}
	v.refuse(pos, diag.Channel, "collect results in variables; use an errgroup for parallel calls", "%s: a request runs as one transaction, without goroutines to talk to", what)
}

// goroutine names what the started goroutine shares with the request.
func (v *forbiddenVisitor) goroutine(n *ast.GoStmt) {
	shares := "it would outlive the request"
	if m := v.f.Method; m != nil {
		ast.Inspect(n.Call, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && m.Receiver() != nil && v.info.Uses[id] == m.Receiver() {
				shares = "it would use the state of " + m.Service.Name + " outside the request"
			}
			return true
		})
	}
	v.refuse(n.Pos(), diag.Goroutine, "use errgroup.WithContext for parallel calls", "go statement: %s", shares)
}

func (v *forbiddenVisitor) builtin(call *ast.CallExpr) {
	switch builtin(v.info, call) {
	case "make":
		if t := v.info.TypeOf(call); t != nil && isChan(t) {
			v.channel(call.Pos(), "make of a channel")
		}
	case "close":
		v.channel(call.Pos(), "close of a channel")
	case "print", "println":
		v.log(call.Pos(), builtin(v.info, call))
	}
}

// mention checks the use of a function or variable of a package known by its
// export data only.
func (v *forbiddenVisitor) mention(id *ast.Ident) {
	obj := v.info.Uses[id]
	if obj == nil || obj.Pkg() == nil || v.prog.PackageOf(obj.Pkg()) != nil {
		return
	}
	if obj.Pkg().Path() == "unsafe" {
		v.refuse(id.Pos(), diag.Unsafe, "use plain Go types", "unsafe.%s: state is not where it would be looked for", obj.Name())
		return
	}
	switch obj := obj.(type) {
	case *types.Func:
		v.function(id.Pos(), obj)
	case *types.Var:
		if obj.Pkg().Path() == "os" && (obj.Name() == "Stdout" || obj.Name() == "Stderr") {
			v.log(id.Pos(), "os."+obj.Name())
		} else if obj.Pkg().Path() == "os" && obj.Name() == "Stdin" {
			v.io(id.Pos(), "os.Stdin")
		}
	}
}

func (v *forbiddenVisitor) function(pos token.Pos, fn *types.Func) {
	name := qualified(fn)
	switch ruleFor(fn) {
	case diag.IO:
		v.io(pos, name)
	case diag.Config:
		v.refuse(pos, diag.IO, "read it into a field tagged onefold:\"config\"", "%s: a method that reads the environment would differ between processes", name)
	case diag.Log:
		v.log(pos, name)
	case diag.Sleep:
		if v.flow {
			v.timer(pos, fn, name)
			return
		}
		v.refuse(pos, diag.Sleep, "leave the waiting to the caller; waiting belongs in a workflow", "%s: a method holds a transaction and may not wait", name)
	case diag.Exit:
		v.refuse(pos, diag.Exit, "return an error, or panic", "%s: would end more than the request", name)
	case diag.Goroutine:
		v.refuse(pos, diag.Goroutine, "use errgroup.WithContext for parallel calls", "%s: starts a goroutine, which would outlive the request", name)
	case diag.Unsafe:
		v.refuse(pos, diag.Unsafe, "write it in plain Go", "%s: what it writes or calls cannot be seen in the code", name)
	case diag.Context:
		v.refuse(pos, diag.Context, "pass the value as a parameter", "%s: values in a context do not cross service calls", name)
	case diag.Foreign:
		v.report(pos, diag.Warning, diag.IO, v.chain, "make sure that it reads and writes nothing outside the process", "%s: its package imports the network, a database or the operating system, and cannot be looked into", name)
	}
}

// timer refuses the timers that a workflow cannot have.
func (v *forbiddenVisitor) timer(pos token.Pos, fn *types.Func, name string) {
	if _, ok := deterministic.FormOf(fn); !ok {
		v.refuse(pos, diag.Sleep, "use time.Sleep, or onefold.Await with a timeout", "%s: a workflow waits without a process, which would hold the timer", name)
	}
}

func (v *forbiddenVisitor) io(pos token.Pos, name string) {
	if v.flow {
		v.refuse(pos, diag.IO, "move it into the function of an onefold.Do", "%s: input or output in a workflow, which would repeat it whenever it runs again", name)
		return
	}
	v.refuse(pos, diag.IO, "move it into a workflow step, or do it before the request and pass the result as a parameter", "%s: input or output in an atomic method, which may run more than once before it commits", name)
}

func (v *forbiddenVisitor) log(pos token.Pos, name string) {
	if v.logged {
		return
	}
	v.logged = true
	if v.flow {
		v.report(pos, diag.Warning, diag.Log, v.chain, "print inside an onefold.Do, or accept that lines repeat", "%s: prints whenever the workflow runs again", name)
		return
	}
	v.report(pos, diag.Warning, diag.Log, v.chain, "return what is worth knowing, or accept that lines repeat", "%s: prints once for every attempt at the request, also for those that do not commit", name)
}

// qualified returns fn as a user writes it: os.Open, or (*os.File).Write.
func qualified(fn *types.Func) string {
	recv := fn.Signature().Recv()
	if recv == nil {
		return fn.Pkg().Name() + "." + fn.Name()
	}
	return "(" + typeName(recv.Type()) + ")." + fn.Name()
}
