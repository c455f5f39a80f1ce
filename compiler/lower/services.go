package lower

import (
	"go/ast"
	"go/types"

	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/rewrite"
)

// services turns the fields of service structs into handles:
//
//	type Hotel struct {
//		mu    sync.Mutex
//		rooms map[string]Room // by hotel id
//		total int
//	}
//
//	type Hotel struct {
//		tx    *atomic.Tx
//		rooms state.Map[string, Room] // by hotel id
//		total state.Value[int]
//	}
func (f *file) services() {
	for _, s := range f.prog.Services {
		if s.Pkg != f.ir.Pkg || !f.holds(s.Spec) {
			continue
		}
		fields := s.Spec.Type.(*ast.StructType).Fields
		text, end := "{\n$tx *$atomic.Tx", "\n$rest}"
		holes := rewrite.Holes{
			"tx":     f.names.Service(s).Tx,
			"atomic": f.Import(atomicPath, "atomic"),
			"rest":   rewrite.Span{From: fields.Opening + 1, To: fields.Closing},
		}
		if s.Flows() {
			text += "\n$run *$workflow.Run"
			holes["run"], holes["workflow"] = f.names.Service(s).Run, f.Import(workflowPath, "workflow")
		}
		if f.EndsLine(rewrite.Span{From: fields.Opening, To: fields.Opening + 1}) {
			end = "$rest}"
		}
		f.Replace("services", fields, text+end, holes)
		for _, syntax := range fields.List {
			f.handle(s, syntax)
		}
	}
}

func (f *file) holds(n ast.Node) bool {
	return f.ir.Syntax.FileStart <= n.Pos() && n.Pos() < f.ir.Syntax.FileEnd
}

// handle rewrites one line of fields.
func (f *file) handle(s *ir.Service, syntax *ast.Field) {
	name := embeddedName(f.info, syntax)
	if len(syntax.Names) > 0 {
		name = syntax.Names[0].Name
	}
	field := s.Field(name)
	if field == nil {
		return // reported by the frontend
	}
	embedded := ""
	if field.Embedded {
		embedded = field.Name + " "
	}
	holes := rewrite.Holes{"name": embedded, "state": f.Import(statePath, "state"), "type": rewrite.Inside{Node: syntax.Type}}
	switch field.Kind {
	case ir.Mutex:
		f.remove(syntax)
	case ir.Value:
		f.Replace("services", syntax.Type, "$name$state.Value[$type]", holes)
	case ir.Map:
		holes["key"], holes["elem"] = f.parts(field, syntax.Type)
		f.Replace("services", syntax.Type, "$name$state.Map[$key, $elem]", holes)
	case ir.Slice:
		_, holes["elem"] = f.parts(field, syntax.Type)
		f.Replace("services", syntax.Type, "$name$state.Slice[$elem]", holes)
	}
}

// parts returns how to write the key and element of a map or slice field, which
// the spec may declare through a named type.
func (f *file) parts(field *ir.Field, t ast.Expr) (key, elem any) {
	switch t := ast.Unparen(t).(type) {
	case *ast.MapType:
		return t.Key, t.Value
	case *ast.ArrayType:
		return "", t.Elt
	}
	if field.Key != nil {
		key = f.typeText(field.Key)
	}
	return key, f.typeText(field.Elem)
}

// remove drops a field with its comments.
func (f *file) remove(syntax *ast.Field) {
	f.Replace("services", syntax, "", nil)
	for _, c := range []*ast.CommentGroup{syntax.Doc, syntax.Comment} {
		if c != nil {
			f.Replace("services", c, "", nil)
		}
	}
}

// embeddedName returns the name of an embedded field.
func embeddedName(info *types.Info, syntax *ast.Field) string {
	t := ast.Unparen(syntax.Type)
	if star, ok := t.(*ast.StarExpr); ok {
		t = ast.Unparen(star.X)
	}
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.SelectorExpr:
		return t.Sel.Name
	case *ast.IndexExpr:
		return embeddedName(info, &ast.Field{Type: t.X})
	case *ast.IndexListExpr:
		return embeddedName(info, &ast.Field{Type: t.X})
	}
	return ""
}

// typeText writes a type as the file would, importing what it needs.
func (f *file) typeText(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == f.ir.Pkg.Types {
			return ""
		}
		path := p.Path()
		if pkg := f.prog.PackageOf(p); pkg != nil && pkg.OutPath != "" {
			path = pkg.OutPath
		}
		return f.Import(path, p.Name())
	})
}
