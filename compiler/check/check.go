// Package check refuses the programs that the compiled system could not give
// their plain Go meaning. Its passes only read; each finding says where, what
// was found, what is wanted and how to get there. All passes run, whatever they
// find, so one run reports everything.
//
// A pass looks at the right part of the program: what concerns rewriting at
// every function of the rewritten packages, what concerns running at the
// functions that a request can reach, imported packages included.
package check

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/check/alias"
	"github.com/onefold/onefold/compiler/check/effects"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// Passes returns the passes in the order in which they run. Effects come first,
// because the others read them; the rest is in the order in which a user reads a
// spec: types, fields, then what methods do.
func Passes() []*pass.Pass {
	return []*pass.Pass{
		effects.Pass,
		{Name: "storable", Doc: "fields, parameters and results that cannot be stored or sent", Run: storableTypes},
		{Name: "foreign", Doc: "files and directives that cannot be rewritten", Run: foreign},
		{Name: "services", Doc: "services as values, state reached around its service", Run: serviceValues},
		{Name: "constructors", Doc: "constructors that do more than build state", Run: constructors},
		{Name: "fields", Doc: "config, dependency, mutex and map fields that are misused", Run: fields},
		{Name: "recursion", Doc: "services that call each other in a circle", Run: recursion},
		{Name: "forbidden", Doc: "I/O, goroutines, channels and other things no request may do", Run: forbidden},
		{Name: "globals", Doc: "package variables as state", Run: globals},
		{Name: "recovers", Doc: "recover around calls and state", Run: recovers},
		{Name: "library", Doc: "onefold's functions where they have no meaning", Run: library},
		{Name: "workflows", Doc: "what a workflow leaves to its steps", Run: workflows},
		{Name: "deterministic", Doc: "what differs when a workflow runs again", Run: deterministically},
		{Name: "doing", Doc: "functions of onefold.Do that do more than have an effect", Run: doing},
		{Name: "messages", Doc: "functions of onefold.Go that are no message", Run: messages},
		{Name: "signals", Doc: "signals that do not fit what waits for them", Run: signals},
		{Name: "branches", Doc: "errgroups that are no parallel branches of a method", Run: branches},
		{Name: "evaluation", Doc: "expressions whose order of evaluation Go leaves open", Run: evaluation},
		{Name: "order", Doc: "map iteration whose order shows", Run: order},
		{Name: "errors", Doc: "errors that are swallowed or cannot be sent", Run: errorValues},
		{Name: "times", Doc: "times compared with ==", Run: times},
		{Name: "alias", Doc: "memory that the plain program shares and the compiled one copies; last, since it is the dearest", Run: func(u *pass.Unit) { alias.Check(u.Prog, u.Diags) }},
	}
}

// checker is what the passes share: a place to report to.
type checker struct {
	prog  *ir.Program
	diags *diag.List
}

func newChecker(u *pass.Unit) *checker { return &checker{prog: u.Prog, diags: u.Diags} }

func (c *checker) errorf(pos token.Pos, code diag.Code, fix, format string, args ...any) {
	c.diags.Errorf(c.prog.Position(pos), code, fix, format, args...)
}

func (c *checker) warnf(pos token.Pos, code diag.Code, fix, format string, args ...any) {
	c.diags.Warnf(c.prog.Position(pos), code, fix, format, args...)
}

// report adds a finding with related positions.
func (c *checker) report(pos token.Pos, severity diag.Severity, code diag.Code, related []diag.Related, fix, format string, args ...any) {
	c.diags.Add(diag.Diagnostic{
		Pos: c.prog.Position(pos), Code: code, Severity: severity,
		Message: fmt.Sprintf(format, args...), Fix: fix, Related: related,
	})
}

// rewritten yields the functions of the packages that are rewritten.
func (c *checker) rewritten(yield func(*ir.Function) bool) {
	for _, f := range c.prog.Functions {
		if f.File.Pkg.OutPath != "" && !yield(f) {
			return
		}
	}
}

// inspect calls visit with every node below root and the path to it, the node
// itself last. Where visit returns false, what is below is left out.
func inspect(root ast.Node, visit func(stack []ast.Node) bool) {
	var stack []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		if !visit(stack) {
			stack = stack[:len(stack)-1]
			return false
		}
		return true
	})
}

// above returns the node i levels above the end of the path, parentheses not
// counted; nil above the root.
func above(stack []ast.Node, i int) ast.Node {
	for n := len(stack) - 2; n >= 0; n-- {
		if _, ok := stack[n].(*ast.ParenExpr); ok {
			continue
		}
		if i--; i == 0 {
			return stack[n]
		}
	}
	return nil
}

// callee returns the function or method that call calls by name, or nil.
func callee(info *types.Info, call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = ast.Unparen(f.X)
	case *ast.IndexListExpr:
		fun = ast.Unparen(f.X)
	}
	var id *ast.Ident
	switch f := fun.(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
	default:
		return nil
	}
	fn, _ := info.Uses[id].(*types.Func)
	return fn
}

// builtin returns the name of the built-in function that call calls, or "".
func builtin(info *types.Info, call *ast.CallExpr) string {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := info.Uses[id].(*types.Builtin); ok {
			return b.Name()
		}
	}
	return ""
}

func isIdent(e ast.Expr, info *types.Info, v *types.Var) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && v != nil && info.Uses[id] == v
}

func typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}
