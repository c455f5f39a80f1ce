package check_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
	"github.com/onefold/onefold/frontend"
)

// FuzzFrontend feeds arbitrary Go to parser, type checker, Build and checks. They
// never panic; what the Go compiler accepts becomes a program or findings, and a
// program without findings keeps the IR's invariants.
func FuzzFrontend(f *testing.F) {
	for _, pattern := range []string{"testdata/*.txtar", "effects/testdata/*.txtar", "../lower/testdata/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds match %s", pattern)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(data))
		}
	}
	for _, code := range diag.Codes() {
		f.Add(strings.ReplaceAll(string(txtar.Format(diag.Document(code))), "wrong/", ""))
	}
	f.Fuzz(func(t *testing.T, text string) {
		src, diags := compiletest.Parse("fuzz", text).Source()
		if diags.HasErrors() {
			return
		}
		prog, diags := frontend.Build(src, frontend.BuildOptions{})
		opts := pass.Options{Verify: !diags.HasErrors()}
		if err := pass.Run(context.Background(), prog, diags, own(), opts); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := ir.Dump(&b, prog); err != nil {
			t.Fatal(err)
		}
	})
}
