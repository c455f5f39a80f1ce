package check_test

import (
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/check"
	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/diag"
)

// Every code's document is true: the wrong program gets the findings it says,
// among them the code, and the right one gets none.
func TestCodes(t *testing.T) {
	for _, code := range diag.Codes() {
		if code == diag.Instrument {
			continue // its programs are no specs; package inject tests them
		}
		t.Run(string(code), func(t *testing.T) {
			doc := compiletest.Of(string(code), diag.Document(code))
			wrong := doc.Under("wrong")
			diags := findings(t, wrong)
			wrong.Want(t, diags)
			if !slices.ContainsFunc(diags.Sorted(), func(d diag.Diagnostic) bool { return d.Code == code }) {
				t.Errorf("the wrong program does not get %s", code)
			}
			right := doc.Under("right")
			right.Want(t, findings(t, right))
		})
	}
}

func findings(t *testing.T, c *compiletest.Case) *diag.List {
	if _, diags := c.Source(); diags.HasErrors() {
		return diags
	}
	_, diags := run(t, c, check.Passes())
	return diags
}

// Every declared code has a document, and every document a declared code.
func TestCodesDocumented(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../diag/codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []diag.Code
	for name := range file.Scope.Objects {
		declared = append(declared, diag.Code(strings.ToLower(name)))
	}
	slices.Sort(declared)
	if diff := cmp.Diff(declared, diag.Codes()); diff != "" {
		t.Errorf("codes and documents differ (-declared +documented):\n%s", diff)
	}
}

// Every finding of the documents has a message as STYLE wants it, and a fix.
func TestFindingsHaveFixes(t *testing.T) {
	message := regexp.MustCompile(`^[a-zA-Z"(][^\n]*[^.\n]$`)
	for _, code := range diag.Codes() {
		doc := compiletest.Of(string(code), diag.Document(code))
		for _, d := range findings(t, doc.Under("wrong")).Sorted() {
			if d.Fix == "" && d.Code != diag.Build {
				t.Errorf("%s: no fix: %s", d.Pos, d.Message)
			}
			if !message.MatchString(d.Message) || !d.Pos.IsValid() {
				t.Errorf("%s: malformed: %q", d.Pos, d.Message)
			}
		}
	}
}
