package rewrite

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
)

// imports is what a file imports and what its edits change about that.
type imports struct {
	decls []*ast.GenDecl
	names map[*ast.ImportSpec]string // what the file calls each import
	moved map[string]string          // new import path by old one
	added []added
	// wanted holds the names of imports of the source that templates may mention.
	wanted map[string]bool
}

// added is an import that the source does not have.
type added struct{ name, path string }

func importsOf(syntax *ast.File, info *types.Info) imports {
	im := imports{moved: map[string]string{}, names: map[*ast.ImportSpec]string{}, wanted: map[string]bool{}}
	for _, d := range syntax.Decls {
		if decl, ok := d.(*ast.GenDecl); ok && decl.Tok == token.IMPORT {
			im.decls = append(im.decls, decl)
		}
	}
	for _, spec := range syntax.Imports {
		im.names[spec] = importName(spec, info)
	}
	return im
}

func importName(spec *ast.ImportSpec, info *types.Info) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	if pkg := info.PkgNameOf(spec); pkg != nil {
		return pkg.Name()
	}
	return path.Base(importPath(spec))
}

func importPath(spec *ast.ImportSpec) string {
	p, _ := strconv.Unquote(spec.Path.Value)
	return p
}

// Move makes the file import to where the source imports from.
func (f *File) Move(from, to string) { f.imports.moved[from] = to }

// Import makes the file import the package at target, whose name is name, and
// returns the name to call it by: that of the import that the source has already
// (Move included), or one that no identifier of the file can hide. An import that
// nothing uses in the end is left out.
func (f *File) Import(target, name string) string {
	for _, spec := range f.syntax.Imports {
		given := f.imports.names[spec]
		if f.target(spec) == target && given != "_" && given != "." && !f.defs[given] {
			f.imports.wanted[given] = true
			return given
		}
	}
	for _, a := range f.imports.added {
		if a.path == target {
			return a.name
		}
	}
	free := name
	for n := 2; f.idents[free] || f.imported(free); n++ {
		free = name + strconv.Itoa(n)
	}
	f.imports.added = append(f.imports.added, added{free, target})
	return free
}

func (f *File) target(spec *ast.ImportSpec) string {
	source := importPath(spec)
	if to, ok := f.imports.moved[source]; ok {
		return to
	}
	return source
}

// imported reports whether an import of the source or an added one is called name.
func (f *File) imported(name string) bool {
	for _, given := range f.imports.names {
		if given == name {
			return true
		}
	}
	return slices.ContainsFunc(f.imports.added, func(a added) bool { return a.name == name })
}

// importBlock returns the import declaration for the rendered body of the file.
func (f *File) importBlock(r *renderer) (string, error) {
	used, err := mentioned(r.out)
	if err != nil {
		return "", err
	}
	copied, bare := f.copiedImports(r)
	var groups [][]string
	for _, group := range f.importGroups() {
		var lines []string
		for _, spec := range group {
			name := f.imports.names[spec]
			if name == "_" || name == "." && bare[importPath(spec)] || copied[name] || f.imports.wanted[name] && used[name] {
				lines = append(lines, f.importLine(spec))
			}
		}
		groups = append(groups, lines)
	}
	var news []string
	for _, a := range f.imports.added {
		if used[a.name] {
			news = append(news, importText(a))
		}
	}
	slices.Sort(news)
	groups = append(groups, news)
	return importDecl(slices.DeleteFunc(groups, func(g []string) bool { return len(g) == 0 })), nil
}

func importDecl(groups [][]string) string {
	switch {
	case len(groups) == 0:
		return ""
	case len(groups) == 1 && len(groups[0]) == 1:
		return "import " + groups[0][0]
	}
	var blocks []string
	for _, g := range groups {
		blocks = append(blocks, "\t"+strings.Join(g, "\n\t")+"\n")
	}
	return "import (\n" + strings.Join(blocks, "\n") + ")"
}

// copiedImports returns the names of imports that stand in the parts of the
// source that were copied, and the paths of packages whose objects stand there without
// their package's name.
func (f *File) copiedImports(r *renderer) (copied, bare map[string]bool) {
	copied, bare = map[string]bool{}, map[string]bool{}
	qualified := map[*ast.Ident]bool{}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			qualified[n.Sel] = true
		case *ast.Ident:
			obj := f.info.Uses[n]
			if obj == nil || !r.copied(f.offset(n.Pos())) {
				break
			}
			if _, ok := obj.(*types.PkgName); ok {
				copied[n.Name] = true
			} else if obj.Pkg() != nil && !qualified[n] {
				bare[obj.Pkg().Path()] = true
			}
		}
		return true
	})
	return copied, bare
}

// importGroups returns the imports of the source in groups as blank lines divide them.
func (f *File) importGroups() [][]*ast.ImportSpec {
	var groups [][]*ast.ImportSpec
	for _, decl := range f.imports.decls {
		last := -1
		for _, s := range decl.Specs {
			spec := s.(*ast.ImportSpec)
			from := spec.Pos()
			if spec.Doc != nil {
				from = spec.Doc.Pos()
			}
			if len(groups) == 0 || last >= 0 && f.line(from) > last+1 {
				groups = append(groups, nil)
			}
			groups[len(groups)-1] = append(groups[len(groups)-1], spec)
			last = f.line(spec.End())
		}
	}
	return groups
}

// importLine returns an import of the source with its comments.
func (f *File) importLine(spec *ast.ImportSpec) string {
	line := strconv.Quote(f.target(spec))
	if spec.Name != nil {
		line = spec.Name.Name + " " + line
	}
	if spec.Doc != nil {
		line = f.Original(spec.Doc) + "\n\t" + line
	}
	if spec.Comment != nil {
		line += " " + f.Original(spec.Comment)
	}
	return line
}

func importText(a added) string {
	if a.name == path.Base(a.path) {
		return strconv.Quote(a.path)
	}
	return a.name + " " + strconv.Quote(a.path)
}

// mentioned returns the names that src uses as X in X.Y.
func mentioned(src []byte) (map[string]bool, error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	ast.Inspect(syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	return used, nil
}
