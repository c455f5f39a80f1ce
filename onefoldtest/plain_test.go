package onefoldtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/runtime/state"
)

// The spec under test: an inner service, and an outer one that uses it.

var errShort = errors.New("inner: too short")

// LimitError is exported, so it is carried whole.
type LimitError struct {
	Limit int `json:"limit"`
}

func (e *LimitError) Error() string { return fmt.Sprint("limit ", e.Limit) }

// Note is a parameter and a result.
type Note struct {
	Text string `json:"text"`
	Size int    `json:"size,omitempty"`
}

type Inner struct {
	mu     sync.Mutex
	notes  map[string][]Note
	byPair map[[2]int]*Note
	never  map[string]int
	bytes  []byte
	at     time.Time
	limit  int `onefold:"config"`
}

func NewInner() *Inner {
	return &Inner{notes: map[string][]Note{}, byPair: map[[2]int]*Note{}, limit: 3}
}

func (s *Inner) Add(ctx context.Context, key string, note Note, tags []string) (count int, first bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[key] = append(s.notes[key], note)
	s.byPair[[2]int{1, len(tags)}] = &note
	switch {
	case note.Text == "":
		return 0, false, fmt.Errorf("add: %w", errShort)
	case len(s.notes[key]) > s.limit:
		return 0, false, errors.Join(errShort, &LimitError{Limit: s.limit})
	case note.Text == "panic":
		panic("asked to")
	}
	return len(s.notes[key]), len(s.notes[key]) == 1, nil
}

type Outer struct {
	inner *Inner
	calls int
}

func NewOuter(inner *Inner) *Outer { return &Outer{inner: inner} }

func (o *Outer) Twice(ctx context.Context, key string, text string) ([]int, error) {
	o.calls++
	a, _, err := o.inner.Add(ctx, key, Note{Text: text}, nil)
	if err != nil {
		return nil, err
	}
	b, _, err := o.inner.Add(ctx, key, Note{Text: text}, []string{"x"})
	return []int{a, b}, err
}

func (o *Outer) Pair(context.Context) (int, string, error) { return o.calls, "calls", nil }

func (o *Outer) Reset(ctx context.Context) error {
	o.calls = 0
	return nil
}

func newApp(t *testing.T) *onefoldtest.App {
	return onefoldtest.New(t, NewOuter, NewInner) // the order does not matter
}

func TestInvoke(t *testing.T) {
	for _, tt := range []struct {
		method, args string
		want         string
	}{
		{"Inner.Add", `{"key":"a","note":{"text":"hi","size":2},"tags":["t"]}`, `200 {"count":1,"first":true}`},
		{"Inner.Add", `{"key":"a","note":{"text":"hi"}}`, `200 {"count":1,"first":true}`},
		{"Inner.Add", `{"key":"a","note":{"text":""}}`, `422 add: inner: too short`},
		{"Inner.Add", `{"key":"a","note":{"text":"panic"}}`, `500 asked to`},
		{"Inner.Add", `{"key":"a"}`, `400 parameter note: missing`},
		{"Inner.Add", `{"key":1,"note":{"text":"hi"}}`, `400 parameter key: json: cannot unmarshal number into Go value of type string`},
		{"Inner.Add", `{"key":"a","note":{"txt":"hi"}}`, `400 parameter note: json: unknown field "txt"`},
		{"Inner.Add", `{"key":"a","note":{"text":"hi"},"other":1}`, `400 parameter other: the method has no such parameter`},
		{"Inner.Add", `[`, `400 malformed JSON: unexpected EOF`},
		{"Outer.Twice", `{"key":"a","text":"x"}`, `200 [1,2]`},
		{"Outer.Pair", `{}`, `200 [0,"calls"]`},
		{"Outer.Reset", `{}`, `200 null`},
	} {
		r := onefoldtest.Invoke(newApp(t), tt.method, tt.args)
		got := fmt.Sprint(r.Status, " ", string(r.Value), r.Detail)
		if r.Panic != nil {
			got += fmt.Sprint(r.Panic)
		}
		if got != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.method, tt.args, got, tt.want)
		}
	}
}

