package state_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/state"
)

// browser is a field of any kind.
type browser interface {
	Browse(tx *atomic.Tx, w state.Window) (state.Rows, error)
}

// browse returns a page as JSON, one row after the other as key=value.
func browse(t *testing.T, r *atomic.Runner, f browser, w state.Window) (rows []string, next string, err error) {
	t.Helper()
	failed := r.Read(context.Background(), func(_ context.Context, tx *atomic.Tx) error {
		page, browseErr := f.Browse(tx, w)
		rows, next, err = nil, page.Next, browseErr
		for _, row := range page.List {
			rows = append(rows, fmt.Sprintf("%s=%s", state.AppendJSON(nil, row.Key), state.AppendJSON(nil, row.Value)))
		}
		return nil
	})
	if failed != nil {
		t.Fatal(failed)
	}
	return rows, next, err
}

func key(s string) *string { return &s }

func TestBrowse(t *testing.T) {
	r := newRunner(t)
	fill(t, r)
	for _, test := range []struct {
		name  string
		field browser
		w     state.Window
		want  []string
		more  bool
	}{
		{"first page of a map", countsField, state.Window{Limit: 3}, []string{"0=0", "1=1", "2=2"}, true},
		{"from a key", countsField, state.Window{From: "8"}, []string{"8=8", "9=9"}, false},
		{"from a key that is not there", nodesField, state.Window{From: "aa"}, []string{`"b"={"N":2,"Next":null,"Tags":null,"meta":null}`}, false},
		{"one key", countsField, state.Window{Key: key("7")}, []string{"7=7"}, false},
		{"one key that is not there", countsField, state.Window{Key: key("70")}, nil, false},
		{"a string key that is empty", nodesField, state.Window{Key: key("")}, nil, false},
		{"an exact page of a map", countsField, state.Window{From: "7", Limit: 3}, []string{"7=7", "8=8", "9=9"}, false},
		{"elements of a slice", lineField, state.Window{From: "7", Limit: 2}, []string{`7={"Name":"7","Tags":null}`, `8={"Name":"8","Tags":null}`}, true},
		{"an exact page of a slice", lineField, state.Window{From: "8", Limit: 2}, []string{`8={"Name":"8","Tags":null}`, `9={"Name":"9","Tags":null}`}, false},
		{"one element", lineField, state.Window{Key: key("9")}, []string{`9={"Name":"9","Tags":null}`}, false},
		{"an element beyond the end", lineField, state.Window{Key: key("10")}, nil, false},
		{"a single value", totalField, state.Window{}, []string{"null=0"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows, next, err := browse(t, r, test.field, test.w)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if (next != "") != test.more {
				t.Errorf("next page at %q, want one: %v", next, test.more)
			}
		})
	}
}

// TestBrowsePages goes through a map and a slice page by page.
func TestBrowsePages(t *testing.T) {
	r := newRunner(t)
	fill(t, r)
	for name, field := range map[string]browser{"map": countsField, "slice": lineField} {
		total, pages := 0, 0
		for w := (state.Window{Limit: 4}); ; pages++ {
			rows, next, err := browse(t, r, field, w)
			if err != nil {
				t.Fatal(err)
			}
			total += len(rows)
			if w.Cursor = next; next == "" {
				break
			}
		}
		if total != 10 || pages != 2 {
			t.Errorf("%s: %d rows in %d further pages, want 10 in 2", name, total, pages)
		}
	}
}

func TestBrowseBadKeys(t *testing.T) {
	r := newRunner(t)
	for name, test := range map[string]struct {
		field browser
		w     state.Window
	}{
		"no integer":            {countsField, state.Window{Key: key("x")}},
		"from no integer":       {countsField, state.Window{From: "x"}},
		"no cursor":             {countsField, state.Window{Cursor: "zz"}},
		"no index":              {lineField, state.Window{Key: key("-1")}},
		"key of a single value": {totalField, state.Window{Key: key("a")}},
	} {
		_, _, err := browse(t, r, test.field, test.w)
		var bad *state.KeyError
		if !errors.As(err, &bad) {
			t.Errorf("%s: error %v, want a KeyError", name, err)
		}
	}
}

func TestFieldTypes(t *testing.T) {
	for want, f := range map[string]interface{ Type() string }{
		"map[string]*state_test.node": nodesField, "[]state_test.item": lineField, "int": totalField,
	} {
		if got := f.Type(); got != want {
			t.Errorf("type %q, want %q", got, want)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	type place struct{ Row, Col int }
	for want, v := range map[string]any{
		`{"Row":1,"Col":-2}`:               place{1, -2},
		`{"1":"a","2":"b"}`:                map[int]string{2: "b", 1: "a"},
		`[[{"Row":1,"Col":2},true]]`:       map[place]bool{{1, 2}: true},
		`{}`:                               map[string]int{},
		`"AQI="`:                           []byte{1, 2},
		`["NaN","-Inf",0.5,1e+21]`:         []float64{math.NaN(), math.Inf(-1), 0.5, 1e21},
		`"<b>\n"`:                          "<b>\n",
		`18446744073709551615`:             uint64(math.MaxUint64),
		`"(1+2i)"`:                         1 + 2i,
		`null`:                             []string(nil),
		`["2006-01-02T15:04:05Z",[1,2,3]]`: []any{time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC), [3]int{1, 2, 3}},
	} {
		if got := string(state.AppendJSON(nil, state.Generic(v))); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
