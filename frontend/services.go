package frontend

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

const directive = "//onefold:"

// findServices turns every type marked //onefold:service into a service.
func (b *builder) findServices() {
	for _, pkg := range b.src.Packages {
		for _, f := range b.irOf[pkg].Files {
			for _, d := range f.Syntax.Decls {
				if decl, ok := d.(*ast.GenDecl); ok && decl.Tok == token.TYPE {
					b.markedTypes(f, decl)
				}
			}
		}
	}
}

// markedTypes adds the services among the types of one declaration.
func (b *builder) markedTypes(f *ir.File, decl *ast.GenDecl) {
	for _, s := range decl.Specs {
		spec := s.(*ast.TypeSpec)
		doc := spec.Doc
		if !decl.Lparen.IsValid() {
			doc = decl.Doc
		}
		mark := b.mark(doc, "service")
		if mark == nil {
			continue
		}
		b.marked[mark] = true
		if service := b.service(f, spec); service != nil {
			service.Doc = doc.Text()
			b.byType[service.Obj] = service
			b.prog.Services = append(b.prog.Services, service)
		}
	}
}

// mark returns the comment //onefold:name of doc, or nil.
func (b *builder) mark(doc *ast.CommentGroup, name string) *ast.Comment {
	if doc == nil {
		return nil
	}
	for _, c := range doc.List {
		if verb, _ := splitDirective(c); verb == name {
			return c
		}
	}
	return nil
}

// splitDirective returns X and rest of the comment "//onefold:X rest // remark".
func splitDirective(c *ast.Comment) (verb, rest string) {
	text, ok := strings.CutPrefix(c.Text, directive)
	if !ok {
		return "", ""
	}
	text, _, _ = strings.Cut(text, "//")
	verb, rest, _ = strings.Cut(text, " ")
	return strings.TrimSpace(verb), strings.TrimSpace(rest)
}

// service returns the service that a marked type declares, or nil after saying why it is none.
func (b *builder) service(f *ir.File, spec *ast.TypeSpec) *ir.Service {
	obj, ok := f.Pkg.Info.Defs[spec.Name].(*types.TypeName)
	if !ok {
		return nil
	}
	const code = diag.Service
	pos := spec.Name.Pos()
	if f.Pkg.Name == "main" {
		b.errorf(pos, code, "move it into a package of its own", "service %s: declared in package main, which no generated code could import", obj.Name())
		return nil
	}
	if obj.IsAlias() {
		b.errorf(pos, code, "mark the struct type itself", "service %s: an alias; want a struct type", obj.Name())
		return nil
	}
	if spec.TypeParams.NumFields() > 0 {
		b.errorf(pos, code, "declare a service for each type it is needed with", "service %s: a generic type; want a struct type without type parameters", obj.Name())
		return nil
	}
	if _, ok := spec.Type.(*ast.StructType); !ok {
		b.errorf(pos, code, "make it a struct with its state as fields", "service %s: %s; want a struct type", obj.Name(), typeString(obj.Type().Underlying()))
		return nil
	}
	if !obj.Exported() {
		b.errorf(pos, code, "rename it "+exported(obj.Name()), "service %s: not exported; its name is part of its address", obj.Name())
		return nil
	}
	return &ir.Service{Name: obj.Name(), Pkg: f.Pkg, Obj: obj, Spec: spec}
}

func exported(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// strayMarks reports the //onefold: comments that no declaration claimed.
func (b *builder) strayMarks() {
	for _, pkg := range b.src.Packages {
		for _, f := range pkg.Files {
			for _, group := range f.Syntax.Comments {
				for _, c := range group.List {
					b.strayMark(c)
				}
			}
		}
	}
}

func (b *builder) strayMark(c *ast.Comment) {
	if b.marked[c] {
		return
	}
	verb, _ := splitDirective(c)
	switch {
	case verb == "service":
		b.errorf(c.Pos(), diag.Mark, "put it directly above one struct type of the package", "mark //onefold:service: not above the declaration of one type")
	case verb == "workflow" || verb == "every":
		b.errorf(c.Pos(), diag.Mark, "put it directly above an exported method of a service", "mark //onefold:%s: not above an exported method of a service", verb)
	case strings.HasPrefix(c.Text, directive):
		b.errorf(c.Pos(), diag.Mark, "use //onefold:service, //onefold:workflow or //onefold:every", "mark %s: unknown", strings.TrimSpace(c.Text))
	default:
		b.spacedMark(c)
	}
}

// spacedMark reports a comment that is meant to be a directive.
func (b *builder) spacedMark(c *ast.Comment) {
	squeezed := strings.ReplaceAll(c.Text, " ", "")
	for _, verb := range []string{"service", "workflow", "every"} {
		if strings.HasPrefix(squeezed, directive+verb) {
			b.errorf(c.Pos(), diag.Mark, "write "+directive+verb+", without spaces", "mark %s: a comment, not a directive", strings.TrimSpace(c.Text))
			return
		}
	}
}

// clashes reports services that share a name.
func (b *builder) clashes() {
	for i, s := range b.prog.Services {
		if i == 0 || b.prog.Services[i-1].Name != s.Name {
			continue
		}
		first := b.prog.Services[i-1]
		b.diags.Add(diag.Diagnostic{
			Pos:     b.src.Fset.Position(s.Spec.Name.Pos()),
			Code:    diag.Clash,
			Message: "service " + s.Name + ": two services of this name in one program; names are addresses and must be unique",
			Fix:     "rename one of them",
			Related: []diag.Related{{Pos: b.src.Fset.Position(first.Spec.Name.Pos()), Message: "the other " + s.Name}},
		})
	}
}
