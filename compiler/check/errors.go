package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// errorValues warns about errors that are swallowed although the call may have
// written, and refuses error types that cannot be sent.
func errorValues(u *pass.Unit) {
	c := newStorable(newChecker(u))
	r := c.reach()
	looks := c.looks(r.functions)
	for _, f := range r.functions {
		v := &errorVisitor{storableChecker: c, f: f, info: f.File.Pkg.Info, calls: map[token.Pos][]*ir.Function{}, looks: looks}
		for _, call := range f.Calls {
			v.calls[call.Pos] = append(v.calls[call.Pos], call.Callee)
		}
		inspect(f.Decl.Body, v.visit)
	}
}

type errorVisitor struct {
	*storableChecker
	f     *ir.Function
	info  *types.Info
	calls map[token.Pos][]*ir.Function
	looks []look
}

func (v *errorVisitor) visit(stack []ast.Node) bool {
	switch n := stack[len(stack)-1].(type) {
	case *ast.ExprStmt:
		v.discarded(n.X)
	case *ast.DeferStmt:
		v.discarded(n.Call)
	case *ast.AssignStmt:
		if len(n.Rhs) == 1 {
			if id, ok := n.Lhs[len(n.Lhs)-1].(*ast.Ident); ok && id.Name == "_" {
				v.discarded(n.Rhs[0])
			}
		}
	case *ast.IfStmt:
		v.ignored(n, stack)
	case *ast.ReturnStmt:
		v.returned(n, stack)
	}
	return true
}

// writing returns the function that call calls, where it returns an error last and may write.
func (v *errorVisitor) writing(e ast.Expr) *ir.Function {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return nil
	}
	var id *ast.Ident
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return nil
	}
	for _, g := range v.calls[id.Pos()] {
		results := g.Func.Signature().Results()
		if v.f.Runs == ir.InWorkflow && g.Endpoint() {
			continue // a step that fails leaves nothing
		}
		if g.Writing() && results.Len() > 0 && isError(results.At(results.Len()-1).Type()) {
			return g
		}
	}
	return nil
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

func (v *errorVisitor) swallowed(pos token.Pos, g *ir.Function) {
	v.warnf(pos, diag.Swallowed, "return the error, or wrap the call in onefold.Tx to undo it",
		"error of %s is swallowed: what it wrote before it failed stays written", g)
}

func (v *errorVisitor) discarded(e ast.Expr) {
	if g := v.writing(e); g != nil {
		v.swallowed(e.Pos(), g)
	}
}

// ignored looks for if err != nil { return …, nil } behind a call that may write.
func (v *errorVisitor) ignored(n *ast.IfStmt, stack []ast.Node) {
	cond, ok := ast.Unparen(n.Cond).(*ast.BinaryExpr)
	if !ok || cond.Op != token.NEQ || !v.info.Types[cond.Y].IsNil() || len(n.Body.List) == 0 {
		return
	}
	err, ok := ast.Unparen(cond.X).(*ast.Ident)
	ret, returns := n.Body.List[len(n.Body.List)-1].(*ast.ReturnStmt)
	if !ok || !returns || len(ret.Results) == 0 || !v.info.Types[ret.Results[len(ret.Results)-1]].IsNil() {
		return
	}
	before, ok := n.Init.(*ast.AssignStmt)
	if !ok {
		before, ok = previous(stack).(*ast.AssignStmt)
	}
	if !ok || len(before.Rhs) != 1 {
		return
	}
	last, ok := before.Lhs[len(before.Lhs)-1].(*ast.Ident)
	if !ok || v.info.ObjectOf(last) != v.info.ObjectOf(err) {
		return
	}
	if g := v.writing(before.Rhs[0]); g != nil {
		v.swallowed(ret.Pos(), g)
	}
}

// previous returns the statement before the one at the end of the path, or nil.
func previous(stack []ast.Node) ast.Stmt {
	if len(stack) < 2 {
		return nil
	}
	block, ok := stack[len(stack)-2].(*ast.BlockStmt)
	if !ok {
		return nil
	}
	for i, s := range block.List {
		if s == stack[len(stack)-1] && i > 0 {
			return block.List[i-1]
		}
	}
	return nil
}

// signature returns the signature of the innermost function literal on the path, or nil.
func signature(stack []ast.Node, info *types.Info) *types.Signature {
	lit := enclosing(stack)
	if lit == nil {
		return nil
	}
	sig, _ := info.TypeOf(lit).(*types.Signature)
	return sig
}
