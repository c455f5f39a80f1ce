package compiler_test

import (
	"bytes"
	"context"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/tools/txtar"

	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/compiler/ir"
)

// TestMeaning compiles the archives of package lower into one module, builds and
// vets that, and sends random requests to each archive's plain services and to
// its compiled ones, in one process and in many, whose replies and states must be
// equal. Archives with workflows have a script of their own.
func TestMeaning(t *testing.T) {
	archives, err := filepath.Glob("lower/testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	dir := t.TempDir()
	writeModule(t, dir)
	var tests testFile
	for _, file := range archives {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if unpack(t, filepath.Join(dir, name), file) {
			if prog := compileCase(t, dir, name); prog != nil && !prog.Durable() {
				tests.add(name, prog)
			}
		}
	}
	writeFile(t, filepath.Join(dir, "meaning_test.go"), tests.source(t))
	panics(t, dir)
	goCommand(t, dir, "vet", "./...")
	goCommand(t, dir, "test", "-timeout=10m", ".")
}

// panics compiles a spec that panics in every kind of rewritten statement, with a
// test that each panic shows the same lines of the spec as in plain Go.
func panics(t *testing.T, dir string) {
	t.Helper()
	for from, to := range map[string]string{"lines.txt": "lines/lines/lines.go", "lines_test.txt": "lines_test.go"} {
		data, err := os.ReadFile(filepath.Join("testdata", "lines", from))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, filepath.FromSlash(to)), data)
	}
	compileCase(t, dir, "lines")
}

// writeModule writes a go.mod that requires what this module does, and this module.
func writeModule(t *testing.T, dir string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/onefold/onefold"
	for _, err := range []error{mod.AddModuleStmt("example.com/app"), mod.AddRequire(module, "v0.0.0"), mod.AddReplace(module, "", root, "")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range mod.Tool {
		if err := mod.DropTool(tool.Path); err != nil {
			t.Fatal(err)
		}
	}
	mod.Cleanup()
	out, err := mod.Format()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "go.mod"), out)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "go.sum"), sum)
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

// scriptFile is an archive's own test, of package app_test: a simulation of its workflows. The
// state that it compares depends on no order of messages, which have none.
const scriptFile = "script_test.go"

// unpack writes the specs of an archive below dir. It reports false for an
// archive that is to be refused.
func unpack(t *testing.T, dir, file string) bool {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	imports := []byte(`"example.com/app/` + filepath.Base(dir) + `/`)
	for _, f := range archive.Files {
		if bytes.Contains(f.Data, []byte("// want ")) {
			return false
		}
	}
	for _, f := range archive.Files {
		if path.Ext(f.Name) == ".go" && !strings.HasPrefix(f.Name, "want/") {
			data := bytes.ReplaceAll(f.Data, []byte(`"example.com/app/`), imports)
			name := filepath.Join(dir, filepath.FromSlash(f.Name))
			if f.Name == scriptFile {
				name = dir + "_" + f.Name // all tests are one package: that links once
			}
			writeFile(t, name, data)
		}
	}
	return true
}

// compileCase compiles one archive and writes the output; it returns nil for one that is refused.
func compileCase(t *testing.T, dir, name string) *ir.Program {
	t.Helper()
	result, err := compiler.Compile(context.Background(), compiler.Options{Dir: filepath.Join(dir, name), Patterns: []string{"./..."}})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if result.Diagnostics.HasErrors() {
		var b strings.Builder
		result.Diagnostics.Print(&b, dir)
		t.Errorf("%s is refused:\n%s", name, &b)
		return nil
	}
	for _, f := range result.Files {
		writeFile(t, filepath.Join(result.Out, filepath.FromSlash(f.Name)), f.Data)
	}
	return result.Program
}

// testFile is a test of all archives.
type testFile struct{ imports, tests bytes.Buffer }

func (f *testFile) add(name string, prog *ir.Program) {
	var parts []string
	for i, s := range prog.Services {
		pkg := fmt.Sprintf("%s%d", name, i)
		fmt.Fprintf(&f.imports, "%s %q\n", pkg, s.Pkg.Path)
		if s.Constructor != nil {
			parts = append(parts, pkg+"."+s.Constructor.Func.Name())
		} else {
			parts = append(parts, "new("+pkg+"."+s.Name+")")
		}
	}
	fmt.Fprintf(&f.imports, "%s %q\n", name+"gen", path.Join("example.com/app", name, "gen"))
	fmt.Fprintf(&f.tests, "\nfunc Test%s(t *testing.T) {\n", strings.ToUpper(name[:1])+name[1:])
	fmt.Fprintf(&f.tests, "plain := onefoldtest.New(t, %s)\n", strings.Join(parts, ", "))
	fmt.Fprintf(&f.tests, "onefoldtest.Differential(t, plain, %sgen.App(), onefoldtest.Options{Seed: 1, Steps: 400})\n", name)
	if len(parts) > 1 {
		fmt.Fprintf(&f.tests, "onefoldtest.Differential(t, plain, %sgen.App(), onefoldtest.Options{Seed: 2, Steps: 100, Processes: true})\n", name)
	}
	fmt.Fprint(&f.tests, "}\n")
}

func (f *testFile) source(t *testing.T) []byte {
	t.Helper()
	text := "package app_test\n\nimport (\n\"testing\"\n\n\"github.com/onefold/onefold/onefoldtest\"\n" + f.imports.String() + ")\n" + f.tests.String()
	out, err := format.Source([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

func goCommand(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
