package check_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/onefold/onefold/compiler/check"
	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// run builds the archive's program and runs the passes on it.
func run(t testing.TB, c *compiletest.Case, passes []*pass.Pass) (*ir.Program, *diag.List) {
	t.Helper()
	prog, diags := c.Build(t)
	if err := pass.Run(context.Background(), prog, diags, passes, pass.Options{Verify: !diags.HasErrors()}); err != nil {
		t.Fatal(err)
	}
	return prog, diags
}

// own returns the passes of this package; the alias pass has tests of its own.
func own() []*pass.Pass {
	return slices.DeleteFunc(check.Passes(), func(p *pass.Pass) bool { return p.Name == "alias" })
}

// The findings stand in want comments; where a section "findings" is there, it
// holds all of their text, related positions and fixes included.
func TestChecks(t *testing.T) {
	compiletest.Run(t, "testdata/*.txtar", func(t *testing.T, c *compiletest.Case) {
		_, diags := run(t, c, own())
		c.Want(t, diags)
		if _, ok := c.Section("findings"); ok {
			var b strings.Builder
			diags.Print(&b, "")
			c.Golden(t, "findings", b.String())
		}
	})
}
