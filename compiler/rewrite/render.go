package rewrite

import (
	"fmt"
	"go/ast"
	"go/token"
	"sort"
	"strings"
)

// renderer writes nodes with their edits and remembers which source line every
// byte of the output comes from.
type renderer struct {
	file  *File
	out   []byte
	marks []mark
}

// mark says where the output from offset out on comes from: a copy of the source
// from offset src on, or the text of a template that stands for source line.
type mark struct {
	out  int
	src  int // -1 for the text of a template
	line int
}

// node renders n with its own edit, if it has one.
func (r *renderer) node(n ast.Node) {
	if e := r.file.edits[n]; e != nil {
		r.edit(e)
		return
	}
	if in, ok := n.(Inside); ok {
		n = in.Node
	}
	at := n.Pos()
	for _, e := range r.file.below(n) {
		r.copy(at, e.node.Pos())
		r.edit(e)
		at = e.node.End()
	}
	r.copy(at, n.End())
}

func (r *renderer) copy(from, to token.Pos) {
	if from >= to {
		return
	}
	src := r.file.offset(from)
	r.marks = append(r.marks, mark{out: len(r.out), src: src})
	r.out = append(r.out, r.file.source[src:r.file.offset(to)]...)
}

// edit renders the template of e. Text of the template counts as standing on the
// line where the source before it ended; after a line break it is the first line
// of the node again, where a new statement of the template begins.
func (r *renderer) edit(e *edit) {
	first := r.file.line(e.node.Pos())
	r.fragment(e.Fragment, e.pass, first, first)
}

// fragment renders a filled template that begins on line; it returns the line at its end.
func (r *renderer) fragment(f Fragment, pass string, line, first int) int {
	for _, p := range f.template {
		if !p.hole {
			line = r.text(p.text, line, first)
			continue
		}
		switch h := f.holes[p.text].(type) {
		case string:
			line = r.text(h, line, first)
		case Fragment:
			line = r.fragment(h, pass, line, first)
		case ast.Node:
			r.node(h)
			line = r.file.line(h.End())
		default:
			panic(fmt.Sprintf("rewrite: pass %s: hole %s: %T is neither a node nor text", pass, p.text, h))
		}
	}
	return line
}

// text writes s as standing on line, and on first after a line break; it returns
// the line at its end.
func (r *renderer) text(s string, line, first int) int {
	for rest := s; rest != ""; {
		before, after, broken := strings.Cut(rest, "\n")
		r.marks = append(r.marks, mark{out: len(r.out), src: -1, line: line})
		r.out = append(r.out, before...)
		if broken {
			r.out = append(r.out, '\n')
			line = first
		}
		rest = after
	}
	return line
}

// copied reports whether the output holds the source at offset src.
func (r *renderer) copied(src int) bool {
	for i, m := range r.marks {
		end := len(r.out)
		if i+1 < len(r.marks) {
			end = r.marks[i+1].out
		}
		if m.src >= 0 && m.src <= src && src < m.src+end-m.out {
			return true
		}
	}
	return false
}

// origin returns the source line of the output at offset out.
func (r *renderer) origin(out int) int {
	i := sort.Search(len(r.marks), func(i int) bool { return r.marks[i].out > out }) - 1
	m := r.marks[i]
	if m.src < 0 {
		return m.line
	}
	pos := r.file.tok.Pos(m.src + out - m.out)
	return r.file.line(pos)
}
