package lower_test

import (
	"context"
	"path"
	"testing"

	"github.com/onefold/onefold/compiler/check/effects"
	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/lower"
	"github.com/onefold/onefold/compiler/names"
	"github.com/onefold/onefold/compiler/pass"
)

// TestGolden lowers each archive of testdata; the section want/x.go is what the
// file x.go becomes. Archives with want comments are refused instead. That the
// output builds, and does what the archive's Go does, is tested by package compiler.
func TestGolden(t *testing.T) {
	compiletest.Run(t, "testdata/*.txtar", func(t *testing.T, c *compiletest.Case) {
		prog, diags := c.Build(t)
		if !diags.HasErrors() {
			effects.Analyze(prog)
			lowered := lower.New(prog, names.New(prog))
			if err := pass.Run(context.Background(), prog, diags, lowered.Passes(), pass.Options{Verify: true}); err != nil {
				t.Fatal(err)
			}
			if !diags.HasErrors() {
				golden(t, c, lowered, prog.Packages)
			}
		}
		c.Want(t, diags)
	})
}

func golden(t *testing.T, c *compiletest.Case, lowered *lower.Program, packages []*ir.Package) {
	for _, pkg := range packages {
		for _, f := range pkg.Files {
			out, err := lowered.File(f).Bytes("", "")
			if err != nil {
				t.Errorf("%s: %v", f.Name, err)
				continue
			}
			c.Golden(t, path.Join("want", f.Name), string(out))
		}
	}
}
