package compiler_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler"
)

// TestApps compiles every application of testdata/apps twice: without findings
// but warnings, with equal output, which is also what is committed.
func TestApps(t *testing.T) {
	apps, err := filepath.Glob("../testdata/apps/*/doc.go")
	if err != nil || len(apps) == 0 {
		t.Fatalf("no applications: %v", err)
	}
	for _, doc := range apps {
		dir := filepath.Dir(doc)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			first, second := compile(t, dir), compile(t, dir)
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("compiling twice (-first +second):\n%s", diff)
			}
			for name, want := range first {
				got, err := os.ReadFile(filepath.Join(dir, "gen", filepath.FromSlash(name)))
				if err != nil {
					t.Errorf("not committed: %v; run go generate", err)
				} else if diff := cmp.Diff(string(got), want); diff != "" {
					t.Errorf("%s is stale; run go generate (-committed +generated):\n%s", name, diff)
				}
			}
		})
	}
}

func compile(t *testing.T, dir string) map[string]string {
	t.Helper()
	result, err := compiler.Compile(context.Background(), compiler.Options{Dir: dir, Patterns: []string{"./..."}})
	if err != nil {
		t.Fatal(err)
	}
	if result.Diagnostics.HasErrors() {
		result.Diagnostics.Print(os.Stderr, dir)
		t.Fatal("errors")
	}
	files := map[string]string{}
	for _, f := range result.Files {
		files[f.Name] = string(f.Data)
	}
	return files
}
