package rewrite

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// codeLines reports which lines of src hold code that runs: function
// declarations and the values of package variables. Only there do line
// directives matter, and only there are they written.
func codeLines(src []byte) []bool {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		panic(fmt.Sprintf("rewrite: formatted output does not parse: %v", err))
	}
	code := make([]bool, bytes.Count(src, []byte("\n"))+2)
	for _, d := range file.Decls {
		if gen, ok := d.(*ast.GenDecl); ok && gen.Tok != token.VAR {
			continue
		}
		first, last := fset.PositionFor(d.Pos(), false).Line, fset.PositionFor(d.End(), false).Line
		for l := first; l <= last; l++ {
			code[l] = true
		}
	}
	return code
}

// insertDirectives puts a line directive above each line that would otherwise
// count as another line than the one it comes from.
func insertDirectives(out []byte, origin []int, name string) []byte {
	var b bytes.Buffer
	next, known := 0, false
	number := 0
	for line := range bytes.Lines(out) {
		number++
		if want := origin[number]; want != 0 && (!known || want != next) {
			fmt.Fprintf(&b, "//line %s:%d\n", name, want)
			next, known = want, true
		}
		b.Write(line)
		next++
	}
	return b.Bytes()
}

// unparsable shows text that is no Go, which only a wrong template can bring about.
func unparsable(text []byte, err error) error {
	var b strings.Builder
	number := 0
	for line := range bytes.Lines(text) {
		number++
		fmt.Fprintf(&b, "%5d\t%s", number, line)
	}
	return fmt.Errorf("rewritten source does not parse: %w\n%s", err, b.String())
}
