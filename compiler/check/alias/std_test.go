package alias_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onefold/onefold/compiler/check/alias"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/frontend"
)

// Any valid Go can be analysed: packages of the standard library are taken for
// specs in which every type with exported methods is a service.
func TestAnyGo(t *testing.T) {
	paths := []string{"container/list", "encoding/csv", "go/scanner", "net/textproto", "regexp/syntax", "sort", "text/template"}
	exports := exportData(t, paths)
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			prog := standard(t, path, exports)
			alias.Check(prog, new(diag.List))
		})
	}
}

// exportData returns the files of the export data of packages and all they import.
func exportData(t *testing.T, paths []string) map[string]string {
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, paths...)
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return files
}

// standard returns a package of the standard library as a program.
func standard(t *testing.T, path string, exports map[string]string) *ir.Program {
	fset := token.NewFileSet()
	src, err := build.Import(path, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg := &ir.Package{Path: path, Info: &types.Info{
		Types:        map[ast.Expr]types.TypeAndValue{},
		Instances:    map[*ast.Ident]types.Instance{},
		Defs:         map[*ast.Ident]types.Object{},
		Uses:         map[*ast.Ident]types.Object{},
		Implicits:    map[ast.Node]types.Object{},
		Selections:   map[*ast.SelectorExpr]*types.Selection{},
		Scopes:       map[ast.Node]*types.Scope{},
		FileVersions: map[*ast.File]string{},
	}}
	var files []*ast.File
	for _, name := range src.GoFiles {
		name = filepath.Join(src.Dir, name)
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		pkg.Files = append(pkg.Files, &ir.File{Pkg: pkg, Name: name, Syntax: f})
	}
	conf := types.Config{Importer: frontend.ExportImporter(fset, exports)}
	if pkg.Types, err = conf.Check(path, fset, files, pkg.Info); err != nil {
		t.Fatal(err)
	}
	prog := &ir.Program{Fset: fset, Packages: []*ir.Package{pkg}}
	for _, name := range pkg.Types.Scope().Names() {
		obj, ok := pkg.Types.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		if s := asService(pkg, obj); s != nil {
			prog.Services = append(prog.Services, s)
		}
	}
	prog.Index()
	return prog
}

// asService takes a struct type for a service whose fields are all persistent.
func asService(pkg *ir.Package, obj *types.TypeName) *ir.Service {
	named, ok := obj.Type().(*types.Named)
	if !ok || named.TypeParams().Len() > 0 {
		return nil
	}
	st, ok := named.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	s := &ir.Service{Name: obj.Name(), Pkg: pkg, Obj: obj}
	for f := range st.Fields() {
		kind := ir.Value
		switch f.Type().Underlying().(type) {
		case *types.Map:
			kind = ir.Map
		case *types.Slice:
			kind = ir.Slice
		}
		s.Fields = append(s.Fields, &ir.Field{Service: s, Name: f.Name(), Var: f, Kind: kind, Elem: f.Type(), Pos: f.Pos()})
	}
	for m := range named.Methods() {
		if m.Exported() {
			s.Methods = append(s.Methods, &ir.Method{Service: s, Name: m.Name(), Func: m})
		}
	}
	return s
}
