package onefoldtest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/onefold/onefold/runtime/state"
)

// deepest is how deep values may be to be compared by cmp, which compares what lies in slices
// again at every level: that takes a power of the depth.
const deepest = 8

// diff returns how two values differ, replies or states; "" where they do not.
func diff(want, got any) string {
	switch {
	case same(want, got):
		return ""
	case max(depth(want), depth(got)) > deepest:
		return cmp.Diff(outline(nil, "", "", want), outline(nil, "", "", got))
	}
	return cmp.Diff(want, got, cmpopts.EquateNaNs())
}

// same reports whether two values are equal; a NaN equals any other.
func same(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && (a == nil) == (b == nil) && slices.EqualFunc(a, b, same)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && (a == nil) == (b == nil) && maps.EqualFunc(a, b, same)
	case state.Entries:
		b, ok := b.(state.Entries)
		return ok && (a == nil) == (b == nil) && slices.EqualFunc(a, b, func(a, b state.Entry) bool {
			return same(a.Key, b.Key) && same(a.Value, b.Value)
		})
	case seen:
		b, ok := b.(seen)
		same := same(a.Value, b.Value) && same(a.Error, b.Error)
		a.Value, b.Value, a.Error, b.Error = nil, nil, nil, nil
		return ok && same && reflect.DeepEqual(a, b)
	case float64:
		if b, ok := b.(float64); ok && a != a && b != b {
			return true
		}
	}
	return reflect.DeepEqual(a, b)
}

// depth returns how many slices and maps lie in each other.
func depth(v any) int {
	most := 0
	for _, e := range elements(v) {
		most = max(most, 1+depth(e.value))
	}
	return most
}

// element is a part of a value, with what leads to it.
type element struct {
	name  string
	value any
}

// elements returns the parts of a value, none of one that has no parts.
func elements(v any) (list []element) {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			list = append(list, element{fmt.Sprint(i), e})
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			list = append(list, element{k, v[k]})
		}
	case state.Entries:
		for _, e := range v {
			list = append(list, element{fmt.Sprint(e.Key), e.Value})
		}
	case seen:
		list = []element{{"status", v.Status}, {"type", v.Type}, {"value", v.Value}, {"detail", v.Detail}, {"codes", v.Codes}, {"error", v.Error}}
	}
	return list
}

// outline appends the lines that show a value, one for each part.
func outline(lines []string, indent, name string, v any) []string {
	parts := elements(v)
	if len(parts) == 0 {
		return append(lines, fmt.Sprintf("%s%s: %#v", indent, name, v))
	}
	lines = append(lines, indent+name+":")
	for _, e := range parts {
		lines = outline(lines, indent+"  ", e.name, e.value)
	}
	return lines
}