func TestErrorsLeaveNoTrace(t *testing.T) {
	app := newApp(t)
	if r := onefoldtest.Invoke(app, "Outer.Twice", `{"key":"a","text":"x"}`); r.Status != http.StatusOK {
		t.Fatalf("first request: %+v", r)
	}
	before := onefoldtest.State(app)
	for _, args := range []string{`{"key":"a","text":"x"}`, `{"key":"b","text":""}`, `{"key":"b","text":"panic"}`} {
		if r := onefoldtest.Invoke(app, "Outer.Twice", args); r.Status == http.StatusOK {
			t.Errorf("%s: status 200, want a failure", args)
		}
		if diff := cmp.Diff(before, onefoldtest.State(app)); diff != "" {
			t.Errorf("%s left a trace (-want +got):\n%s", args, diff)
		}
	}
}

func TestExportedErrorsAreCarried(t *testing.T) {
	app := newApp(t)
	for range 3 {
		onefoldtest.Invoke(app, "Inner.Add", `{"key":"a","note":{"text":"x"}}`)
	}
	r := onefoldtest.Invoke(app, "Inner.Add", `{"key":"a","note":{"text":"x"}}`)
	if !errors.Is(r.Err, errShort) {
		t.Errorf("error %v, want one that wraps errShort", r.Err)
	}
	want := &onefoldtest.ErrorValue{Type: "onefoldtest_test.LimitError", Value: []byte(`{"limit":3}`)}
	if diff := cmp.Diff(want, r.Error); diff != "" {
		t.Errorf("carried error (-want +got):\n%s", diff)
	}
}

func TestState(t *testing.T) {
	inner := NewInner()
	inner.notes["a"] = []Note{{Text: "x"}}
	inner.notes["nil"], inner.notes["empty"] = nil, []Note{}
	inner.byPair[[2]int{1, 2}] = &Note{Size: 3}
	inner.bytes, inner.never = []byte("ab"), nil
	inner.at = time.Date(2020, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	app := onefoldtest.New(t, inner, NewOuter)
	note := func(text string, size int64) state.Entries {
		return state.Entries{{Key: "Text", Value: text}, {Key: "Size", Value: size}}
	}
	want := map[string]any{
		"Inner.notes": state.Entries{
			{Key: "a", Value: []any{note("x", 0)}},
			{Key: "empty", Value: []any{}},
			{Key: "nil", Value: nil},
		},
		"Inner.byPair": state.Entries{{Key: []any{int64(1), int64(2)}, Value: note("", 3)}},
		"Inner.never":  state.Entries{},
		"Inner.bytes":  []byte("ab"),
		"Inner.at":     "2020-01-02T03:04:05.000000006+01:00",
		"Outer.calls":  int64(0),
	}
	if diff := cmp.Diff(want, onefoldtest.State(app)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if got := onefoldtest.Get[Inner](app); got != inner {
		t.Errorf("Get returned %p, want %p", got, inner)
	}
}

func TestCallRestoresOnPanic(t *testing.T) {
	app := newApp(t)
	outer := onefoldtest.Get[Outer](app)
	func() {
		defer func() {
			if r := recover(); r != "boom" {
				t.Errorf("recovered %v, want boom", r)
			}
		}()
		_ = onefoldtest.Call(app, func(context.Context) error {
			outer.calls = 9
			panic("boom")
		})
	}()
	if outer.calls != 0 {
		t.Errorf("calls = %d after a panic, want 0", outer.calls)
	}
}

// failing records how New fails.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
}

func TestNewExplains(t *testing.T) {
	for _, tt := range []struct {
		parts []any
		want  string
	}{
		{[]any{NewOuter}, "constructor func(*onefoldtest_test.Inner) *onefoldtest_test.Outer wants a *onefoldtest_test.Inner, and no part makes one"},
		{[]any{NewInner, NewInner}, "two services are called Inner"},
		{[]any{7}, "part is int, want a constructor or a pointer to a service"},
		{[]any{func() int { return 0 }}, "func() int is no constructor"},
		{[]any{func(n int) *Inner { return nil }}, "wants a int, which is no pointer to a service"},
		{[]any{func(*Outer) *Inner { return nil }, NewOuter}, "depend on each other in a circle"},
	} {
		f := &failing{TB: t}
		onefoldtest.New(f, tt.parts...)
		if !strings.Contains(f.text, tt.want) {
			t.Errorf("New failed with %q, want %q in it", f.text, tt.want)
		}
	}
}
