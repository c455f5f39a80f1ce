package onefoldtest

import (
	"math"
	"strings"
	"testing"
)

// nested returns a list in a list in a list, and so on, with leaf in the last.
func nested(depth int, leaf any) any {
	for range depth {
		leaf = map[string]any{"next": []any{leaf}}
	}
	return leaf
}

// A linked list is as deep as it is long.
func TestCompareDeepValues(t *testing.T) {
	var c comparer
	want, got := map[string]any{"S.list": nested(1000, "x")}, map[string]any{"S.list": nested(1000, "x")}
	if d := c.states(want, got); d != "" {
		t.Errorf("equal states differ:\n%s", d)
	}
	for _, depth := range []int{3, 1000} {
		got["S.list"] = nested(depth, "y")
		want["S.list"] = nested(depth, "x")
		if d := c.states(want, got); !strings.Contains(d, `"y"`) {
			t.Errorf("the difference %d deep is not shown: %q", depth, d)
		}
	}
}

func TestCompareNaN(t *testing.T) {
	var c comparer
	if d := c.states(map[string]any{"S.f": math.NaN()}, map[string]any{"S.f": math.NaN()}); d != "" {
		t.Errorf("NaN differs from itself:\n%s", d)
	}
}
