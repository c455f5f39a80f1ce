package lower

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// reads rewrites every use of state that no assignment took:
//
//	h.rooms[id]            h.rooms.Get(id)
//	r, ok := h.rooms[id]   r, ok := h.rooms.Lookup(id)
//	h.total                h.total.Get()
//	h.total.Bump()         h.total.Ref().Bump(), with a pointer receiver
//	h.cfg.limit = 5        h.cfg.Ref().limit = 5
//	len(h.rooms)           h.rooms.Len()
//	delete(h.rooms, id)    h.rooms.Delete(id)
//	return o.placed, nil   return o.placed.Load(), nil
func (f *file) reads() {
	for _, c := range f.methods {
		for sel := range c.Preorder((*ast.SelectorExpr)(nil)) {
			if p, ok := f.placeAt(sel); ok && !f.taken[p.cur.Node()] {
				f.read(p)
			}
		}
	}
}

func (f *file) read(p place) {
	if f.constantAround(p) || f.rangeOver(p) || f.builtin(p) {
		return
	}
	u := f.useOf(p)
	if p.rest != "" {
		f.promoted(p, u)
		return
	}
	switch u {
	case read:
		f.replace(p, p.get())
	case lookup:
		f.replace(p, p.method("Lookup"))
	case whole:
		text := p.method("Load")
		if _, ok := types.Unalias(p.field.Var.Type()).(*types.Named); ok {
			text = f.typeText(p.field.Var.Type()) + "(" + text + ")"
		}
		f.replace(p, text)
	case through:
		f.replace(p, p.ref())
	case target: // for h.last = range …
		f.replace(p, "*"+p.ref())
	case address:
		f.replace(p, p.ref())
	}
}

func (f *file) replace(p place, text string) {
	f.Replace("reads", p.cur.Node(), text, f.holes(p))
}

// promoted rewrites a member that an embedded field promotes:
//
//	h.count++    h.base.Ref().count++
//	h.bump()     h.base.Ref().bump()
func (f *file) promoted(p place, u use) {
	s := f.info.Selections[p.sel]
	variable := u != read
	if s.Kind() == types.MethodVal {
		fn := s.Obj().(*types.Func)
		variable = isPointer(fn.Signature().Recv().Type())
	}
	if variable && !f.throughPointer(p) {
		f.replace(p, p.ref())
		return
	}
	f.replace(p, p.get())
}

// constantAround rewrites a call that is a constant although it mentions state,
// as len(h.array) is.
func (f *file) constantAround(p place) bool {
	for c := range p.cur.Enclosing((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		tv := f.info.Types[call]
		if tv.Value == nil {
			continue
		}
		if f.Replaced(call) {
			return true
		}
		text := tv.Value.ExactString()
		if basic, ok := tv.Type.(*types.Basic); !ok || basic.Kind() != types.Int || tv.Value.Kind() != constant.Int {
			text = f.typeText(tv.Type) + "(" + text + ")"
		}
		f.Replace("reads", call, text, nil)
		return true
	}
	return false
}

// builtin rewrites a predeclared function of a whole map or slice.
func (f *file) builtin(p place) bool {
	c := outsideParens(p.cur)
	if p.field.Kind == ir.Value || p.index != nil {
		return false
	}
	if c.ParentEdgeKind() != edge.CallExpr_Args {
		return f.nilness(p, c)
	}
	call := c.Parent().Node().(*ast.CallExpr)
	first := c.ParentEdgeIndex() == 0
	holes := f.holes(p)
	switch {
	case !first:
		return false
	case isBuiltin(f.info, call, "len"):
		f.Replace("reads", call, p.method("Len"), holes)
	case isBuiltin(f.info, call, "clear"):
		f.Replace("reads", call, p.method("Clear"), holes)
	case isBuiltin(f.info, call, "delete"):
		holes["i"] = call.Args[1]
		f.Replace("reads", call, "$x.$field.Delete($i)", holes)
	case isBuiltin(f.info, call, "cap"):
		f.errorf(call, diag.Unstorable, "use len", "cap of field %s: spare capacity is not stored", p.field)
	default:
		return false
	}
	return true
}

// nilness rewrites a comparison of a slice with nil:
//
//	o.placed == nil    o.placed.IsNil()
func (f *file) nilness(p place, c inspector.Cursor) bool {
	var other ast.Expr
	switch c.ParentEdgeKind() {
	case edge.BinaryExpr_X:
		other = c.Parent().Node().(*ast.BinaryExpr).Y
	case edge.BinaryExpr_Y:
		other = c.Parent().Node().(*ast.BinaryExpr).X
	default:
		return false
	}
	cmp := c.Parent().Node().(*ast.BinaryExpr)
	if p.field.Kind != ir.Slice || !f.info.Types[other].IsNil() || cmp.Op != token.EQL && cmp.Op != token.NEQ {
		return false
	}
	not := ""
	if cmp.Op == token.NEQ {
		not = "!"
	}
	f.Replace("reads", cmp, not+p.method("IsNil"), f.holes(p))
	return true
}

// rangeOver rewrites a loop over a map or slice:
//
//	for k, v := range h.rooms    for k, v := range h.rooms.All()
//	for k := range h.rooms       for k := range h.rooms.Keys()
func (f *file) rangeOver(p place) bool {
	c := outsideParens(p.cur)
	if c.ParentEdgeKind() != edge.RangeStmt_X || p.field.Kind == ir.Value || p.index != nil {
		return false
	}
	loop := c.Parent().Node().(*ast.RangeStmt)
	holes := f.holes(p)
	switch {
	case loop.Value == nil:
		f.Replace("reads", c.Node(), p.method("Keys"), holes)
	case isBlank(loop.Key) && isBlank(loop.Value):
		holes["body"] = loop.Body
		f.Replace("reads", loop, "for range $x.$field.Keys() $body", holes)
	case isBlank(loop.Value):
		holes["key"], holes["tok"], holes["body"] = loop.Key, loop.Tok.String(), loop.Body
		f.Replace("reads", loop, "for $key $tok range $x.$field.Keys() $body", holes)
	default:
		f.Replace("reads", c.Node(), p.method("All"), holes)
	}
	return true
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}
