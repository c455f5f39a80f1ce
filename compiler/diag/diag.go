// Package diag is the compiler's one form of finding: a positioned message with
// a code, related positions and a fix, collected, sorted and printed once.
package diag

import (
	"cmp"
	"fmt"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Severity tells errors, which stop the compiler before its next stage, from warnings.
type Severity uint8

// The severities.
const (
	Error Severity = iota
	Warning
)

// Diagnostic is one finding about a spec.
type Diagnostic struct {
	Pos      token.Position
	End      token.Position // optional
	Code     Code
	Severity Severity
	Message  string // the thing, what was found, what is wanted; lower case, no period
	Fix      string // what the user can do; may be empty
	Related  []Related
}

// Related is a second position that explains a diagnostic.
type Related struct {
	Pos     token.Position
	Message string
}

// Code names a kind of diagnostic. Every code is documented in codes.go.
type Code string

// List collects diagnostics. Its zero value is ready to use.
type List struct {
	items []Diagnostic
}

// Add appends d.
func (l *List) Add(d Diagnostic) { l.items = append(l.items, d) }

// Errorf appends an error at pos.
func (l *List) Errorf(pos token.Position, code Code, fix, format string, args ...any) {
	l.Add(Diagnostic{Pos: pos, Code: code, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// Warnf appends a warning at pos.
func (l *List) Warnf(pos token.Position, code Code, fix, format string, args ...any) {
	l.Add(Diagnostic{Pos: pos, Code: code, Severity: Warning, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// HasErrors reports whether any diagnostic is an error.
func (l *List) HasErrors() bool {
	return slices.ContainsFunc(l.items, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sorted returns the diagnostics by position, duplicates removed.
func (l *List) Sorted() []Diagnostic {
	out := slices.Clone(l.items)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Pos.Filename, b.Pos.Filename),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(out, func(a, b Diagnostic) bool {
		return a.Pos == b.Pos && a.Code == b.Code && a.Message == b.Message
	})
}

// Print writes the diagnostics to w, file names relative to dir where they are below it:
//
//	rel/path.go:12:3: field orders: chan int cannot be stored (unstorable)
//		fix: store the values, not the channel
//
// Build errors look as the Go compiler prints them, without a code.
func (l *List) Print(w io.Writer, dir string) {
	for _, d := range l.Sorted() {
		severity := ""
		if d.Severity == Warning {
			severity = "warning: "
		}
		code := ""
		if d.Code != Build {
			code = fmt.Sprintf(" (%s)", d.Code)
		}
		fmt.Fprintf(w, "%s: %s%s%s\n", position(d.Pos, dir), severity, d.Message, code)
		for _, r := range d.Related {
			fmt.Fprintf(w, "\t%s: %s\n", position(r.Pos, dir), r.Message)
		}
		if d.Fix != "" {
			fmt.Fprintf(w, "\tfix: %s\n", d.Fix)
		}
	}
}

func position(p token.Position, dir string) string {
	if rel, err := filepath.Rel(dir, p.Filename); dir != "" && err == nil && !strings.HasPrefix(rel, "..") {
		p.Filename = filepath.ToSlash(rel)
	}
	return p.String()
}
