package check

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// globals refuses package variables that change: the processes of a service do
// not share them, and a request that is undone leaves them changed.
func globals(u *pass.Unit) {
	c := newChecker(u)
	r := c.reach()
	changes := map[*types.Var][]change{}
	for _, f := range u.Prog.Functions {
		if f.Func.Name() == "init" && f.Decl.Recv == nil {
			continue
		}
		for _, ch := range changesIn(f) {
			changes[ch.v] = append(changes[ch.v], ch)
		}
	}
	c.globalChanges(r, changes)
	for _, f := range r.functions {
		c.globalReads(r, f, changes)
	}
}

// change is a place that changes a package variable.
type change struct {
	v   *types.Var
	pos token.Pos
	f   *ir.Function
}

// changesIn returns what f changes of package variables.
func changesIn(f *ir.Function) []change {
	info := f.File.Pkg.Info
	var out []change
	note := func(e ast.Expr) {
		if v := packageVariable(info, e); v != nil {
			out = append(out, change{v, e.Pos(), f})
		}
	}
	inspect(f.Decl.Body, func(stack []ast.Node) bool {
		switch n := stack[len(stack)-1].(type) {
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				note(lhs)
			}
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				note(n.Key)
				note(n.Value)
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				note(n.X)
			}
		case *ast.CallExpr:
			if b := builtin(info, n); len(n.Args) > 0 && (b == "clear" || b == "delete" || b == "copy") {
				note(n.Args[0])
			}
		case *ast.SelectorExpr:
			if s := info.Selections[n]; s != nil && s.Kind() == types.MethodVal && changesReceiver(info, n, s) {
				note(n.X)
			}
		}
		return true
	})
	return out
}

// changesReceiver reports whether calling the method takes the address of what
// it is called on: a value, with a pointer receiver.
func changesReceiver(info *types.Info, sel *ast.SelectorExpr, s *types.Selection) bool {
	recv := s.Obj().(*types.Func).Signature().Recv()
	_, onPointer := types.Unalias(info.TypeOf(sel.X)).(*types.Pointer)
	_, pointer := types.Unalias(recv.Type()).(*types.Pointer)
	return pointer && !onPointer && !s.Indirect()
}

// packageVariable returns the package variable at the root of e, or nil.
func packageVariable(info *types.Info, e ast.Expr) *types.Var {
	if v := rootVariable(info, e); v != nil && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
		return v
	}
	return nil
}

func (c *checker) globalChanges(r *reached, changes map[*types.Var][]change) {
	for _, list := range changes {
		for _, ch := range list {
			if r.has(ch.f) {
				c.report(ch.pos, diag.Error, diag.Global, c.chain(r, ch.f), "keep it in a field of the service",
					"package variable %s is changed: the processes of a service do not share it, and an undone request would leave it changed", ch.v.Name())
			}
		}
	}
}

// globalReads refuses the use of variables that functions outside requests change.
func (c *checker) globalReads(r *reached, f *ir.Function, changes map[*types.Var][]change) {
	ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := f.File.Pkg.Info.Uses[id].(*types.Var)
		if !ok {
			return true
		}
		list := changes[v]
		if len(list) == 0 || slices.ContainsFunc(list, func(ch change) bool { return r.has(ch.f) }) {
			return true
		}
		first := slices.MinFunc(list, func(a, b change) int { return cmp.Compare(a.pos, b.pos) })
		related := append([]diag.Related{{Pos: c.prog.Position(first.pos), Message: "changed here"}}, c.chain(r, f)...)
		c.report(id.Pos(), diag.Error, diag.Global, related, "set it where it is declared or in func init, or keep it in a field of the service",
			"package variable %s is used, and changed elsewhere: processes of a service would differ", v.Name())
		return true
	})
}
