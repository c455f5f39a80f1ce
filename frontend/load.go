package frontend

import (
	"context"
	"errors"
	"fmt"
	goimporter "go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/onefold/onefold/compiler/diag"
)

// LoadOptions changes how Load finds packages. The zero value is right for a
// working copy on disk.
type LoadOptions struct {
	Tags    []string          // build tags
	Env     []string          // environment of the go command; nil for the process's own
	Overlay map[string][]byte // contents by absolute file name, instead of the disk's
}

// Load reads the packages that patterns name, relative to dir, and the packages
// of the user's modules that they import: parsed and typed. What lies outside
// the user's modules is known by its export data only. Packages that onefold
// generated are left out.
//
// What the Go compiler would refuse is in the list; the source is then not fit
// for Build. The error tells that the packages could not be listed at all.
func Load(ctx context.Context, dir string, patterns []string, opts LoadOptions) (*Source, *diag.List, error) {
	diags := new(diag.List)
	roots, err := list(ctx, dir, patterns, opts, packages.NeedName|packages.NeedFiles|packages.NeedImports|packages.NeedDeps|packages.NeedModule)
	if err != nil {
		return nil, nil, fmt.Errorf("load specs: %w", err)
	}
	l := &loader{
		src:      &Source{Fset: token.NewFileSet()},
		diags:    diags,
		overlay:  opts.Overlay,
		seen:     map[string]bool{},
		external: map[string]bool{},
	}
	for _, root := range roots {
		if err := l.visit(root, true); err != nil {
			return nil, nil, fmt.Errorf("load specs: %w", err)
		}
	}
	imp, err := exports(ctx, dir, l.src.Fset, l.external, opts)
	if err != nil {
		return nil, nil, fmt.Errorf("load specs: %w", err)
	}
	if !diags.HasErrors() {
		l.src.Typecheck(imp, diags)
	}
	return l.src, diags, nil
}

func list(ctx context.Context, dir string, patterns []string, opts LoadOptions, mode packages.LoadMode) ([]*packages.Package, error) {
	conf := &packages.Config{Context: ctx, Dir: dir, Mode: mode, Env: opts.Env, Overlay: opts.Overlay}
	if len(opts.Tags) > 0 {
		conf.BuildFlags = []string{"-tags=" + strings.Join(opts.Tags, ",")}
	}
	pkgs, err := packages.Load(conf, patterns...)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		// What the go command wrote says it all; the rest is how it was run.
		if _, stderr, ok := strings.Cut(err.Error(), "stderr: "); ok {
			return nil, errors.New(strings.TrimSpace(stderr))
		}
	}
	return pkgs, err
}

// loader collects the user's packages, dependencies first.
type loader struct {
	src      *Source
	diags    *diag.List
	overlay  map[string][]byte
	seen     map[string]bool
	external map[string]bool // import paths outside the user's modules that the user's packages import
}

func (l *loader) visit(pkg *packages.Package, root bool) error {
	if l.seen[pkg.ID] {
		return nil
	}
	l.seen[pkg.ID] = true
	if !own(pkg) && (len(pkg.Errors) == 0 || !root) {
		return nil
	}
	files, err := l.read(pkg)
	if err != nil {
		return err
	}
	if len(files) > 0 && !slices.ContainsFunc(files, func(f *File) bool { return !Generated(f.Source) }) {
		return nil
	}
	l.listErrors(pkg)
	for _, path := range sortedKeys(pkg.Imports) {
		imp := pkg.Imports[path]
		if own(imp) {
			if err := l.visit(imp, false); err != nil {
				return err
			}
		} else if path != "unsafe" && path != "C" && len(imp.Errors) == 0 {
			l.external[path] = true
		} else {
			l.listErrors(imp)
		}
	}
	for _, f := range files {
		f.Parse(l.src.Fset, l.diags)
	}
	if len(files) > 0 {
		l.src.Packages = append(l.src.Packages, newPackage(pkg, files))
	}
	return nil
}

func newPackage(pkg *packages.Package, files []*File) *Package {
	p := &Package{Path: pkg.PkgPath, Dir: filepath.Dir(files[0].Name), Files: files, Other: pkg.OtherFiles}
	if pkg.Module != nil && pkg.Module.GoVersion != "" {
		p.GoVersion = "go" + pkg.Module.GoVersion
	}
	return p
}

// own reports whether pkg belongs to the user: to a main module, and not to
// onefold's own library where a spec lives in onefold's module.
func own(pkg *packages.Package) bool {
	const library = "github.com/onefold/onefold"
	if pkg.Module == nil || !pkg.Module.Main {
		return false
	}
	if pkg.Module.Path == library {
		rest := strings.TrimPrefix(pkg.PkgPath, library)
		return strings.HasPrefix(rest, "/testdata/") || strings.HasPrefix(rest, "/examples/")
	}
	return true
}

func (l *loader) read(pkg *packages.Package) ([]*File, error) {
	var files []*File
	for _, name := range pkg.GoFiles {
		source, ok := l.overlay[name]
		if !ok {
			var err error
			if source, err = os.ReadFile(name); err != nil {
				return nil, err
			}
		}
		files = append(files, &File{Name: name, Source: source})
	}
	return files, nil
}

// listErrors reports what the go command found wrong with pkg: missing packages,
// import cycles. Syntax errors are left to the parser.
func (l *loader) listErrors(pkg *packages.Package) {
	for _, e := range pkg.Errors {
		if e.Kind != packages.ParseError {
			l.diags.Errorf(parsePosition(e.Pos), diag.Build, "", "%s", strings.TrimSpace(e.Msg))
		}
	}
}

// parsePosition reads "file:line:col", "file:line", "-" or "".
func parsePosition(s string) token.Position {
	var numbers []int
	for len(numbers) < 2 {
		i := strings.LastIndexByte(s, ':')
		if i < 0 {
			break
		}
		n, err := strconv.Atoi(s[i+1:])
		if err != nil {
			break
		}
		numbers = append([]int{n}, numbers...)
		s = s[:i]
	}
	pos := token.Position{Filename: s}
	if s == "-" {
		pos.Filename = ""
	}
	if len(numbers) > 0 {
		pos.Line = numbers[0]
	}
	if len(numbers) > 1 {
		pos.Column = numbers[1]
	}
	return pos
}

// exports returns an importer that reads the export data of the given packages.
func exports(ctx context.Context, dir string, fset *token.FileSet, paths map[string]bool, opts LoadOptions) (types.Importer, error) {
	files := map[string]string{}
	if len(paths) > 0 {
		pkgs, err := list(ctx, dir, sortedKeys(paths), opts, packages.NeedName|packages.NeedExportFile)
		if err != nil {
			return nil, err
		}
		for _, pkg := range pkgs {
			files[pkg.PkgPath] = pkg.ExportFile
		}
	}
	return ExportImporter(fset, files), nil
}

// ExportImporter returns an importer that reads export data from files by import path.
func ExportImporter(fset *token.FileSet, files map[string]string) types.Importer {
	return goimporter.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no export data for %s", path)
		}
		return os.Open(files[path])
	})
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
