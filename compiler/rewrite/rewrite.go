// Package rewrite changes Go source by edits that are keyed by syntax nodes. An
// edit is Go text with named holes, and a hole is filled with another node of the
// same file, rendered with the edits below it. What no edit touches is copied
// byte for byte, so comments and formatting stay, and the syntax tree itself is
// never changed, so that type information holds for every pass.
package rewrite

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
)

// Holes fills the holes of a template by name: with an ast.Node of the file,
// with a Span of its source, with a Fragment, or with Go text as a string.
type Holes map[string]any

// Fragment is a filled template that fills a hole of another one.
type Fragment struct {
	template template
	holes    Holes
}

// Compose returns the template text with its holes filled.
func Compose(text string, holes Holes) Fragment {
	return Fragment{parseTemplate(text), holes}
}

// Span is a stretch of the source, rendered with the edits inside it.
type Span struct{ From, To token.Pos }

// Pos and End make a Span an ast.Node.
func (s Span) Pos() token.Pos { return s.From }

// End returns the position after the span.
func (s Span) End() token.Pos { return s.To }

// Inside is a node rendered without its own edit, but with the edits below it. It
// lets the template of a node refer to that node.
type Inside struct{ ast.Node }

// File is one source file and the edits to make in it.
type File struct {
	fset    *token.FileSet
	tok     *token.File
	syntax  *ast.File
	source  []byte
	edits   map[ast.Node]*edit
	info    *types.Info
	imports imports
	idents  map[string]bool              // all identifiers of the file
	defs    map[string]bool              // those that it declares, imports left out
	scopes  map[ast.Node]map[string]bool // names taken, for Fresh
}

// edit replaces one node.
type edit struct {
	node ast.Node
	pass string // who asked for it
	Fragment
}

// New returns source, parsed as syntax and typed as info says, without any edits.
func New(fset *token.FileSet, syntax *ast.File, source []byte, info *types.Info) *File {
	f := &File{
		fset:   fset,
		tok:    fset.File(syntax.FileStart),
		syntax: syntax,
		source: source,
		edits:  map[ast.Node]*edit{},
		info:   info,
		idents: map[string]bool{},
		defs:   map[string]bool{},
		scopes: map[ast.Node]map[string]bool{},
	}
	ast.Inspect(syntax, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			f.idents[id.Name] = true
			if obj, ok := info.Defs[id]; ok {
				if _, ok := obj.(*types.PkgName); !ok {
					f.defs[id.Name] = true
				}
			}
		}
		return true
	})
	f.imports = importsOf(syntax, info)
	return f
}

// Replace makes n render as the template text. A hole is written $name, a dollar
// sign $$. The name of the pass appears when two passes want to replace the same node, which
// is a bug in the compiler and panics.
func (f *File) Replace(pass string, n ast.Node, text string, holes Holes) {
	if old := f.edits[n]; old != nil {
		panic(fmt.Sprintf("rewrite: %s: pass %s replaces what pass %s replaced", f.fset.Position(n.Pos()), pass, old.pass))
	}
	frag := Compose(text, holes)
	for _, name := range frag.template.holes() {
		if _, ok := holes[name]; !ok {
			panic(fmt.Sprintf("rewrite: pass %s: template %q: hole %s is not filled", pass, text, name))
		}
	}
	f.edits[n] = &edit{node: n, pass: pass, Fragment: frag}
}

// Reserve keeps Import and Fresh from using the given names.
func (f *File) Reserve(names []string) {
	for _, name := range names {
		f.idents[name] = true
		f.defs[name] = true
	}
}

// Replaced reports whether an edit replaces n itself.
func (f *File) Replaced(n ast.Node) bool { return f.edits[n] != nil }

// Text returns n as it reads with the edits made so far.
func (f *File) Text(n ast.Node) string {
	r := renderer{file: f}
	r.node(n)
	return string(r.out)
}

// EndsLine reports whether nothing but space and a line comment follows n on its line.
func (f *File) EndsLine(n ast.Node) bool {
	rest, _, _ := bytes.Cut(f.source[f.offset(n.End()):], []byte("\n"))
	rest = bytes.TrimSpace(rest)
	return len(rest) == 0 || bytes.HasPrefix(rest, []byte("//"))
}

// Original returns n as the user wrote it.
func (f *File) Original(n ast.Node) string {
	return string(f.source[f.offset(n.Pos()):f.offset(n.End())])
}

// Fresh returns a name for a new variable that code in scope can use: name, or
// name with a number where the scope mentions that already. It never returns the
// same name twice for one scope.
func (f *File) Fresh(scope ast.Node, name string) string {
	taken := f.scopes[scope]
	if taken == nil {
		taken = map[string]bool{}
		ast.Inspect(scope, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				taken[id.Name] = true
			}
			return true
		})
		f.scopes[scope] = taken
	}
	free := name
	for n := 2; taken[free] || f.imported(free); n++ {
		free = name + strconv.Itoa(n)
	}
	taken[free] = true
	return free
}

func (f *File) offset(p token.Pos) int { return f.tok.Offset(p) }

func (f *File) line(p token.Pos) int { return f.tok.PositionFor(p, false).Line }

// below returns the outermost edited nodes inside n, n itself left out, in source order.
func (f *File) below(n ast.Node) []*edit {
	var found []*edit
	add := func(m ast.Node) bool {
		if m == nil || m == n {
			return m == n
		}
		if e := f.edits[m]; e != nil {
			found = append(found, e)
			return false
		}
		return true
	}
	switch n := n.(type) {
	case Span:
		f.within(n, add)
	case *ast.CommentGroup:
	default:
		ast.Inspect(n, add)
	}
	found = slices.DeleteFunc(found, func(e *edit) bool { return e.node.Pos() < n.Pos() || e.node.End() > n.End() })
	found = append(found, f.comments(n, found)...)
	slices.SortStableFunc(found, func(a, b *edit) int { return cmp.Compare(a.node.Pos(), b.node.Pos()) })
	return slices.Compact(found)
}

// within calls add for the outermost nodes that lie in the span.
func (f *File) within(s Span, add func(ast.Node) bool) {
	ast.Inspect(f.syntax, func(m ast.Node) bool {
		if m == nil || m.End() <= s.From || m.Pos() >= s.To {
			return false
		}
		if m.Pos() < s.From || m.End() > s.To {
			return true // reaches out of the span; its parts may not
		}
		return add(m)
	})
}

// comments returns the edited comment groups inside n, which the syntax tree need
// not hold below it, except those inside nodes that are replaced anyway.
func (f *File) comments(n ast.Node, found []*edit) []*edit {
	var list []*edit
	for _, group := range f.syntax.Comments {
		e := f.edits[group]
		if e == nil || group == n || group.Pos() < n.Pos() || group.End() > n.End() {
			continue
		}
		inside := func(o *edit) bool { return o.node.Pos() <= group.Pos() && group.End() <= o.node.End() }
		if !slices.ContainsFunc(found, inside) {
			list = append(list, e)
		}
	}
	return list
}
