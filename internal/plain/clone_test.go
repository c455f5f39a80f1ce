package plain

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type node struct {
	Name string
	tags map[string][]int
	next *node
	any  any
	At   time.Time
	arr  [1]*int
}

func TestClone(t *testing.T) {
	one := 1
	sample := func() *node {
		return &node{Name: "a", tags: map[string][]int{"x": {1, 2}, "nil": nil}, next: &node{Name: "b"}, any: []int{3}, At: time.Now(), arr: [1]*int{&one}}
	}
	want := sample()
	want.At = want.At.Round(0)
	got := Clone(want)
	opts := cmp.AllowUnexported(node{})
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got.tags["x"][0], got.next.Name, got.any.([]int)[0], *got.arr[0] = 9, "changed", 9, 9
	if want.tags["x"][0] != 1 || want.next.Name != "b" || want.any.([]int)[0] != 3 || one != 1 {
		t.Errorf("the copy shares memory: %+v", want)
	}
	if want.next.tags != nil || got.next.tags != nil || got.tags["nil"] != nil {
		t.Error("nil is no longer nil")
	}
	if now := time.Now(); Clone(now) != now.Round(0) {
		t.Error("a time keeps its monotonic reading")
	}
	if Clone[any](nil) != nil {
		t.Error("nil interface")
	}
}
