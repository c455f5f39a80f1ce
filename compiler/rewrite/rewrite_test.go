package rewrite_test

import (
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/rewrite"
)

// load parses and types source.
func load(t *testing.T, source string) (*rewrite.File, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, "p.go", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil), Error: func(error) {}}
	_, _ = conf.Check("p", fset, []*ast.File{syntax}, info)
	return rewrite.New(fset, syntax, []byte(source), info), syntax
}

// calls replaces every call of a function named old.
func calls(f *rewrite.File, syntax *ast.File, old, text string) {
	ast.Inspect(syntax, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == old {
				f.Replace("test", call, text, rewrite.Holes{"arg": call.Args[0]})
			}
		}
		return true
	})
}

func TestNestedEdits(t *testing.T) {
	f, syntax := load(t, `package p

// F is kept.
func F(x int) int {
	return old( /* deep */ old(x+1)) // behind
}

func old(x int) int { return x }
`)
	calls(f, syntax, "old", "next($arg)")
	got, err := f.Bytes("// Header.", "")
	if err != nil {
		t.Fatal(err)
	}
	want := `// Header.

package p

// F is kept.
func F(x int) int {
	return next(next(x + 1)) // behind
}

func old(x int) int { return x }
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImports(t *testing.T) {
	f, syntax := load(t, `package p

import (
	"fmt" // printing
	"sync"

	// spare is not there.
	spare "strings"
)

var mu sync.Mutex

func F(state int) { old(state); fmt.Println(spare.ToUpper("")) }

func old(x int) {}
`)
	f.Move("strings", "example.com/strings")
	name := f.Import("example.com/state", "state")
	calls(f, syntax, "old", name+".Set($arg)")
	if other := f.Import("example.com/strings", "strings"); other != "spare" {
		t.Errorf("Import of a moved package: %q, want the source's own name", other)
	}
	for _, d := range syntax.Decls {
		if gen, ok := d.(*ast.GenDecl); ok && gen.Tok == token.VAR {
			f.Replace("test", gen, "", nil)
		}
	}
	got, err := f.Bytes("", "")
	if err != nil {
		t.Fatal(err)
	}
	want := `package p

import (
	"fmt" // printing

	// spare is not there.
	spare "example.com/strings"

	state2 "example.com/state"
)

func F(state int) { state2.Set(state); fmt.Println(spare.ToUpper("")) }

func old(x int) {}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// lines holds what a line directive could get wrong: each call of
// line has its own line as argument.
const lines = `package p

import "sync"

// F is long.
func F(x int) (int,
	int) {


	mu.Lock()
	old(11)
	if x > 0 { line(12) }
	old(13); line(13)
	s := ` + "`raw\n15`" + `; line(15)
	two(16)
	line(17)
	g(func() {
		two(19)
		line(20) // behind
	},
		line(22),
		two(23), line(23))
	return line(24), /*
		in a comment */ line(25)
}

var mu sync.Mutex

// V has a value.
var V = line(31)

var (
	// W has one as well.
	W = line(35)
	w = two(36)
	z = line(37)
)

type T struct{}

func (T) M() { line(42) }
`

func TestLineDirectives(t *testing.T) {
	f, syntax := load(t, lines)
	calls(f, syntax, "two", "both(\nline($arg),\n1)")
	calls(f, syntax, "old", "v := $arg\nline(v + 0*$arg)")
	ast.Inspect(syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.ExprStmt); ok && strings.HasPrefix(f.Original(s), "mu.") {
			f.Replace("test", s, "", nil)
		}
		return true
	})
	out, err := f.Bytes("// Header.", "../spec/p.go")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := format.Source(out); err != nil || string(again) != string(out) {
		t.Errorf("output is not gofmt-ed (-formatted +got):\n%s", cmp.Diff(string(again), string(out)))
	}
	checkLines(t, out)
}

var lineCall = regexp.MustCompile(`line\((?:v \+ 0\*)?(\d+)\)`)

// checkLines compares where each call of line stands, directives obeyed, with its argument.
func checkLines(t *testing.T, out []byte) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "gen/p.go", out, parser.ParseComments)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		text := string(out[fset.PositionFor(call.Pos(), false).Offset:fset.PositionFor(call.End(), false).Offset])
		if m := lineCall.FindStringSubmatch(text); m != nil && strings.HasPrefix(text, "line(") {
			found++
			want, _ := strconv.Atoi(m[1])
			if pos := fset.Position(call.Pos()); pos.Line != want || pos.Filename != "spec/p.go" {
				t.Errorf("%s is at %s, want spec/p.go:%d", text, pos, want)
			}
		}
		return true
	})
	if want := 19; found != want {
		t.Errorf("found %d calls of line, want %d", found, want)
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}

func TestTwoPassesClash(t *testing.T) {
	f, syntax := load(t, "package p\n\nvar x = 1\n")
	f.Replace("first", syntax.Decls[0], "var x = 2", nil)
	defer func() {
		want := "rewrite: p.go:3:1: pass second replaces what pass first replaced"
		if got := recover(); got != want {
			t.Errorf("panic %v, want %v", got, want)
		}
	}()
	f.Replace("second", syntax.Decls[0], "var x = 3", nil)
}

func TestUnparsable(t *testing.T) {
	f, syntax := load(t, "package p\n\nvar x = 1\n")
	f.Replace("test", syntax.Decls[0], "var x = (", nil)
	_, err := f.Bytes("", "")
	if err == nil || !strings.Contains(err.Error(), "4\tvar x = (") {
		t.Errorf("error %v, want the text with line numbers", err)
	}
}

func TestFresh(t *testing.T) {
	f, syntax := load(t, "package p\n\nfunc F(v int) { v2 := v; _ = v2 }\n")
	if got := f.Fresh(syntax.Decls[0], "v") + f.Fresh(syntax.Decls[0], "v") + f.Fresh(syntax.Decls[0], "w"); got != "v3v4w" {
		t.Errorf("got %s, want v3v4w", got)
	}
}

// TestForeignBytes: a byte order mark may not end up in the middle, and line ends
// of Windows become those of gofmt.
func TestForeignBytes(t *testing.T) {
	f, syntax := load(t, "\uFEFF// License.\r\n\r\n// Package p is it.\r\npackage p\r\n\r\nvar x = old(`a\r\nb`) // behind\r\n\r\nfunc old(s string) string { return s }\r\n")
	calls(f, syntax, "old", "next($arg)")
	got, err := f.Bytes("// Header.", "")
	if err != nil {
		t.Fatal(err)
	}
	want := "// Header.\n\n// License.\n\n// Package p is it.\npackage p\n\nvar x = next(`a\nb`) // behind\n\nfunc old(s string) string { return s }\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
