package check

import (
	"path/filepath"
	"strings"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// foreign refuses what a rewritten copy of a package would lose: C and assembly,
// embedded files, symbols linked by name.
func foreign(u *pass.Unit) {
	c := newChecker(u)
	for _, pkg := range u.Prog.Packages {
		for _, name := range pkg.Other {
			c.errorf(pkg.Files[0].Syntax.Name.Pos(), diag.Foreign, "move it into a package without services and stored types",
				"package %s: has %s; only Go files can be rewritten", pkg.Name, filepath.Base(name))
		}
		for _, f := range pkg.Files {
			c.foreignFile(f)
		}
	}
}

func (c *checker) foreignFile(f *ir.File) {
	const fix = "move it into a package without services and stored types"
	for _, spec := range f.Syntax.Imports {
		switch spec.Path.Value {
		case `"C"`:
			c.errorf(spec.Pos(), diag.Foreign, fix, "import \"C\": cgo cannot be rewritten")
		case `"unsafe"`:
			c.errorf(spec.Pos(), diag.Unsafe, fix, "import \"unsafe\": state is not where it would be looked for")
		}
	}
	for _, group := range f.Syntax.Comments {
		for _, comment := range group.List {
			for _, name := range []string{"//go:embed", "//go:linkname"} {
				if comment.Text == name || strings.HasPrefix(comment.Text, name+" ") {
					c.errorf(comment.Pos(), diag.Foreign, fix, "directive %s: would point nowhere in the rewritten package", name)
				}
			}
		}
	}
}
