package rewrite

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/scanner"
	"go/token"
	"strings"
)

// Bytes returns the whole file with its edits, gofmt-ed. The file starts with
// header. Line directives that name the source as name, relative to the
// directory of the output, make the compiler, panics and debuggers show every
// statement where the user wrote it; an empty name leaves them out. Text that
// does not parse is an error that shows it with line numbers.
func (f *File) Bytes(header, name string) ([]byte, error) {
	body := f.body()
	block, err := f.importBlock(body)
	if err != nil {
		return nil, unparsable(body.out, err)
	}
	r := &renderer{file: f}
	f.assemble(r, header, block)
	out, err := format.Source(r.out)
	if err != nil {
		return nil, unparsable(r.out, err)
	}
	if name == "" || f.positioned() {
		return out, nil
	}
	lines := f.origins(r, out)
	return format.Source(insertDirectives(out, lines, name))
}

// body renders what follows the imports.
func (f *File) body() *renderer {
	r := &renderer{file: f}
	r.text("package p\n", 1, 1)
	r.node(Span{f.importsEnd(), f.syntax.FileEnd})
	return r
}

// assemble renders the file around its new import declaration.
func (f *File) assemble(r *renderer, header, block string) {
	first := f.line(f.syntax.Package)
	if header != "" {
		r.text(header+"\n\n", 1, 1)
	}
	from, to := f.importsStart(), f.importsEnd()
	start := f.syntax.FileStart
	if bytes.HasPrefix(f.source, []byte("\uFEFF")) {
		start += 3 // a byte order mark may stand at the very beginning only
	}
	r.node(Span{start, from})
	if block != "" {
		r.text("\n"+block+"\n", first, first)
	}
	r.node(Span{to, f.syntax.FileEnd})
}

// importsStart returns where the import declarations begin, or where one belongs.
func (f *File) importsStart() token.Pos {
	if decls := f.imports.decls; len(decls) > 0 {
		if decls[0].Doc != nil {
			return decls[0].Doc.Pos()
		}
		return decls[0].Pos()
	}
	return f.syntax.Name.End()
}

// importsEnd returns where the last import declaration ends, a comment behind it included.
func (f *File) importsEnd() token.Pos {
	if decls := f.imports.decls; len(decls) > 0 {
		last := decls[len(decls)-1]
		end := last.End()
		if spec, ok := last.Specs[max(0, len(last.Specs)-1)].(*ast.ImportSpec); ok && !last.Lparen.IsValid() && spec.Comment != nil {
			end = spec.Comment.End()
		}
		return end
	}
	return f.syntax.Name.End()
}

// positioned reports whether the source has line directives of its own, which
// then stay the only ones.
func (f *File) positioned() bool {
	return bytes.HasPrefix(f.source, []byte("//line ")) || bytes.Contains(f.source, []byte("\n//line ")) || bytes.Contains(f.source, []byte("/*line "))
}

// origins returns the source line of each line of out, the formatted output of
// r: that of its first token, or 0 where it needs none. Formatting keeps the
// sequence of tokens, but for parentheses, commas and semicolons.
func (f *File) origins(r *renderer, out []byte) []int {
	before, after := tokens(r.out), tokens(out)
	if len(before) != len(after) {
		panic(fmt.Sprintf("rewrite: formatting %s changed its tokens", f.tok.Name()))
	}
	lines := make([]int, bytes.Count(out, []byte("\n"))+2)
	code := codeLines(out)
	for i, t := range after {
		if lines[t.line] == 0 && code[t.line] && !t.inside {
			lines[t.line] = r.origin(before[i].offset)
		}
	}
	return lines
}

// position is where a token starts.
type position struct {
	offset, line int
	inside       bool // the line starts inside a raw string or a comment
}

// tokens returns the tokens of src behind the imports, without those that gofmt
// adds or takes away.
func tokens(src []byte) []position {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, scanner.ScanComments)
	var list []position
	imports := false
	end := 0 // the line where the last token of several lines ended
	for {
		pos, tok, text := s.Scan()
		line := file.PositionFor(pos, false).Line
		inside := line == end
		if tok == token.STRING || tok == token.COMMENT {
			if n := strings.Count(text, "\n"); n > 0 {
				end = line + n
			}
		}
		switch tok {
		case token.EOF:
			return list
		case token.COMMENT:
			continue
		case token.LPAREN, token.RPAREN, token.COMMA, token.SEMICOLON:
			continue
		case token.IMPORT:
			imports = true
			continue
		case token.FUNC, token.TYPE, token.VAR, token.CONST:
			imports = false
		}
		if !imports {
			list = append(list, position{file.Offset(pos), line, inside})
		}
	}
}
