package snapshot_test

import (
	"math"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest/snapshot"
)

type leaf struct {
	n    int
	tags []string
}

type other struct {
	mu    sync.Mutex
	items map[string]*leaf
}

type graph struct {
	mu       sync.RWMutex
	count    int
	arr      [2][]int
	list     []leaf
	byKey    map[[2]int]leaf
	shared   *leaf
	alias    *leaf
	any      any
	at       time.Time
	self     *graph
	other    *other
	nilMap   map[string]int
	nilSlice []int
	nested   struct{ m map[string][]int }
}

func newGraph() *graph {
	l := &leaf{n: 1, tags: []string{"a"}}
	g := &graph{
		count:  7,
		arr:    [2][]int{{1, 2}, nil},
		list:   make([]leaf, 1, 4),
		byKey:  map[[2]int]leaf{{1, 2}: {n: 3, tags: []string{"x", "y"}}},
		shared: l,
		alias:  l,
		any:    map[string][]int{"k": {9}},
		at:     time.Unix(5, 0),
		other:  &other{items: map[string]*leaf{"l": l}},
	}
	g.self = g
	g.nested.m = map[string][]int{"n": {1}}
	return g
}

// contents renders what the tests compare, aliases included.
func contents(g *graph) map[string]any {
	return map[string]any{
		"count": g.count, "arr": g.arr, "list": len(g.list), "list0": g.list[0].n, "spare": g.list[:4][3].n,
		"byKey": g.byKey[[2]int{1, 2}].tags, "keys": len(g.byKey), "shared": *g.shared, "aliased": g.shared == g.alias && g.shared == g.other.items["l"],
		"any": g.any, "at": g.at, "self": g.self == g, "items": len(g.other.items),
		"nilMap": g.nilMap == nil, "nilSlice": g.nilSlice == nil, "nested": g.nested.m,
	}
}

var exporter = cmp.Exporter(func(reflect.Type) bool { return true })

func TestRestoreInPlace(t *testing.T) {
	g := newGraph()
	want := contents(newGraph())
	shared, items, tags := g.shared, g.other.items, g.byKey[[2]int{1, 2}].tags

	s := snapshot.Take(g)
	for range 2 { // a snapshot may be restored more than once
		g.count = 8
		g.arr[0][1] = 99
		g.arr[1] = []int{4}
		g.list = append(g.list, leaf{n: 4})
		g.list[:4][3].n = 5
		g.list[0].n = 6
		g.byKey[[2]int{1, 2}].tags[0] = "changed"
		g.byKey[[2]int{3, 4}] = leaf{}
		g.shared.n = 10
		g.shared.tags = append(g.shared.tags, "b")
		g.alias = &leaf{}
		g.any.(map[string][]int)["k"][0] = 10
		g.any.(map[string][]int)["new"] = nil
		g.at = time.Unix(6, 0)
		delete(g.other.items, "l")
		g.other.items["m"] = &leaf{}
		g.nilMap = map[string]int{"a": 1}
		g.nilSlice = []int{}
		g.nested.m["n"][0] = 2
		g.self = nil
		s.Restore()
		if diff := cmp.Diff(want, contents(g), exporter); diff != "" {
			t.Fatalf("restored graph (-want +got):\n%s", diff)
		}
	}
	if g.shared != shared || tags[0] != "x" {
		t.Error("pointers and slices held outside do not see the restored state")
	}
	if len(items) != 1 || items["l"] != shared {
		t.Error("a map held outside does not see the restored state")
	}
}

func TestMutexesAreLeftAlone(t *testing.T) {
	g := newGraph()
	s := snapshot.Take(g)
	g.mu.Lock()
	g.other.mu.Lock()
	s.Restore()
	if g.mu.TryLock() || g.other.mu.TryLock() {
		t.Error("restoring unlocked a mutex")
	}
	held := snapshot.Take(g)
	g.mu.Unlock()
	held.Restore()
	if !g.mu.TryLock() {
		t.Error("restoring locked a mutex")
	}
}

func TestSlicesOfStructsWithMutexes(t *testing.T) {
	type guarded struct {
		mu sync.Mutex
		n  int
	}
	g := &struct{ all []guarded }{make([]guarded, 2)}
	s := snapshot.Take(g)
	g.all[1].mu.Lock()
	g.all[1].n = 1
	s.Restore()
	if g.all[1].n != 0 || g.all[1].mu.TryLock() {
		t.Errorf("n = %d, want 0 and the mutex still locked", g.all[1].n)
	}
}

func TestNaNKeys(t *testing.T) {
	m := map[float64]int{math.NaN(): 1}
	s := snapshot.Take(&m)
	m[math.NaN()] = 2
	m[1] = 3
	s.Restore()
	if len(m) != 1 {
		t.Errorf("%d entries, want 1", len(m))
	}
}

func TestRootMustBePointer(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Take of a struct did not panic")
		}
	}()
	snapshot.Take(graph{})
}
