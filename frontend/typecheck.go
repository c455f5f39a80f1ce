package frontend

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"runtime"
	"strings"

	"github.com/onefold/onefold/compiler/diag"
)

// Parse parses the source of f into its Syntax, comments included, and reports
// syntax errors to diags as the Go compiler words them.
func (f *File) Parse(fset *token.FileSet, diags *diag.List) {
	syntax, err := parser.ParseFile(fset, f.Name, f.Source, parser.ParseComments|parser.SkipObjectResolution)
	f.Syntax = syntax
	var list scanner.ErrorList
	if errors.As(err, &list) {
		for _, e := range list {
			diags.Errorf(e.Pos, diag.Build, "", "syntax error: %s", e.Msg)
		}
	}
}

// Typecheck types the packages in order, so dependencies must come first. What
// they import beside each other comes from external. Type errors go to diags.
func (s *Source) Typecheck(external types.Importer, diags *diag.List) {
	imp := &importer{own: map[string]*types.Package{}, external: external}
	for _, pkg := range s.Packages {
		pkg.typecheck(s.Fset, imp, diags)
		imp.own[pkg.Path] = pkg.Types
	}
}

func (p *Package) typecheck(fset *token.FileSet, imp types.Importer, diags *diag.List) {
	conf := types.Config{
		Importer: imp,
		// Rewritten packages with cgo are refused with a reason later.
		FakeImportC: true,
		GoVersion:   p.GoVersion,
		Sizes:       types.SizesFor("gc", runtime.GOARCH),
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) && !strings.HasPrefix(e.Msg, "\t") {
				diags.Errorf(fset.Position(e.Pos), diag.Build, "", "%s", e.Msg)
			}
		},
	}
	p.Info = &types.Info{
		Types:        map[ast.Expr]types.TypeAndValue{},
		Instances:    map[*ast.Ident]types.Instance{},
		Defs:         map[*ast.Ident]types.Object{},
		Uses:         map[*ast.Ident]types.Object{},
		Implicits:    map[ast.Node]types.Object{},
		Selections:   map[*ast.SelectorExpr]*types.Selection{},
		Scopes:       map[ast.Node]*types.Scope{},
		FileVersions: map[*ast.File]string{},
	}
	files := make([]*ast.File, len(p.Files))
	for i, f := range p.Files {
		files[i] = f.Syntax
	}
	// Errors have been reported one by one.
	p.Types, _ = conf.Check(p.Path, fset, files, p.Info)
}

// importer finds the user's packages among those already typed and all others
// through external.
type importer struct {
	own      map[string]*types.Package
	external types.Importer
}

func (i *importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg := i.own[path]; pkg != nil {
		return pkg, nil
	}
	if i.external == nil {
		return nil, fmt.Errorf("package %s is not loaded", path)
	}
	return i.external.Import(path)
}
