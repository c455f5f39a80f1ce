package inject_test

import (
	"bytes"
	"flag"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/instrument/inject"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// write writes the files of an archive but for its golden sections.
func write(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range a.Files {
		if strings.HasSuffix(f.Name, ".golden") {
			continue
		}
		writeFile(t, filepath.Join(dir, f.Name), f.Data)
	}
	return dir
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestGolden compares findings and rewritten files with the golden sections of each archive.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("gcc"); err != nil && strings.HasSuffix(name, "cgo.txtar") {
				t.Skip("no C compiler")
			}
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			dir := write(t, a)
			golden := &txtar.Archive{Comment: a.Comment}
			for _, f := range a.Files {
				if !strings.HasSuffix(f.Name, ".golden") {
					golden.Files = append(golden.Files, f)
				}
			}
			golden.Files = append(golden.Files, outcome(t, dir)...)
			got := txtar.Format(golden)
			if *update {
				writeFile(t, name, got)
				return
			}
			if diff := cmp.Diff(string(txtar.Format(a)), string(got)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

// outcome instruments a module and returns the findings and what is not the runtime's.
func outcome(t *testing.T, dir string) []txtar.File {
	t.Helper()
	res, err := inject.Instrument(t.Context(), inject.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var files []txtar.File
	var findings bytes.Buffer
	res.Diagnostics.Print(&findings, dir)
	if findings.Len() > 0 {
		files = append(files, txtar.File{Name: "findings.golden", Data: findings.Bytes()})
	}
	for _, f := range res.Files {
		rel, err := filepath.Rel(dir, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if formatted, err := format.Source(f.Data); err != nil || !bytes.Equal(formatted, f.Data) {
			t.Errorf("%s is not gofmt-ed: %v", rel, err)
		}
		if !strings.HasPrefix(rel, "internal") {
			files = append(files, txtar.File{Name: rel + ".golden", Data: bytes.ReplaceAll(f.Data, []byte(dir), []byte("DIR"))})
		}
	}
	return files
}

// TestTwice: what is instrumented already stays as it is, byte for byte.
func TestTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("builds many dependencies")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(corpusDir(t))); err != nil {
		t.Fatal(err)
	}
	first := instrumented(t, inject.Options{Dir: dir, Out: dir})
	for _, f := range first.Files {
		if bytes.Contains(f.Data, []byte("//line ")) {
			t.Errorf("%s has line directives to itself", f.Name)
		}
		writeFile(t, f.Name, f.Data)
	}
	second := instrumented(t, inject.Options{Dir: dir, Out: dir})
	for _, f := range second.Files {
		t.Errorf("%s changes again", f.Name)
	}
	if len(first.Sites) < 100 || len(first.Sites) != len(second.Sites) {
		t.Errorf("%d sites at first, then %d", len(first.Sites), len(second.Sites))
	}
}

// TestExplained: what onefold explain says of findings is true.
func TestExplained(t *testing.T) {
	for form, found := range map[string]bool{"wrong": true, "right": false} {
		a := txtar.Parse([]byte("-- go.mod --\nmodule example.com/shop\n\ngo 1.26\n"))
		for _, f := range diag.Document(diag.Instrument).Files {
			if name, ok := strings.CutPrefix(f.Name, form+"/"); ok {
				a.Files = append(a.Files, txtar.File{Name: name, Data: f.Data})
			}
		}
		res, err := inject.Instrument(t.Context(), inject.Options{Dir: write(t, a)})
		if err != nil {
			t.Fatal(err)
		}
		got := slices.ContainsFunc(res.Diagnostics.Sorted(), func(d diag.Diagnostic) bool { return d.Code == diag.Instrument })
		if got != found || len(a.Files) < 2 {
			t.Errorf("%s: findings %v", form, res.Diagnostics.Sorted())
		}
	}
}

// TestUnknown: patterns that name nothing, and packages of dependencies.
func TestUnknown(t *testing.T) {
	dir := write(t, txtar.Parse([]byte("-- go.mod --\nmodule example.com/shop\n-- main.go --\npackage main\n\nfunc main() {}\n")))
	for pattern, want := range map[string]string{"./nowhere": "directory not found", "net/http": "in no module"} {
		res, err := inject.Instrument(t.Context(), inject.Options{Dir: dir, Patterns: []string{pattern}})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		res.Diagnostics.Print(&b, dir)
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s: %q, want %q", pattern, b.String(), want)
		}
	}
}
