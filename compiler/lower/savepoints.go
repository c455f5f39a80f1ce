package lower

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/rewrite"
)

// savepoints turns nested transactions into savepoints:
//
//	err := onefold.Tx(ctx, h, func(ctx context.Context) error {…})
//	err := h.tx.Savepoint(ctx, func(ctx context.Context) error {…})
//
// A savepoint takes back everything that fn did, so h must be what fn can reach
// everything from: the receiver.
func (f *file) savepoints() {
	for c := range f.root.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if !isFunc(typeutil.Callee(f.info, call), "github.com/onefold/onefold", "Tx") || len(call.Args) != 3 {
			continue
		}
		m := f.method(c)
		id, _ := ast.Unparen(call.Args[1]).(*ast.Ident)
		if m == nil || id == nil || f.info.Uses[id] != m.Receiver() {
			f.errorf(call.Args[1], diag.Transaction, "pass the receiver of the method that calls onefold.Tx",
				"onefold.Tx over %s: a transaction is over the service whose method runs it", f.Original(call.Args[1]))
			continue
		}
		f.Replace("savepoints", call, "$h.$tx.Savepoint($ctx, $fn)", rewrite.Holes{
			"h": id.Name, "tx": f.names.Service(m.Service).Tx, "ctx": call.Args[0], "fn": call.Args[2],
		})
	}
}

// isFunc reports whether obj is the function name of the package at path.
func isFunc(obj types.Object, path, name string) bool {
	fn, ok := obj.(*types.Func)
	return ok && fn.Pkg() != nil && fn.Pkg().Path() == path && fn.Name() == name && fn.Signature().Recv() == nil
}
