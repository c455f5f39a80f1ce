package inspect

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Workflows writes a list of workflows.
func (s *Screen) Workflows(l *Workflows) error {
	rows := [][]string{{"ID", "METHOD", "STATUS", "STARTED", "TOOK", "NOW"}}
	for _, w := range l.List {
		rows = append(rows, []string{plain(w.ID), plain(w.Method), plain(w.Status), s.ago(w.Started), s.took(w), s.doing(w)})
	}
	return s.listed(rows, l.Next, "workflows")
}

// Dead writes a list of dead letters.
func (s *Screen) Dead(l *DeadLetters) error {
	rows := [][]string{{"ID", "METHOD", "KIND", "PARKED", "FAILURES", "REASON"}}
	for _, d := range l.List {
		kind := "workflow"
		if d.Message {
			kind = "message"
		}
		rows = append(rows, []string{plain(d.ID), plain(d.Method), kind, s.ago(d.Parked), strconv.Itoa(d.Failures), plain(d.Reason)})
	}
	return s.listed(rows, l.Next, "dead letters")
}

// listed writes a table and where it goes on.
func (s *Screen) listed(rows [][]string, next, what string) error {
	if len(rows) == 1 {
		_, err := fmt.Fprintf(s, "no %s\n", what)
		return err
	}
	if err := s.table(rows); err != nil || next == "" {
		return err
	}
	_, err := fmt.Fprintf(s, "\nThere are more: --cursor %s\n", next)
	return err
}

// took returns how long a workflow took, or has been going on for.
func (s *Screen) took(w *Workflow) string {
	if w.Final() {
		return duration(w.Changed.Sub(w.Started))
	}
	return duration(s.Now.Sub(w.Started))
}

// doing says what a workflow waits for, or why it does not go on.
func (s *Screen) doing(w *Workflow) string {
	if w.Final() {
		return ""
	}
	if w.Status == "parked" {
		return plain(w.Reason)
	}
	var parts []string
	for _, what := range w.Awaits {
		parts = append(parts, "waits for "+plain(what))
	}
	if w.Failures > 0 {
		parts = append(parts, fmt.Sprintf("failed %d×: %s", w.Failures, plain(w.Reason)))
	}
	if w.Status == "suspended" && !w.Due.IsZero() {
		parts = append(parts, "wakes "+s.ago(w.Due))
	}
	return strings.Join(parts, ", ")
}

// Workflow writes what is known of one workflow.
func (s *Screen) Workflow(w *Workflow) error {
	fmt.Fprintf(s, "%s %s\n", plain(w.Method), plain(w.ID))
	took := "going for"
	if w.Final() {
		took = "took"
	}
	return s.facts([][2]string{
		{"status", plain(w.Status) + " since " + s.moment(w.Changed)},
		{"started", s.moment(w.Started)},
		{took, s.took(w)},
		{"now", s.doing(w)},
		{"executions", strconv.FormatUint(w.Epoch, 10)},
		{"code", plain(w.Code)},
		{"parent", plain(w.Parent)},
		{"failures", number(w.Failures)},
		{"reason", plain(w.Reason)},
		{"stopped", stopped(w)},
	})
}

// stopped says what to do about a workflow that does not fit its code.
func stopped(w *Workflow) string {
	if w.Stopped == "" {
		return ""
	}
	return "the log does not fit code " + plain(w.Stopped) + "; it goes on with other code, or when it is retried"
}

// number returns n, and nothing for zero.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// facts writes names and values, without the values that are empty.
func (s *Screen) facts(facts [][2]string) error {
	for _, f := range facts {
		if f[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(s, "  %-10s  %s\n", f[0], f[1]); err != nil {
			return err
		}
	}
	return nil
}

// Rows writes rows of state.
func (s *Screen) Rows(rows *Rows) error {
	if len(rows.List) == 1 && string(rows.List[0].Key) == "null" {
		return s.Value(rows.List[0])
	}
	table := [][]string{{"KEY", "VALUE"}}
	for _, row := range rows.List {
		table = append(table, []string{keyText(row.Key), plain(string(row.Value))})
	}
	return s.listed(table, rows.Next, "entries")
}

// Value writes the value of a row over several lines.
func (s *Screen) Value(row Row) error {
	_, err := fmt.Fprintln(s, indented(row.Value))
	return err
}

// keyText shows a string without quotes where that is clear.
func keyText(key json.RawMessage) string {
	var text string
	if json.Unmarshal(key, &text) == nil && text != "" && text == plain(text) {
		return text
	}
	return string(key)
}

// Fields writes the persistent fields.
func (s *Screen) Fields(a *App) error {
	rows := [][]string{{"FIELD", "TYPE"}}
	for _, f := range a.Fields() {
		rows = append(rows, f[:])
	}
	return s.listed(rows, "", "persistent fields")
}
