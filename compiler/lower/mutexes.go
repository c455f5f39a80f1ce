package lower

import (
	"go/ast"
	"strings"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// mutexes removes what methods do with the mutexes of their service, and leaves
// a comment so that every line stays where it is:
//
//	h.mu.Lock()
//	defer h.mu.Unlock()
//
//	// h.mu.Lock(): the transaction does it
//	// defer h.mu.Unlock(): the transaction does it
func (f *file) mutexes() {
	for c := range f.root.Preorder((*ast.SelectorExpr)(nil)) {
		field := f.prog.Selected(f.info, c.Node().(*ast.SelectorExpr))
		if field == nil || field.Kind != ir.Mutex || f.constructor(c) != nil {
			continue
		}
		if stmt, ok := f.locking(c); ok {
			f.drop(stmt)
			continue
		}
		f.errorf(c.Node(), diag.Mutex, "call Lock, Unlock, RLock or RUnlock as a statement of its own", "mutex %s: used as a value", field)
	}
}

// locking returns the statement that locks or unlocks the mutex selected at c.
func (f *file) locking(c inspector.Cursor) (inspector.Cursor, bool) {
	sel := c.Node().(*ast.SelectorExpr)
	if s := f.info.Selections[sel]; s != nil && len(s.Index()) == 1 { // h.mu, of h.mu.Lock; h.Lock is embedded
		for c.ParentEdgeKind() == edge.ParenExpr_X {
			c = c.Parent()
		}
		if c.ParentEdgeKind() != edge.SelectorExpr_X {
			return c, false
		}
		c = c.Parent()
		sel = c.Node().(*ast.SelectorExpr)
	}
	switch sel.Sel.Name {
	case "Lock", "Unlock", "RLock", "RUnlock":
	default:
		return c, false
	}
	for c.ParentEdgeKind() == edge.ParenExpr_X {
		c = c.Parent()
	}
	if c.ParentEdgeKind() != edge.CallExpr_Fun {
		return c, false
	}
	stmt := c.Parent().Parent()
	switch stmt.Node().(type) {
	case *ast.ExprStmt, *ast.DeferStmt:
		return stmt, true
	}
	return c, false
}

// drop removes the statement at c. A comment takes its line where it has one of its own.
func (f *file) drop(c inspector.Cursor) {
	text := f.Original(c.Node())
	if strings.Contains(text, "\n") || !inBlock(c) || !f.EndsLine(c.Node()) {
		f.Replace("mutexes", c.Node(), "", nil)
		return
	}
	f.Replace("mutexes", c.Node(), "// $text: the transaction does it", map[string]any{"text": text})
}

// inBlock reports whether the statement at c stands in a list of statements.
func inBlock(c inspector.Cursor) bool {
	switch c.ParentEdgeKind() {
	case edge.BlockStmt_List, edge.CaseClause_Body, edge.CommClause_Body:
		return true
	}
	return false
}
