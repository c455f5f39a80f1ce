// Package compiletest tests compiler passes on txtar archives, in memory. An
// archive's comment tells the story; its Go files are the spec; a comment
//
//	// want "regexp" "another"
//
// expects one finding each on its line, matched against "message (code)"; other
// sections, named by the test, are golden text that -update rewrites.
package compiletest

import (
	"flag"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/frontend"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// Module is the module path of an archive's packages: the file hotel/hotel.go
// is in package Module/hotel.
const Module = "example.com/app"

// Case is one txtar archive.
type Case struct {
	Name    string // the file's name without folder and extension
	file    string
	archive *txtar.Archive
	changed bool
}

// Run runs test on every archive that pattern names, each as a subtest, and
// rewrites the archives whose golden sections changed under -update.
func Run(t *testing.T, pattern string, test func(t *testing.T, c *Case)) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives match %s", pattern)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := &Case{Name: name, file: file, archive: archive}
			test(t, c)
			c.save(t)
		})
	}
}

// Parse returns the case that text holds, for tests without files.
func Parse(name, text string) *Case {
	return Of(name, txtar.Parse([]byte(text)))
}

// Of returns the case that archive holds.
func Of(name string, archive *txtar.Archive) *Case {
	return &Case{Name: name, archive: archive}
}

// Under returns a case of the archive's files below a folder.
func (c *Case) Under(folder string) *Case {
	sub := &txtar.Archive{}
	for _, f := range c.archive.Files {
		if name, ok := strings.CutPrefix(f.Name, folder+"/"); ok {
			sub.Files = append(sub.Files, txtar.File{Name: name, Data: f.Data})
		}
	}
	return &Case{Name: c.Name + "/" + folder, archive: sub}
}

func (c *Case) save(t *testing.T) {
	if !c.changed {
		return
	}
	if err := os.WriteFile(c.file, txtar.Format(c.archive), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Source parses and types the archive's Go files.
func (c *Case) Source() (*frontend.Source, *diag.List) {
	src := &frontend.Source{Fset: token.NewFileSet()}
	diags := new(diag.List)
	byPath := map[string]*frontend.Package{}
	for _, f := range c.archive.Files {
		if path.Ext(f.Name) != ".go" || strings.HasPrefix(f.Name, "want/") || strings.HasSuffix(f.Name, "_test.go") {
			continue
		}
		file := &frontend.File{Name: f.Name, Source: f.Data}
		file.Parse(src.Fset, diags)
		importPath := path.Join(Module, path.Dir(f.Name))
		if byPath[importPath] == nil {
			byPath[importPath] = &frontend.Package{Path: importPath, Dir: path.Dir(f.Name)}
			src.Packages = append(src.Packages, byPath[importPath])
		}
		byPath[importPath].Files = append(byPath[importPath].Files, file)
	}
	if diags.HasErrors() {
		return src, diags
	}
	src.Packages = sorted(src.Packages, byPath)
	imp, err := libraries(src.Fset)
	if err != nil {
		panic(err)
	}
	src.Typecheck(imp, diags)
	return src, diags
}

// sorted returns pkgs with dependencies first.
func sorted(pkgs []*frontend.Package, byPath map[string]*frontend.Package) []*frontend.Package {
	var out []*frontend.Package
	seen := map[*frontend.Package]bool{}
	var visit func(p *frontend.Package)
	visit = func(p *frontend.Package) {
		if p == nil || seen[p] {
			return
		}
		seen[p] = true
		for _, f := range p.Files {
			for _, imp := range f.Syntax.Imports {
				visit(byPath[strings.Trim(imp.Path.Value, "\"`")])
			}
		}
		out = append(out, p)
	}
	for _, p := range pkgs {
		visit(p)
	}
	return out
}

// Build returns the program of the archive's Go files. Build errors fail the
// test; what the frontend refuses is in the list.
func (c *Case) Build(t testing.TB) (*ir.Program, *diag.List) {
	t.Helper()
	src, diags := c.Source()
	if diags.HasErrors() {
		t.Fatalf("%s does not compile:\n%s", c.Name, text(diags))
	}
	return frontend.Build(src, frontend.BuildOptions{Base: Module})
}

// Section returns the named section, and whether the archive has it.
func (c *Case) Section(name string) (string, bool) {
	i := c.section(name)
	if i < 0 {
		return "", false
	}
	return string(c.archive.Files[i].Data), true
}

func (c *Case) section(name string) int {
	return slices.IndexFunc(c.archive.Files, func(f txtar.File) bool { return f.Name == name })
}

// Golden compares got with the named section; under -update it replaces the
// section, adding it where missing.
func (c *Case) Golden(t testing.TB, name, got string) {
	t.Helper()
	i := c.section(name)
	if *update {
		if i < 0 {
			c.archive.Files = append(c.archive.Files, txtar.File{Name: name})
			i = len(c.archive.Files) - 1
		}
		c.archive.Files[i].Data, c.changed = []byte(got), true
		return
	}
	want, _ := c.Section(name)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: section %s (-want +got):\n%s", c.Name, name, diff)
	}
}

func text(diags *diag.List) string {
	var b strings.Builder
	diags.Print(&b, "")
	return b.String()
}
