package effects_test

import (
	"strings"
	"testing"

	"github.com/onefold/onefold/compiler/check/effects"
	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/ir"
)

// Each archive's section "ir" is the dump after the pass.
func TestEffects(t *testing.T) {
	compiletest.Run(t, "testdata/*.txtar", func(t *testing.T, c *compiletest.Case) {
		prog, diags := c.Build(t)
		c.Want(t, diags)
		effects.Analyze(prog)
		if err := ir.Verify(prog); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := ir.Dump(&b, prog); err != nil {
			t.Fatal(err)
		}
		c.Golden(t, "ir", b.String())
	})
}
