package diag

import (
	"embed"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
)

// codes holds a document for each code: what it means, a program that gets it,
// and how that program is put right. The tests of package check run both.
//
//go:embed codes/*.txtar
var codes embed.FS

// Codes returns all codes, sorted.
func Codes() []Code {
	entries, err := codes.ReadDir("codes")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	var list []Code
	for _, e := range entries {
		list = append(list, Code(strings.TrimSuffix(e.Name(), ".txtar")))
	}
	slices.Sort(list)
	return list
}

// Document returns the document of a code as an archive: a comment that
// explains it, files below wrong/ that get the code where they say "// want", and
// files below right/ that do not. It is nil for an unknown code.
func Document(code Code) *txtar.Archive {
	data, err := codes.ReadFile("codes/" + string(code) + ".txtar")
	if err != nil {
		return nil
	}
	return txtar.Parse(data)
}

var want = regexp.MustCompile(`(?m)[ \t]*// want .*$`)

// Explain writes what code means, with an example and its fix. It fails for an
// unknown code.
func Explain(w io.Writer, code Code) error {
	doc := Document(code)
	if doc == nil {
		return fmt.Errorf("unknown code %q; known are %s", code, Codes())
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s", code, doc.Comment)
	for _, kind := range []string{"wrong", "right"} {
		for _, f := range doc.Files {
			if name, ok := strings.CutPrefix(f.Name, kind+"/"); ok {
				fmt.Fprintf(&b, "\n%s: %s\n\n", kind, path.Base(name))
				b.WriteString(indent(mark(string(f.Data), code)))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mark shortens the expectations to the code.
func mark(source string, code Code) string {
	return want.ReplaceAllString(source, " // "+string(code))
}

func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) != "" {
			b.WriteString("\t")
		}
		b.WriteString(line)
	}
	return b.String()
}
