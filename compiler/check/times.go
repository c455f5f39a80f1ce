package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/pass"
)

// times refuses == on times: a time that was stored has lost its monotonic
// reading and holds another *Location, and so differs from what was stored.
func times(u *pass.Unit) {
	c := newChecker(u)
	for _, f := range c.reach().functions {
		info := f.File.Pkg.Info
		inspect(f.Decl.Body, func(stack []ast.Node) bool {
			switch n := stack[len(stack)-1].(type) {
			case *ast.BinaryExpr:
				if n.Op == token.EQL || n.Op == token.NEQ {
					c.timeEqual(n.OpPos, info.TypeOf(n.X))
				}
			case *ast.SwitchStmt:
				if n.Tag != nil {
					c.timeEqual(n.Tag.Pos(), info.TypeOf(n.Tag))
				}
			case *ast.Ident:
				c.comparedArguments(n, info)
			}
			return true
		})
	}
}

func (c *checker) timeEqual(pos token.Pos, t types.Type) {
	if t != nil && holdsTime(t) {
		c.errorf(pos, diag.TimeEqual, "compare with the Equal method", "comparison of %s with ==: a stored time loses its monotonic reading, so equal times may differ", typeName(t))
	}
}

// comparedArguments refuses instances such as slices.Contains for types with times.
func (c *checker) comparedArguments(id *ast.Ident, info *types.Info) {
	args := info.Instances[id].TypeArgs
	if args.Len() == 0 {
		return
	}
	fn, ok := info.Uses[id].(*types.Func)
	if !ok {
		return
	}
	params := fn.Signature().TypeParams()
	for i := range min(params.Len(), args.Len()) {
		iface, ok := params.At(i).Constraint().Underlying().(*types.Interface)
		if ok && iface.IsComparable() && holdsTime(args.At(i)) {
			c.timeEqual(id.Pos(), args.At(i))
		}
	}
}

// holdsTime reports whether comparing values of type t compares times.
func holdsTime(t types.Type) bool {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		if obj := named.Obj(); obj.Pkg() != nil && obj.Pkg().Path() == "time" && obj.Name() == "Time" {
			return true
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return holdsTime(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if holdsTime(f.Type()) {
				return true
			}
		}
	}
	return false
}
