package alias_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/check/alias"
	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/diag"
)

func TestCheck(t *testing.T) {
	compiletest.Run(t, "testdata/*.txtar", func(t *testing.T, c *compiletest.Case) {
		prog, diags := c.Build(t)
		alias.Check(prog, diags)
		c.Want(t, diags)
		again, other := c.Build(t)
		alias.Check(again, other)
		if diff := cmp.Diff(text(diags), text(other)); diff != "" {
			t.Errorf("a second run differs (-first +second):\n%s", diff)
		}
	})
}

func text(diags *diag.List) string {
	var b strings.Builder
	diags.Print(&b, "")
	return b.String()
}
