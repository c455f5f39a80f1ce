package onefoldtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/state"
)

// comparer tells whether the plain and the compiled side agree.
type comparer struct {
	random   []string // fields and methods that depend on chance
	anyError []string // methods that may report any of several errors
	times    bool     // whether times must be equal: whether both sides saw the same clock
}

// replies returns how two replies differ to a client; "" where they do not.
func (c *comparer) replies(method string, want, got Reply) string {
	if want.explains(got.Codes) {
		got.Codes = want.Codes
	}
	return diff(c.seen(method, want), c.seen(method, got))
}

// seen is a reply as far as it is compared.
type seen struct {
	Status int
	Type   string
	Value  any
	Detail string
	Codes  []string
	Error  any
}

func (c *comparer) seen(method string, r Reply) seen {
	s := seen{Status: r.Status, Type: r.Type}
	switch r.Status {
	case http.StatusOK:
		s.Value = c.value(method, decoded(r.Value))
	case http.StatusUnprocessableEntity:
		if r.Type != invoke.TypeApplication || slices.Contains(c.anyError, method) {
			break
		}
		s.Detail, s.Codes = r.Detail, r.Codes
		if r.Error != nil {
			s.Error = []any{r.Error.Type, decoded(r.Error.Value)}
		}
	}
	return s
}

// states returns how two states differ; "" where they do not.
func (c *comparer) states(want, got map[string]any) string {
	return diff(c.state(want), c.state(got))
}

func (c *comparer) state(fields map[string]any) map[string]any {
	out := make(map[string]any, len(fields))
	for name, value := range fields {
		out[name] = c.value(name, value)
	}
	return out
}

// value returns a field's value or a method's reply as far as it is compared.
func (c *comparer) value(name string, v any) any {
	if slices.Contains(c.random, name) {
		return size(v)
	}
	if c.times {
		return v
	}
	return timeless(v)
}

// size says as much of a random value as can be compared.
func size(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return fmt.Sprintf("%d random elements", len(v))
	case map[string]any:
		return fmt.Sprintf("%d random entries", len(v))
	case state.Entries:
		return fmt.Sprintf("%d random entries", len(v))
	}
	return "random"
}

// timeless returns v without the times in it.
func timeless(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = timeless(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = timeless(e)
		}
		return out
	case state.Entries:
		out := make(state.Entries, len(v))
		for i, e := range v {
			out[i] = state.Entry{Key: timeless(e.Key), Value: timeless(e.Value)}
		}
		return out
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil && !t.IsZero() {
			return "a time"
		}
	}
	return v
}

// decoded returns JSON as values, numbers as they are spelt. What is no JSON
// decodes to a description of the fault, so that it is equal to nothing else.
func decoded(text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return fmt.Sprintf("no JSON: %v: %q", err, text)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Sprintf("more than one JSON value: %q", text)
	}
	return v
}
