package lower

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/ir"
)

// constructors makes constructors build the plain state instead of the service:
//
//	func NewHotel() *Hotel      { return &Hotel{rooms: map[string]Room{}} }
//	func NewHotel() *hotelState { return &hotelState{rooms: map[string]Room{}} }
func (f *file) constructors() {
	for _, s := range f.prog.Services {
		if s.Constructor == nil || s.Constructor.File != f.ir {
			continue
		}
		c, _ := f.root.FindNode(s.Constructor.Decl)
		for id := range c.Preorder((*ast.Ident)(nil)) {
			if f.mention(id) == s {
				f.Replace("constructors", id.Node(), f.names.Service(s).State, nil)
			}
		}
	}
}

// mention returns the service whose type the identifier at c names, or nil.
func (f *file) mention(c inspector.Cursor) *ir.Service {
	obj, ok := f.info.Uses[c.Node().(*ast.Ident)].(*types.TypeName)
	if !ok || obj.IsAlias() {
		return nil
	}
	return f.prog.ServiceOf(obj)
}
