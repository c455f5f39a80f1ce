package inspect

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Screen is where tables go.
type Screen struct {
	io.Writer
	Width int // in columns; 0 is no limit, where the output is no terminal
	Now   time.Time
}

// gap is between columns.
const gap = 2

// table writes rows as columns, the first row as their titles. Where the screen is
// too narrow, the last column is cut.
func (s *Screen) table(rows [][]string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+gap))
			}
		}
		if _, err := fmt.Fprintln(s, s.cut(strings.TrimRight(line.String(), " "))); err != nil {
			return err
		}
	}
	return nil
}

// cut shortens a line to the screen.
func (s *Screen) cut(line string) string {
	if s.Width <= 0 || utf8.RuneCountInString(line) <= s.Width {
		return line
	}
	return string([]rune(line)[:s.Width-1]) + "…"
}

// plain makes one line without control characters of text from elsewhere, which
// must not drive the terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return '·'
	}, strings.TrimSpace(text))
}

// duration shows d in two units at most.
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + duration(-d)
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	d = d.Round(time.Second)
	days, hours, minutes, seconds := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60, d/time.Second%60
	switch {
	case days > 0 && hours == 0:
		return fmt.Sprintf("%dd", days)
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes)
	}
	return fmt.Sprintf("%dm%ds", minutes, seconds)
}

// ago shows how far t is away.
func (s *Screen) ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if d := s.Now.Sub(t); d >= 0 {
		return duration(d) + " ago"
	}
	return "in " + duration(t.Sub(s.Now))
}

// moment shows t with how far it is away.
func (s *Screen) moment(t time.Time) string {
	return t.Local().Format("2006-01-02 15:04:05") + " (" + s.ago(t) + ")"
}
