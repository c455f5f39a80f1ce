package inject

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

// skipping is what //onefold:skip leaves out: what begins on its line, or on the next
// one if it stands alone; above a function, all of the function.
type skipping struct {
	fset  *token.FileSet
	lines map[int]bool
	funcs []*ast.FuncDecl
}

const (
	skipMark  = "//onefold:skip"
	pointMark = "//onefold:point "
)

func newSkipping(fset *token.FileSet, syntax *ast.File) skipping {
	s := skipping{fset, map[int]bool{}, nil}
	code := map[int]bool{} // lines with code on them
	ast.Inspect(syntax, func(n ast.Node) bool {
		switch n.(type) {
		case nil, *ast.Comment, *ast.CommentGroup, *ast.File:
			return n != nil
		}
		code[s.line(n.Pos())] = true
		return true
	})
	for _, group := range syntax.Comments {
		for _, c := range group.List {
			if c.Text == skipMark || strings.HasPrefix(c.Text, skipMark+" ") {
				line := s.line(c.Pos())
				if !code[line] {
					line = s.line(group.End()) + 1
				}
				s.lines[line] = true
			}
		}
	}
	for _, d := range syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && s.lines[s.line(fn.Type.Pos())] {
			s.funcs = append(s.funcs, fn)
		}
	}
	return s
}

func (s skipping) line(p token.Pos) int { return s.fset.PositionFor(p, false).Line }

func (s skipping) has(n ast.Node) bool {
	if s.lines[s.line(n.Pos())] {
		return true
	}
	for _, fn := range s.funcs {
		if fn.Pos() <= n.Pos() && n.End() <= fn.End() {
			return true
		}
	}
	return false
}

// point counts the calls of a function that is marked as a unit of work.
//
//	//onefold:point orders
//	func consume(m Message) { store(m) }  →  func consume(m Message) { slowpoke.Point("orders"); store(m) }
func (f *file) point(fn *ast.FuncDecl) {
	if fn.Doc == nil || fn.Body == nil {
		return
	}
	for _, c := range fn.Doc.List {
		name, ok := strings.CutPrefix(c.Text, pointMark)
		if !ok {
			continue
		}
		name = strings.TrimSpace(name)
		f.site(fn, Point, fn.Name.Name, name, "")
		if len(fn.Body.List) == 0 {
			continue // nothing is done
		}
		if first, ok := fn.Body.List[0].(*ast.ExprStmt); ok && f.isRuntimeCall(first.X) {
			continue
		}
		f.around(fn.Body.List[0], f.runtimeFunction("slowpoke", "Point")+"("+strconv.Quote(name)+")\n", "")
	}
}
