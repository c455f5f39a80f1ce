package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// History writes a workflow and its steps as a tree, those of its children below
// theirs. Times are counted from the start.
func (s *Screen) History(h *History) error {
	if err := s.Workflow(&h.Workflow); err != nil {
		return err
	}
	if err := s.facts([][2]string{{"arguments", value(h.Args)}, {"result", value(h.Result)}, {"error", plain(h.Error)}}); err != nil {
		return err
	}
	if len(h.Steps) == 0 {
		_, err := fmt.Fprint(s, "\nno step has finished or waits\n")
		return err
	}
	t := &tree{screen: s, begun: h.Started, rows: [][]string{{"STEP", "AT", "TOOK", "OUTCOME"}}}
	t.add(nodes(h.Steps), h, "", true)
	fmt.Fprintln(s)
	return s.table(t.rows)
}

// tree collects the rows of a history.
type tree struct {
	screen *Screen
	begun  time.Time
	rows   [][]string
}

// node is a step, or a group or branch of steps, which has no record of its own.
type node struct {
	path  string
	step  *Step
	inner []*node
}

// nodes makes a tree of the steps, which are in program order. Elements of a path
// are, in turn, numbers of steps and of branches.
func nodes(steps []*Step) []*node {
	top := &node{}
	for _, step := range steps {
		at := top
		elements := strings.Split(step.Path, ".")
		for i := range elements {
			at = at.in(strings.Join(elements[:i+1], "."))
		}
		at.step = step
	}
	return top.inner
}

// in returns the inner node at a path, the last one or a new one.
func (n *node) in(path string) *node {
	if k := len(n.inner); k > 0 && n.inner[k-1].path == path {
		return n.inner[k-1]
	}
	n.inner = append(n.inner, &node{path: path})
	return n.inner[len(n.inner)-1]
}

// add adds nodes, whose lines begin with indent. Below the top level they hang on lines.
func (t *tree) add(list []*node, h *History, indent string, top bool) {
	for i, n := range list {
		branch, under := "├─ ", "│  "
		switch {
		case top:
			branch, under = "", ""
		case i == len(list)-1:
			branch, under = "└─ ", "   "
		}
		t.row(n, h, indent+branch)
		t.add(n.inner, h, indent+under, false)
		if n.step != nil && n.step.Child != nil {
			t.add(nodes(n.step.Child.Steps), n.step.Child, indent+under, false)
		}
	}
}

// row adds the row of one node.
func (t *tree) row(n *node, h *History, indent string) {
	if n.step == nil {
		kind := "group"
		if strings.Count(n.path, ".")%2 == 1 {
			kind = "branch"
		}
		t.rows = append(t.rows, []string{indent + n.path + " " + kind, "", "", ""})
		return
	}
	step := n.step
	took := ""
	if !step.Done.IsZero() {
		took = duration(step.Done.Sub(step.Begun))
	}
	name := strings.TrimRight(indent+n.path+" "+plain(step.Kind)+" "+plain(step.Name), " ")
	t.rows = append(t.rows, []string{name, "+" + duration(step.Begun.Sub(t.begun)), took, t.outcome(step, h)})
}

// outcome says what a step ended in, or what it waits for.
func (t *tree) outcome(step *Step, h *History) string {
	switch {
	case step.Error != "":
		return "error: " + plain(step.Error)
	case step.TimedOut:
		return "timed out"
	case step.Done.IsZero() && h.Final():
		return "did not end"
	case step.Done.IsZero() && !step.Due.IsZero():
		return "waits until " + t.screen.moment(step.Due)
	case step.Done.IsZero():
		return "waits"
	}
	return value(step.Result)
}

// value shows a result on one line; null, which is none, as nothing.
func value(raw json.RawMessage) string {
	if text := plain(string(raw)); !slices.Contains([]string{"null", "{}"}, text) {
		return text
	}
	return ""
}

// indented is JSON over several lines, with escapes for what could drive a terminal.
func indented(raw json.RawMessage) string {
	var lines bytes.Buffer
	if json.Indent(&lines, raw, "", "  ") != nil {
		return plain(string(raw))
	}
	var b strings.Builder
	for _, r := range lines.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
