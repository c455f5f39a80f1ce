package effects

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/ir"
)

// access classifies the mention of a field at the end of stack.
func (a *analysis) access(field *ir.Field, stack []ast.Node, info *types.Info) *ir.Access {
	sel := stack[len(stack)-1].(*ast.SelectorExpr)
	p := place{field: field, expr: sel, info: info}
	if s := info.Selections[sel]; len(s.Index()) > 1 {
		p.depth++ // promoted: below the embedded field
		if s.Kind() == types.MethodVal {
			return &ir.Access{Field: field, Sel: sel, Place: sel, Kind: a.method(&p, s)}
		}
	}
	i := len(stack) - 2
	for i >= 0 && p.extend(stack[i]) {
		i--
	}
	acc := &ir.Access{Field: field, Sel: sel, Place: p.expr}
	if p.called != nil {
		acc.Kind = a.method(&p, p.called)
		return acc
	}
	var parent ast.Node
	if i >= 0 {
		parent = stack[i]
	}
	acc.Kind = p.use(parent)
	if stmt, ok := parent.(ast.Stmt); ok && a.prog.Blind[stmt] == field && acc.Kind&ir.Write != 0 {
		acc.Kind = ir.Add
	}
	return acc
}

// place is a path of selectors and indexes that starts at a persistent field.
type place struct {
	field  *ir.Field
	expr   ast.Expr
	info   *types.Info
	depth  int              // steps below the field
	deref  bool             // a step leads through a pointer
	called *types.Selection // the method that the path ends in
}

// extend makes parent part of the path, or reports that the path ends below it.
func (p *place) extend(parent ast.Node) bool {
	switch n := parent.(type) {
	case *ast.ParenExpr:
	case *ast.StarExpr:
		p.depth++
		p.deref = true
	case *ast.IndexExpr:
		if n.X != p.expr {
			return false
		}
		p.depth++
		p.deref = p.deref || isPointer(p.info.TypeOf(n.X))
	case *ast.SelectorExpr:
		s := p.info.Selections[n]
		if s == nil || p.called != nil {
			return false
		}
		p.depth++
		p.deref = p.deref || s.Indirect()
		if s.Kind() == types.MethodVal {
			p.called = s
			return false
		}
	default:
		return false
	}
	p.expr = parent.(ast.Expr)
	return true
}

// method classifies a method call on the place. What a method of the user's
// changes through its receiver is found with the mutations of its body.
func (a *analysis) method(p *place, s *types.Selection) ir.AccessKind {
	fn := s.Obj().(*types.Func)
	recv := fn.Signature().Recv().Type()
	switch {
	case a.prog.FunctionOf(fn) != nil:
		a.received[p.field] = append(a.received[p.field], recv)
		return ir.Read
	case fn.Pkg() == nil || readers[fn.Pkg().Path()] || !holdsReferences(recv):
		return ir.Read
	}
	return ir.Read | ir.Write
}

// use classifies the place by the node that holds it.
func (p *place) use(parent ast.Node) ir.AccessKind {
	switch n := parent.(type) {
	case *ast.AssignStmt:
		for _, lhs := range n.Lhs {
			if lhs == p.expr {
				return p.assigned(n.Tok)
			}
		}
	case *ast.IncDecStmt:
		return ir.Read | ir.Write
	case *ast.RangeStmt:
		if n.X != p.expr {
			return p.assigned(token.ASSIGN)
		}
		return ir.Read
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return p.address()
		}
	case *ast.SliceExpr:
		if _, ok := p.info.TypeOf(p.expr).Underlying().(*types.Array); ok {
			return p.address()
		}
	case *ast.CallExpr:
		if kind := p.builtin(n); kind != 0 {
			return kind
		}
	}
	if p.depth == 0 && (p.field.Kind == ir.Map || p.field.Kind == ir.Slice) && !isSlicing(parent) {
		return ir.Read | ir.Whole
	}
	return ir.Read
}

// address classifies taking the address of the place. What a stored pointer
// leads to is memory like any other.
func (p *place) address() ir.AccessKind {
	if p.deref {
		return ir.Read | ir.Write
	}
	return ir.Read | ir.Write | ir.Address
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

func isSlicing(n ast.Node) bool {
	switch n.(type) {
	case *ast.SliceExpr, *ast.IndexExpr:
		return true
	}
	return false
}

// assigned classifies an assignment to the place. Replacing a whole value or
// map entry needs nothing of what is stored.
func (p *place) assigned(tok token.Token) ir.AccessKind {
	if tok != token.ASSIGN {
		return ir.Read | ir.Write
	}
	switch {
	case p.depth == 0:
		return ir.Write
	case p.depth == 1 && p.field.Kind == ir.Map:
		return ir.Write
	}
	return ir.Read | ir.Write
}

// builtin classifies the place as an argument of a built-in function; 0 for others.
func (p *place) builtin(call *ast.CallExpr) ir.AccessKind {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return 0
	}
	b, ok := p.info.Uses[id].(*types.Builtin)
	if !ok {
		return 0
	}
	first := len(call.Args) > 0 && call.Args[0] == p.expr
	switch b.Name() {
	case "len", "cap":
		return ir.Read
	case "append":
		if first {
			return ir.Read
		}
	case "delete":
		if first && p.depth == 0 {
			return ir.Write
		}
		if first { // of a map in a value
			return ir.Read | ir.Write
		}
	case "clear", "copy":
		if first {
			return ir.Read | ir.Write
		}
	}
	return 0
}
