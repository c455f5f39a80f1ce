package stage

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// lines merges the output of processes: whole lines, each after a name.
type lines struct {
	mu   sync.Mutex
	to   io.Writer
	last map[string][]string // the last lines of each process
}

// kept is how many lines of each process are kept, to tell why it ended.
const kept = 5

func (l *lines) printf(name, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.to, "%s: %s\n", name, fmt.Sprintf(format, args...))
}

// problem prints an error, if it is one.
func (l *lines) problem(name string, err error) {
	if err != nil {
		l.printf(name, "%v", err)
	}
}

// said returns the last lines that a process wrote, indented, each on a line of its own.
func (l *lines) said(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, line := range l.last[name] {
		b.WriteString("\n\t" + line)
	}
	return b.String()
}

// writer returns where a process writes.
func (l *lines) writer(name string) *lineWriter { return &lineWriter{lines: l, name: name} }

// lineWriter collects what one process writes up to the end of lines.
type lineWriter struct {
	*lines
	name    string
	pending []byte
}

// maxLine is after how many bytes a line is printed though it has not ended.
const maxLine = 16 << 10

func (w *lineWriter) Write(b []byte) (int, error) {
	w.pending = append(w.pending, b...)
	for {
		i := bytes.IndexByte(w.pending, '\n')
		if i < 0 && len(w.pending) < maxLine {
			return len(b), nil
		}
		if i < 0 {
			i = len(w.pending) - 1
		}
		w.line(string(w.pending[:i]))
		w.pending = w.pending[i+1:]
	}
}

// flush prints a last line that has not ended. Nobody writes any more.
func (w *lineWriter) flush() {
	if len(w.pending) > 0 {
		w.line(string(w.pending))
		w.pending = nil
	}
}

func (w *lineWriter) line(text string) {
	w.printf(w.name, "%s", text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		w.last = map[string][]string{}
	}
	all := append(w.last[w.name], text)
	w.last[w.name] = all[max(0, len(all)-kept):]
}
