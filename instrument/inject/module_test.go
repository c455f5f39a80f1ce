package inject_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/onefold/onefold/instrument/inject"
)

// TestModule: a module passes its own tests when it is instrumented, its stacks show
// its own lines, and none of its files is touched.
func TestModule(t *testing.T) {
	a, err := txtar.ParseFile("testdata/module/old.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := write(t, a)
	over := overlay(t, instrumented(t, inject.Options{Dir: dir}))
	// go vet wants to work in folders that are not on disk.
	goCommand(t, dir, "test", "-vet=off", "-overlay", over, "./shop")
	binary := filepath.Join(t.TempDir(), "program")
	goCommand(t, dir, "build", "-overlay", over, "-o", binary)
	p := startProgram(t, binary)
	for _, w := range []want{{method: "GET", path: "/a", status: "broken"}, {method: "GET", path: "/dep", status: "200"}} {
		if err := p.send(t.Context(), clientFor("http"), w); err != nil {
			t.Error(err)
		}
	}
	// A dependency is not rewritten, and the muxes of old Go do not tell the pattern.
	if diff := cmp.Diff(map[string]int64{"/a": 1, "(no route)": 1}, p.counted()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if want := filepath.Join(dir, "shop", "shop.go") + ":25 "; !strings.Contains(p.output(), want) {
		t.Errorf("the stack does not show %s:\n%s", want, p.output())
	}
	for _, f := range a.Files {
		if data, err := os.ReadFile(filepath.Join(dir, f.Name)); err != nil || string(data) != string(f.Data) {
			t.Errorf("%s was touched: %v", f.Name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "internal")); err == nil {
		t.Error("the runtime was written into the module")
	}
}
