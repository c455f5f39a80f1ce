package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/rewrite"
)

// place is a use of state in a method: h.total, h.rooms[id], o.placed[i], or a
// member that an embedded field promotes, as h.count of h.base.count.
type place struct {
	cur   inspector.Cursor // of the expression
	field *ir.Field
	sel   *ast.SelectorExpr
	index ast.Expr // of an entry or element; nil for a whole field
	temp  string   // variable that holds the index, "" for the index itself
	rest  string   // ".count" of a promoted member
}

// placeAt returns the place whose field is selected at c, the index around it included.
func (f *file) placeAt(c inspector.Cursor) (place, bool) {
	sel := c.Node().(*ast.SelectorExpr)
	field := f.prog.Selected(f.info, sel)
	if field == nil || !field.Kind.Persistent() {
		return place{}, false
	}
	p := place{cur: c, field: field, sel: sel}
	if field.Embedded && len(f.info.Selections[sel].Index()) > 1 {
		p.rest = "." + sel.Sel.Name
		return p, true
	}
	if field.Kind == ir.Value {
		return p, true
	}
	if up := outsideParens(c); up.ParentEdgeKind() == edge.IndexExpr_X {
		p.cur = up.Parent()
		p.index = p.cur.Node().(*ast.IndexExpr).Index
	}
	return p, true
}

// outsideParens returns c, or the outermost pair of parentheses around it.
func outsideParens(c inspector.Cursor) inspector.Cursor {
	for c.ParentEdgeKind() == edge.ParenExpr_X {
		c = c.Parent()
	}
	return c
}

// holes fills $x with what the field is selected from, $field with its name and
// $i with the index.
func (f *file) holes(p place) rewrite.Holes {
	h := rewrite.Holes{"x": p.sel.X, "field": p.field.Name}
	if p.index == nil {
		return h
	}
	h["i"] = p.index
	if p.temp != "" {
		h["i"] = p.temp
	}
	if p.field.Kind == ir.Slice && !isInt(f.info.TypeOf(p.index)) {
		h["i"] = rewrite.Compose("int($i)", rewrite.Holes{"i": h["i"]})
	}
	return h
}

// isInt reports whether values of t need no conversion to be of type int.
func isInt(t types.Type) bool {
	basic, ok := types.Unalias(t).(*types.Basic)
	return ok && (basic.Kind() == types.Int || basic.Info()&types.IsUntyped != 0)
}

// get is the template of the value of p, ref of a pointer to it.
func (p place) get() string { return p.method("Get") + p.rest }

func (p place) ref() string { return p.method("Ref") + p.rest }

func (p place) method(name string) string {
	if p.index != nil {
		return "$x.$field." + name + "($i)"
	}
	return "$x.$field." + name + "()"
}

// use is what the code around a place does with it.
type use uint8

const (
	read    use = iota
	lookup      // v, ok := h.rooms[id]
	whole       // a map or slice field as a value
	target      // the place itself is assigned to
	through     // a part of it is assigned to, or a method with a pointer receiver called on it
	address     // a method with a pointer receiver is called on it
)

// useOf returns what happens to p.
func (f *file) useOf(p place) use {
	c := f.extent(p)
	if f.addressed(c) {
		switch {
		case c != outsideParens(p.cur) || p.rest != "":
			return through
		case f.assigned(c):
			return target
		default:
			return address
		}
	}
	if p.field.Kind != ir.Value && p.index == nil && p.rest == "" {
		return whole
	}
	if _, ok := f.info.TypeOf(p.cur.Node().(ast.Expr)).(*types.Tuple); ok {
		return lookup
	}
	return read
}

// extent climbs from a place to the largest expression that denotes a part of the
// same memory: fields of structs and elements of arrays, no pointer in between.
func (f *file) extent(p place) inspector.Cursor {
	c := outsideParens(p.cur)
	if p.rest != "" && f.throughPointer(p) || p.field.Kind == ir.Map && p.index != nil {
		return c // behind a pointer, or an entry, which is assigned to as a whole only
	}
	for {
		x := c.Node().(ast.Expr)
		switch c.ParentEdgeKind() {
		case edge.SelectorExpr_X:
			sel := c.Parent().Node().(*ast.SelectorExpr)
			s := f.info.Selections[sel]
			if s == nil || s.Kind() != types.FieldVal || isPointer(f.info.TypeOf(x)) || s.Indirect() {
				return c
			}
		case edge.IndexExpr_X:
			if _, ok := f.info.TypeOf(x).Underlying().(*types.Array); !ok {
				return c
			}
		default:
			return c
		}
		c = outsideParens(c.Parent())
	}
}

// throughPointer reports whether a promoted member lies behind an embedded pointer.
func (f *file) throughPointer(p place) bool {
	return isPointer(p.field.Var.Type())
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// assigned reports whether a statement assigns to the expression at c.
func (f *file) assigned(c inspector.Cursor) bool {
	switch c.ParentEdgeKind() {
	case edge.AssignStmt_Lhs, edge.IncDecStmt_X:
		return true
	case edge.RangeStmt_Key, edge.RangeStmt_Value:
		return c.Parent().Node().(*ast.RangeStmt).Tok == token.ASSIGN
	}
	return false
}

// addressed reports whether the expression at c is used as a variable: assigned
// to, or its address taken by a method with a pointer receiver. The checks refuse
// to take it in other ways.
func (f *file) addressed(c inspector.Cursor) bool {
	if c.ParentEdgeKind() == edge.SelectorExpr_X {
		s := f.info.Selections[c.Parent().Node().(*ast.SelectorExpr)]
		return s != nil && s.Kind() == types.MethodVal && pointerMethod(s)
	}
	return f.assigned(c)
}

// pointerMethod reports whether a method value or call takes the address of what
// it is selected from.
func pointerMethod(s *types.Selection) bool {
	fn := s.Obj().(*types.Func)
	recv := fn.Signature().Recv()
	return recv != nil && isPointer(recv.Type()) && !isPointer(s.Recv()) && !types.IsInterface(s.Recv()) && !s.Indirect()
}
