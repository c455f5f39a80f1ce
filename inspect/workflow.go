package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Workflow is what the server says of one.
type Workflow struct {
	ID       string    `json:"id"`
	Method   string    `json:"method"`
	Status   string    `json:"status"`
	Code     string    `json:"code"` // that started it
	Started  time.Time `json:"started"`
	Changed  time.Time `json:"changed"` // of the status
	Due      time.Time `json:"due"`     // when something happens by itself
	Epoch    uint64    `json:"epoch"`   // executions so far
	Failures int       `json:"failures"`
	Reason   string    `json:"reason"`  // of the last failure
	Stopped  string    `json:"stopped"` // the code that does not fit the log
	Awaits   []string  `json:"awaits"`  // as in "signal approve"
	Parent   string    `json:"parent"`

	raw json.RawMessage
}

// Statuses are the statuses of workflows.
var Statuses = []string{"running", "suspended", "parked", "completed", "failed", "cancelled"}

// Final reports whether nothing will happen to the workflow any more.
func (w *Workflow) Final() bool { return slices.Contains(Statuses[3:], w.Status) }

// UnmarshalJSON keeps what the server said beside what is understood of it.
func (w *Workflow) UnmarshalJSON(b []byte) error {
	type plain Workflow
	w.raw = slices.Clone(b)
	return json.Unmarshal(b, (*plain)(w))
}

// MarshalJSON returns what the server said.
func (w *Workflow) MarshalJSON() ([]byte, error) { return w.raw, nil }

// A Filter says which workflows to list; the zero value is all.
type Filter struct {
	Status string
	Method string    // Service or Service.Method
	Since  time.Time // started then or later
	Limit  int       // at most so many; default 50
	Cursor string    // where to go on
}

// Workflows is a part of a list, the youngest first.
type Workflows struct {
	List []*Workflow `json:"workflows"`
	Next string      `json:"next,omitempty"` // cursor of the rest, empty at the end
}

// List returns the workflows that f wants.
func (c *Client) List(ctx context.Context, f Filter) (*Workflows, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	out := &Workflows{List: []*Workflow{}, Next: f.Cursor}
	for len(out.List) < f.Limit {
		query := url.Values{"limit": {strconv.Itoa(min(f.Limit-len(out.List), 1000))}}
		for name, value := range map[string]string{"status": f.Status, "cursor": out.Next} {
			if value != "" {
				query.Set(name, value)
			}
		}
		if strings.Contains(f.Method, ".") {
			query.Set("method", f.Method)
		}
		page, err := getAs[Workflows](ctx, c, "workflows", query)
		if err != nil {
			return nil, err
		}
		out.Next = page.Next
		if !out.take(page.List, f) {
			out.Next = ""
		}
		if out.Next == "" {
			break
		}
	}
	return out, nil
}

// take appends the workflows that f wants, and reports whether there may be
// more: they come in the order of their start.
func (l *Workflows) take(page []*Workflow, f Filter) bool {
	for _, w := range page {
		if w.Started.Before(f.Since) {
			return false
		}
		service, _, _ := strings.Cut(w.Method, ".")
		if f.Method == "" || f.Method == w.Method || f.Method == service {
			l.List = append(l.List, w)
		}
	}
	return true
}

// Workflow returns one workflow.
func (c *Client) Workflow(ctx context.Context, id string) (*Workflow, error) {
	w, err := getAs[Workflow](ctx, c, workflowPath(id), nil)
	return w, about(id, err)
}

// Cancel cancels a workflow, or throws away a message that is a dead letter.
func (c *Client) Cancel(ctx context.Context, id string) error {
	return about(id, c.post(ctx, workflowPath(id)+"/cancel", nil))
}

// Retry has a dead letter tried again.
func (c *Client) Retry(ctx context.Context, id string) error {
	return about(id, c.post(ctx, workflowPath(id)+"/retry", nil))
}

// Signal sends a workflow a signal, whose value is JSON.
func (c *Client) Signal(ctx context.Context, id, name string, value []byte) error {
	return about(id, c.post(ctx, workflowPath(id)+"/signals/"+url.PathEscape(name), value))
}

// A DeadLetter is a workflow or a message that failed too often, or does not fit its code.
type DeadLetter struct {
	ID       string    `json:"id"`
	Message  bool      `json:"message"` // no workflow
	Method   string    `json:"method"`
	From     string    `json:"from,omitempty"` // that sent the message
	Parked   time.Time `json:"parked"`
	Failures int       `json:"failures"`
	Reason   string    `json:"reason"`
	Stopped  string    `json:"stopped,omitempty"`
}

// DeadLetters is a part of the list of dead letters, the oldest first.
type DeadLetters struct {
	List []*DeadLetter `json:"dead"`
	Next string        `json:"next,omitempty"`
}

// Dead returns dead letters.
func (c *Client) Dead(ctx context.Context, limit int, cursor string) (*DeadLetters, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	return getAs[DeadLetters](ctx, c, "dead", query)
}

func workflowPath(id string) string { return "workflows/" + url.PathEscape(id) }

// about says which workflow an error is about.
func about(id string, err error) error {
	if _, ok := err.(*StatusError); ok {
		return fmt.Errorf("%s: %w", id, err)
	}
	return err
}

// getAs reads what path answers as a T.
func getAs[T any](ctx context.Context, c *Client, path string, query url.Values) (*T, error) {
	raw, err := c.get(ctx, path, query)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := json.Unmarshal(raw, v); err != nil {
		return nil, fmt.Errorf("%s answers %s with what this version of onefold does not understand: %w", c.Server, path, err)
	}
	return v, nil
}
