package diag_test

import (
	"go/token"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/diag"
)

func TestPrint(t *testing.T) {
	var l diag.List
	at := func(file string, line, col int) token.Position {
		return token.Position{Filename: file, Line: line, Column: col}
	}
	l.Warnf(at("/w/b.go", 1, 1), diag.Order, "", "names: in any order")
	l.Add(diag.Diagnostic{
		Pos: at("/w/a.go", 12, 3), Code: diag.Unstorable, Message: "field orders: chan int cannot be stored", Fix: "store the values",
		Related: []diag.Related{{Pos: at("/w/c.go", 2, 2), Message: "the field"}},
	})
	l.Errorf(at("/w/a.go", 12, 3), diag.Unstorable, "store the values", "field orders: %s cannot be stored", "chan int")
	l.Errorf(at("/elsewhere/z.go", 3, 4), diag.Build, "", "undefined: x")
	var b strings.Builder
	l.Print(&b, "/w")
	want := `/elsewhere/z.go:3:4: undefined: x
a.go:12:3: field orders: chan int cannot be stored (unstorable)
	c.go:2:2: the field
	fix: store the values
b.go:1:1: warning: names: in any order (order)
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("print (-want +got):\n%s", diff)
	}
	if !l.HasErrors() {
		t.Error("list with errors reports none")
	}
}

func TestExplain(t *testing.T) {
	for _, code := range diag.Codes() {
		var b strings.Builder
		if err := diag.Explain(&b, code); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{string(code) + "\n\n", "\nwrong: ", "// " + string(code) + "\n", "\nright: "} {
			if !strings.Contains(b.String(), part) {
				t.Errorf("explanation of %s lacks %q", code, part)
			}
		}
		if strings.Contains(b.String(), "// want") {
			t.Errorf("explanation of %s shows expectations", code)
		}
	}
	if err := diag.Explain(&strings.Builder{}, "nonsense"); err == nil {
		t.Error("nonsense is explained")
	}
}
