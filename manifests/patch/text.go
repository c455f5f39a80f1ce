package patch

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// text is the source and the edits to make to it.
type text struct {
	data  []byte
	lines []int // offsets of line starts
	edits []edit
}

// edit replaces the bytes from start to end.
type edit struct {
	start, end int
	with       string
}

func newText(data []byte) *text {
	t := &text{data: data, lines: []int{0}}
	for i, b := range data {
		if b == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// offset returns where a node starts. Columns count characters.
func (t *text) offset(n *yaml.Node) int {
	at := t.lines[n.Line-1]
	for range n.Column - 1 {
		at += runeLen(t.data[at:])
	}
	return at
}

func runeLen(b []byte) int {
	n := 1
	for n < len(b) && b[n]&0xC0 == 0x80 {
		n++
	}
	return n
}

func (t *text) edit(start, end int, with string) { t.edits = append(t.edits, edit{start, end, with}) }

// edited returns the text with all edits; what is inserted at one place stays in order.
func (t *text) edited() []byte {
	slices.SortStableFunc(t.edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var b bytes.Buffer
	at := 0
	for _, e := range t.edits {
		b.Write(t.data[at:e.start])
		b.WriteString(e.with)
		at = e.end
	}
	b.Write(t.data[at:])
	return b.Bytes()
}

// ownLine reports whether nothing but spaces is before a node in its line.
func (t *text) ownLine(n *yaml.Node) bool {
	return len(bytes.TrimLeft(t.data[t.lines[n.Line-1]:t.offset(n)], " ")) == 0
}

// lineAbove returns the start of the line that a node begins, or of the comments
// right above it, which are its own.
func (t *text) lineAbove(n *yaml.Node) int {
	line := n.Line - 1
	for line > 0 && bytes.HasPrefix(bytes.TrimLeft(t.data[t.lines[line-1]:], " "), []byte("#")) {
		line--
	}
	return t.lines[line]
}

func indent(n *yaml.Node) string { return strings.Repeat(" ", n.Column-1) }

// insertKey adds a key to a mapping, before its first key that has a line of its
// own, or in the braces.
func (p *patcher) insertKey(mapping *yaml.Node, key string, v value) {
	if mapping.Style&yaml.FlowStyle != 0 {
		p.insertFlow(mapping, key+": "+v.flow)
		return
	}
	for i := 0; i < len(mapping.Content); i += 2 {
		if k := mapping.Content[i]; p.text.ownLine(k) {
			start := p.text.lineAbove(k)
			p.text.edit(start, start, indent(k)+key+":"+shifted(v.block, indent(k)))
			return
		}
	}
	// A mapping of one key, which follows a dash: the new key goes before it.
	k := mapping.Content[0]
	p.text.edit(p.text.offset(k), p.text.offset(k), key+":"+shifted(v.block, indent(k))+indent(k))
}

// shifted returns a value to follow a key: on the key's line, or below it with
// the key's indentation.
func shifted(value, by string) string {
	if !strings.Contains(value, "\n") {
		return " " + value + "\n"
	}
	var b strings.Builder
	b.WriteByte('\n')
	for line := range strings.Lines(value) {
		b.WriteString(by + line)
	}
	return b.String()
}

// insertFlow adds an element to what is in brackets or braces, before what is
// there.
func (p *patcher) insertFlow(n *yaml.Node, element string) {
	at := p.text.offset(n) + 1
	if len(n.Content) > 0 {
		at = p.text.offset(n.Content[0])
		element += ", "
	}
	p.text.edit(at, at, element)
}

// insertItems adds elements at the front of a list, each given as its lines.
func (p *patcher) insertItems(list *yaml.Node, items [][]string) {
	for _, lines := range items {
		if list.Style&yaml.FlowStyle != 0 {
			p.insertFlow(list, flow(lines))
			continue
		}
		start := p.text.lineAbove(list)
		p.text.edit(start, start, indent(list)+"- "+strings.Join(lines, "\n"+indent(list)+"  ")+"\n")
	}
}

// flow returns the lines of a list's element as they are in brackets.
func flow(lines []string) string {
	if len(lines) == 1 {
		return lines[0]
	}
	return "{" + strings.Join(lines, ", ") + "}"
}

// replace gives a scalar another value.
func (p *patcher) replace(n *yaml.Node, with string) {
	if n.Value == with && n.Kind == yaml.ScalarNode {
		return
	}
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.Contains(n.Value, "\n") {
		p.errorf(n, "want a value on one line")
		return
	}
	start := p.text.offset(n)
	text, ok := p.text.scalarText(n, start)
	if !ok {
		p.errorf(n, "want a value on one line")
		return
	}
	p.text.edit(start, start+len(text), quoted(with))
}

// scalarText returns how a scalar is written; ok is false if that is not on one line.
func (t *text) scalarText(n *yaml.Node, start int) (text string, ok bool) {
	line, _, _ := strings.Cut(string(t.data[start:]), "\n")
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		for i := 1; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++
			case '"':
				return line[:i+1], true
			}
		}
		return "", false
	case n.Style&yaml.SingleQuotedStyle != 0:
		for i := 1; i < len(line); i++ {
			if line[i] == '\'' {
				if i+1 < len(line) && line[i+1] == '\'' {
					i++
					continue
				}
				return line[:i+1], true
			}
		}
		return "", false
	}
	return n.Value, strings.HasPrefix(line, n.Value)
}

// value is a value in both of YAML's styles: below its key with an indentation of
// two or on its line, and in brackets.
type value struct{ block, flow string }

func scalarValue(text string) value { return value{quoted(text), quoted(text)} }

func mappingValue(variables []Variable) value {
	var block, flow []string
	for _, v := range variables {
		block = append(block, "  "+v.Name+": "+quoted(v.Value)+"\n")
		flow = append(flow, v.Name+": "+quoted(v.Value))
	}
	return value{strings.Join(block, ""), "{" + strings.Join(flow, ", ") + "}"}
}

func listValue(items [][]string) value {
	var block, inline []string
	for _, lines := range items {
		block = append(block, "  - "+strings.Join(lines, "\n    ")+"\n")
		inline = append(inline, flow(lines))
	}
	return value{strings.Join(block, ""), "[" + strings.Join(inline, ", ") + "]"}
}
