package check_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/pass"
	"github.com/onefold/onefold/frontend"
)

var (
	mutants = flag.Int("mutants", 5, "mutants of each archive")
	seed    = flag.Uint64("seed", 1, "seed of the mutants")
)

// Specs with lines dropped, doubled and moved, and with words exchanged, are
// often valid Go of shapes that nobody thought of. No pass panics on them.
func TestMutants(t *testing.T) {
	archives := map[string]*txtar.Archive{}
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if archives[file], err = txtar.ParseFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for _, code := range diag.Codes() {
		archives[string(code)] = diag.Document(code)
	}
	compiled := 0
	for name, archive := range archives {
		rnd := rand.New(rand.NewPCG(*seed, uint64(len(name))))
		for range *mutants {
			mutant := &txtar.Archive{}
			for _, f := range archive.Files {
				f.Name = strings.TrimPrefix(f.Name, "wrong/")
				f.Data = []byte(mutate(rnd, string(f.Data)))
				mutant.Files = append(mutant.Files, f)
			}
			if survives(t, name, mutant) {
				compiled++
			}
		}
	}
	if compiled == 0 {
		t.Error("no mutant compiled")
	}
	t.Logf("seed %d: %d mutants compiled", *seed, compiled)
}

// survives runs all passes on a mutant, and reports whether it was valid Go.
func survives(t *testing.T, name string, mutant *txtar.Archive) bool {
	defer func() {
		if err := recover(); err != nil {
			t.Logf("seed %d, mutant of %s:\n%s", *seed, name, txtar.Format(mutant))
			panic(err)
		}
	}()
	src, diags := compiletest.Of(name, mutant).Source()
	if diags.HasErrors() {
		return false
	}
	prog, diags := frontend.Build(src, frontend.BuildOptions{})
	if err := pass.Run(context.Background(), prog, diags, own(), pass.Options{Verify: !diags.HasErrors()}); err != nil {
		t.Fatal(err)
	}
	return true
}

// mutate changes one or two lines of source.
func mutate(rnd *rand.Rand, source string) string {
	lines := strings.SplitAfter(source, "\n")
	for range 1 + rnd.IntN(2) {
		i, j := rnd.IntN(len(lines)), rnd.IntN(len(lines))
		switch rnd.IntN(4) {
		case 0:
			lines[i] = ""
		case 1:
			lines[i] += lines[i]
		case 2:
			lines[i], lines[j] = lines[j], lines[i]
		case 3:
			a, b := strings.Fields(lines[i]), strings.Fields(lines[j])
			if len(a) > 0 && len(b) > 0 {
				lines[i] = strings.Replace(lines[i], a[rnd.IntN(len(a))], b[rnd.IntN(len(b))], 1)
			}
		}
	}
	return strings.Join(lines, "")
}
