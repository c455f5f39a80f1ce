package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onefold/onefold/compiler/check"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
	"github.com/onefold/onefold/frontend"
)

const apps = "../../testdata/apps"

// The applications are accepted without any finding, loaded from disk as a user's are.
func TestApps(t *testing.T) {
	entries, err := os.ReadDir(apps)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			checkApp(t, filepath.Join(apps, e.Name()))
		})
	}
}

func checkApp(t *testing.T, dir string) {
	src, diags, err := frontend.Load(t.Context(), dir, []string{"./..."}, frontend.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var prog *ir.Program
	if !diags.HasErrors() {
		prog, diags = frontend.Build(src, frontend.BuildOptions{})
		if err := pass.Run(t.Context(), prog, diags, check.Passes(), pass.Options{Verify: true}); err != nil {
			t.Fatal(err)
		}
	}
	if len(diags.Sorted()) > 0 {
		t.Errorf("findings:\n%s", printed(diags, dir))
	}
	if len(prog.Services) == 0 {
		t.Error("no services found")
	}
}

func printed(diags *diag.List, dir string) string {
	var b strings.Builder
	abs, err := filepath.Abs(dir)
	if err != nil {
		panic(err)
	}
	diags.Print(&b, abs)
	return b.String()
}
