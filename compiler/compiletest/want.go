package compiletest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/onefold/onefold/compiler/diag"
)

// line is one line of one file.
type line struct {
	file string
	n    int
}

// Want compares the findings with the archive's want comments.
func (c *Case) Want(t testing.TB, diags *diag.List) {
	t.Helper()
	wants := c.wants(t)
	for _, d := range diags.Sorted() {
		at := line{d.Pos.Filename, d.Pos.Line}
		got := fmt.Sprintf("%s (%s)", d.Message, d.Code)
		if i := match(wants[at], got); i >= 0 {
			wants[at] = append(wants[at][:i:i], wants[at][i+1:]...)
		} else {
			t.Errorf("%s: unexpected: %s", d.Pos, got)
		}
	}
	for at, res := range wants {
		for _, re := range res {
			t.Errorf("%s:%d: no finding matches %q", at.file, at.n, re)
		}
	}
}

func match(res []*regexp.Regexp, got string) int {
	for i, re := range res {
		if re.MatchString(got) {
			return i
		}
	}
	return -1
}

var quoted = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")

// wants returns the expectations of all Go files by line.
func (c *Case) wants(t testing.TB) map[line][]*regexp.Regexp {
	wants := map[line][]*regexp.Regexp{}
	for _, f := range c.archive.Files {
		n := 0
		for text := range strings.Lines(string(f.Data)) {
			n++
			_, comment, ok := strings.Cut(text, "// want ")
			if !ok || !strings.HasSuffix(f.Name, ".go") {
				continue
			}
			for _, q := range quoted.FindAllString(comment, -1) {
				re, err := regexp.Compile(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`))
				if err != nil {
					t.Fatalf("%s:%d: %v", f.Name, n, err)
				}
				wants[line{f.Name, n}] = append(wants[line{f.Name, n}], re)
			}
		}
	}
	return wants
}
