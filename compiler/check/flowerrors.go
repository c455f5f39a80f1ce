package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/onefold/onefold/compiler/diag"
)

// keptErrors are the declared errors of other packages that a log keeps.
var keptErrors = []string{"context.Canceled", "context.DeadlineExceeded", "io.EOF", "io.ErrUnexpectedEOF",
	"io/fs.ErrExist", "io/fs.ErrNotExist", "io/fs.ErrPermission", "os.ErrExist", "os.ErrNotExist", "os.ErrPermission", "errors.ErrUnsupported"}

const sentinelFix = "compare inside the step or the onefold.Do, and return an exported error variable of the specification"

// comparison checks err == ErrX.
func (v *flowVisitor) comparison(n *ast.BinaryExpr) {
	x, y := v.info.TypeOf(n.X), v.info.TypeOf(n.Y)
	if x == nil || y == nil || !isError(x) || v.info.Types[n.Y].IsNil() || v.info.Types[n.X].IsNil() {
		return
	}
	v.sentinel(n.Y)
}

// sentinel refuses to look in an error for a value that a log does not keep: the error of a
// recorded step would not hold it any more.
func (v *flowVisitor) sentinel(e ast.Expr) {
	obj := packageVariable(v.info, e)
	switch {
	case obj == nil:
	case v.prog.PackageOf(obj.Pkg()) != nil && obj.Exported() && isError(obj.Type()):
		return
	case slices.Contains(keptErrors, obj.Pkg().Path()+"."+obj.Name()):
		return
	}
	v.report(e.Pos(), diag.Error, diag.ErrorType, v.chain, sentinelFix,
		"%s: the log of a workflow does not keep it, so no error of a recorded step would be it; want an exported variable of type error", types.ExprString(e))
}

// errorType refuses to look in an error x for a type that a log does not keep; x is nil where
// it is known to be an error.
func (v *flowVisitor) errorType(x ast.Expr, t types.Type, pos token.Pos) {
	if x != nil && !isError(v.info.TypeOf(x)) || t == nil {
		return
	}
	if v.keepsError(t) {
		return
	}
	v.report(pos, diag.Error, diag.ErrorType, v.chain, "look at it inside the step or the onefold.Do, and return an error of an exported type of the specification",
		"error type %s: the log of a workflow does not keep it, so no error of a recorded step would be one; want an exported type that can be stored", typeName(t))
}

// typeSwitch checks the cases of a switch on the type of an error.
func (v *flowVisitor) typeSwitch(n *ast.TypeSwitchStmt) {
	var x ast.Expr
	ast.Inspect(n.Assign, func(n ast.Node) bool {
		if assert, ok := n.(*ast.TypeAssertExpr); ok {
			x = assert.X
		}
		return true
	})
	if x == nil || !isError(v.info.TypeOf(x)) {
		return
	}
	for _, clause := range n.Body.List {
		for _, e := range clause.(*ast.CaseClause).List {
			if !v.info.Types[e].IsNil() {
				v.errorType(nil, v.info.TypeOf(e), e.Pos())
			}
		}
	}
}
