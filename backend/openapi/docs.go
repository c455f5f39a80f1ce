package openapi

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/onefold/onefold/compiler/ir"
)

// docs holds the comments of types and fields by where their names stand.
type docs struct {
	types, fields map[token.Pos]string
}

func newDocs(prog *ir.Program) *docs {
	d := &docs{types: map[token.Pos]string{}, fields: map[token.Pos]string{}}
	for pkg := range prog.Sources() {
		for _, f := range pkg.Files {
			ast.Inspect(f.Syntax, d.visit)
		}
	}
	return d
}

func (d *docs) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		for _, s := range n.Specs {
			if spec, ok := s.(*ast.TypeSpec); ok {
				d.types[spec.Name.Pos()] = text(spec.Doc, spec.Comment, single(n))
			}
		}
	case *ast.Field:
		for _, name := range n.Names {
			d.fields[name.Pos()] = text(n.Doc, n.Comment)
		}
	}
	return true
}

// single returns the comment of a declaration without parentheses, which is that of its one spec.
func single(decl *ast.GenDecl) *ast.CommentGroup {
	if decl.Lparen.IsValid() {
		return nil
	}
	return decl.Doc
}

// text returns the first of the comments that says something.
func text(comments ...*ast.CommentGroup) string {
	for _, c := range comments {
		if t := strings.TrimSpace(c.Text()); t != "" {
			return t
		}
	}
	return ""
}

// withDoc adds a description to a schema. A reference that has one is still a reference in OpenAPI 3.1.
func withDoc(schema object, doc string) object {
	if doc = strings.TrimSpace(doc); doc != "" {
		schema["description"] = doc
	}
	return schema
}
