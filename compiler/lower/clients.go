package lower

import (
	"go/ast"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/rewrite"
)

// clients turns services, wherever they are values, into their clients: the
// types of dependencies, parameters and variables,
//
//	hotel *hotel.Hotel
//	hotel *hotel.HotelClient
//
// and a receiver that is passed on:
//
//	notify(ctx, h)
//	notify(ctx, NewHotelClient(h.tx))
func (f *file) clients() {
	for c := range f.root.Preorder((*ast.Ident)(nil)) {
		s := f.mention(c)
		if s != nil && !inReceiver(c) && f.constructor(c) != s {
			f.Replace("clients", c.Node(), f.names.Service(s).Client, nil)
		}
	}
	for m, c := range f.methods {
		f.passed(m, c)
	}
}

func inReceiver(c inspector.Cursor) bool {
	for up := range c.Enclosing((*ast.FieldList)(nil)) {
		return up.ParentEdgeKind() == edge.FuncDecl_Recv
	}
	return false
}

// passed rewrites the receiver of m where it is a value of its own.
func (f *file) passed(m *ir.Method, c inspector.Cursor) {
	recv := m.Receiver()
	if recv == nil {
		return
	}
	n := f.names.Service(m.Service)
	for id := range c.Preorder((*ast.Ident)(nil)) {
		if f.info.Uses[id.Node().(*ast.Ident)] != recv || selected(id) {
			continue
		}
		f.Replace("clients", id.Node(), "$new($h.$tx)", rewrite.Holes{
			"new": n.NewClient, "h": recv.Name(), "tx": n.Tx,
		})
	}
}

// selected reports whether the expression at c is the X of X.f, as (*h).f is.
func selected(c inspector.Cursor) bool {
	for {
		switch c.ParentEdgeKind() {
		case edge.ParenExpr_X, edge.StarExpr_X:
			c = c.Parent()
		default:
			return c.ParentEdgeKind() == edge.SelectorExpr_X
		}
	}
}
