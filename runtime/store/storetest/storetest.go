// Package storetest is the conformance suite of store engines. Whatever passes
// it can carry onefold's runtime.
package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/store"
)

// Run tests the engines that open makes. Each call of open returns an empty
// store, which Run closes.
func Run(t *testing.T, open func(t *testing.T) store.Engine) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *client)
	}{
		{"Versions", testVersions},
		{"Range", testRange},
		{"OperationOrder", testOperationOrder},
		{"Add", testAdd},
		{"Stamped", testStamped},
		{"Conflicts", testConflicts},
		{"Phantoms", testPhantoms},
		{"BlindWrites", testBlindWrites},
		{"WriteSkew", testWriteSkew},
		{"Limits", testLimits},
		{"BigCommit", testBigCommit},
		{"Slices", testSlices},
		{"Settle", testSettle},
		{"Release", testRelease},
		{"Cancelled", testCancelled},
		{"EmptyCommit", testEmptyCommit},
		{"Model", testModel},
		{"Counter", testCounter},
		{"ConcurrentAdds", testConcurrentAdds},
		{"Bank", testBank},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := open(t)
			defer e.Close()
			c.test(t, &client{t: t, Engine: e})
		})
	}
	t.Run("Closed", func(t *testing.T) { testClosed(t, open(t)) })
}

// RunAged tests that versions get too old. open also returns a function that
// lets the given time pass for the engine.
func RunAged(t *testing.T, open func(t *testing.T) (e store.Engine, advance func(time.Duration))) {
	e, advance := open(t)
	defer e.Close()
	c := &client{t: t, Engine: e}
	c.set("k", "1")
	old := c.readVersion()
	defer e.Release(old)
	c.set("k", "2")
	advance(store.MaxAge - time.Second)
	if got := c.get(old, "k"); got != "1" {
		t.Errorf("a version in its time reads %q, want 1", got)
	}
	advance(2 * time.Second)
	ctx := t.Context()
	if _, _, err := e.Get(ctx, old, []byte("k")); !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Get at an old version: %v, want ErrTooOld", err)
	}
	if _, _, err := e.Range(ctx, old, keys("a", "z"), store.RangeOptions{}); !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Range at an old version: %v, want ErrTooOld", err)
	}
	commit := &store.Commit{Version: old, Reads: []store.Range{point("other")}, Ops: []store.Op{set("k", "3")}}
	if _, err := e.Commit(ctx, commit); !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Commit at an old version: %v, want ErrTooOld", err)
	}
	if got := c.latest("k"); got != "2" {
		t.Errorf("after a commit at an old version k is %q, want 2", got)
	}
}

// client adds to an engine what tests need: strings for keys and values, and
// errors that end the test.
type client struct {
	t *testing.T
	store.Engine
}

func (c *client) readVersion() store.Version {
	c.t.Helper()
	v, err := c.ReadVersion(c.t.Context())
	if err != nil {
		c.t.Fatalf("ReadVersion: %v", err)
	}
	return v
}

// get returns the value of key at v, "-" if it is absent.
func (c *client) get(v store.Version, key string) string {
	c.t.Helper()
	value, ok, err := c.Get(c.t.Context(), v, []byte(key))
	if err != nil {
		c.t.Fatalf("Get(%q): %v", key, err)
	}
	if !ok {
		return "-"
	}
	return string(value)
}

// latest returns the value of key now.
func (c *client) latest(key string) string {
	c.t.Helper()
	v := c.readVersion()
	defer c.Release(v)
	return c.get(v, key)
}

// list returns the keys and values of r at v, as "key=value".
func (c *client) list(v store.Version, r store.Range, opts store.RangeOptions) (pairs []string, more bool) {
	c.t.Helper()
	kvs, more, err := c.Range(c.t.Context(), v, r, opts)
	if err != nil {
		c.t.Fatalf("Range(%q, %q): %v", r.Begin, r.End, err)
	}
	for _, kv := range kvs {
		pairs = append(pairs, string(kv.Key)+"="+string(kv.Value))
	}
	return pairs, more
}

// all returns everything in the store now.
func (c *client) all() []string {
	c.t.Helper()
	v := c.readVersion()
	defer c.Release(v)
	pairs, _ := c.list(v, keys("", "\xff"), store.RangeOptions{})
	return pairs
}

// do commits blind writes.
func (c *client) do(ops ...store.Op) store.Version {
	c.t.Helper()
	v, err := c.Commit(c.t.Context(), &store.Commit{Ops: ops})
	if err != nil {
		c.t.Fatalf("Commit: %v", err)
	}
	return v
}

func (c *client) set(key, value string) store.Version {
	c.t.Helper()
	return c.do(set(key, value))
}

func set(key, value string) store.Op {
	return store.Op{Kind: store.Set, Key: []byte(key), Value: []byte(value)}
}

func clearKey(key string) store.Op {
	return store.Op{Kind: store.Clear, Key: []byte(key)}
}

func clearRange(begin, end string) store.Op {
	return store.Op{Kind: store.ClearRange, Key: []byte(begin), Value: []byte(end)}
}

func keys(begin, end string) store.Range {
	return store.Range{Begin: []byte(begin), End: []byte(end)}
}

func point(key string) store.Range { return store.Point([]byte(key)) }

func diff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func testVersions(t *testing.T, c *client) {
	empty := c.readVersion()
	defer c.Release(empty)
	v1 := c.set("k", "1")
	first := c.readVersion()
	defer c.Release(first)
	v2 := c.do(clearKey("k"), set("l", "2"))
	second := c.readVersion()
	defer c.Release(second)
	if !(empty < v1 && v1 <= first && first < v2 && v2 <= second) {
		t.Errorf("versions are not in order: read %d, commit %d, read %d, commit %d, read %d", empty, v1, first, v2, second)
	}
	for _, step := range []struct {
		at   store.Version
		want []string
	}{{empty, nil}, {first, []string{"k=1"}}, {second, []string{"l=2"}}} {
		got, _ := c.list(step.at, keys("", "\xff"), store.RangeOptions{})
		diff(t, "range at a version", step.want, got)
	}
	diff(t, "k at the first version", "1", c.get(first, "k"))
	diff(t, "k at the second version", "-", c.get(second, "k"))
}

func testRange(t *testing.T, c *client) {
	c.do(set("a", "1"), set("b", ""), set("c", "3"), set("d", "4"))
	v := c.readVersion()
	defer c.Release(v)
	all := []string{"a=1", "b=", "c=3", "d=4"}
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	for _, r := range []struct {
		name       string
		begin, end string
		opts       store.RangeOptions
		want       []string
		more       bool
	}{
		{"all", "", "\xff", store.RangeOptions{}, all, false},
		{"half open", "a", "c", store.RangeOptions{}, all[:2], false},
		{"between keys", "aa", "cc", store.RangeOptions{}, all[1:3], false},
		{"limit", "", "\xff", store.RangeOptions{Limit: 2}, all[:2], true},
		{"limit above", "", "\xff", store.RangeOptions{Limit: 9}, all, false},
		{"reverse", "", "\xff", store.RangeOptions{Reverse: true}, reversed, false},
		{"reverse limit", "a", "d", store.RangeOptions{Reverse: true, Limit: 2}, []string{"c=3", "b="}, true},
		{"empty", "x", "y", store.RangeOptions{}, nil, false},
		{"inverted", "c", "a", store.RangeOptions{}, nil, false},
		{"one key", "b", "b\x00", store.RangeOptions{}, all[1:2], false},
		{"past the end", "c", "\xff\xff", store.RangeOptions{}, all[2:], false},
	} {
		got, more := c.list(v, keys(r.begin, r.end), r.opts)
		diff(t, r.name, r.want, got)
		diff(t, r.name+": more", r.more, more)
	}
}

func testOperationOrder(t *testing.T, c *client) {
	c.do(set("a", "0"), set("b", "0"), set("c", "0"))
	c.do(set("a", "1"), clearRange("a", "c"), set("b", "2"), clearKey("c"), set("c", "3"), set("d", "4"), clearKey("d"))
	diff(t, "after operations in order", []string{"b=2", "c=3"}, c.all())
	c.do(clearRange("b", "b"), clearRange("c", "b"))
	diff(t, "after clears of empty ranges", []string{"b=2", "c=3"}, c.all())
}

func testSettle(t *testing.T, c *client) {
	v := c.set("k", "1")
	if err := c.Settle(t.Context(), v); err != nil {
		t.Errorf("Settle: %v", err)
	}
	read := c.readVersion()
	defer c.Release(read)
	if err := c.Settle(t.Context(), read); err != nil {
		t.Errorf("Settle of a read version: %v", err)
	}
}

func testRelease(t *testing.T, c *client) {
	c.set("k", "1")
	v := c.readVersion()
	w := c.readVersion()
	c.Release(v)
	c.set("k", "2")
	if got := c.get(w, "k"); got != "1" {
		t.Errorf("a version that is still held reads %q, want 1", got)
	}
	// A transaction may release its version before it commits.
	c.Release(w)
	_, err := c.Commit(t.Context(), &store.Commit{Version: w, Reads: []store.Range{point("k")}, Ops: []store.Op{set("k", "3")}})
	if !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Commit after Release: %v, want ErrConflict or ErrTooOld", err)
	}
}

func testCancelled(t *testing.T, c *client) {
	v := c.readVersion()
	defer c.Release(v)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", what, err)
		}
	}
	_, err := c.ReadVersion(ctx)
	check("ReadVersion", err)
	_, _, err = c.Get(ctx, v, []byte("k"))
	check("Get", err)
	_, _, err = c.Range(ctx, v, keys("a", "z"), store.RangeOptions{})
	check("Range", err)
	_, err = c.Commit(ctx, &store.Commit{Ops: []store.Op{set("k", "1")}})
	check("Commit", err)
	diff(t, "the store", []string(nil), c.all())
}

func testEmptyCommit(t *testing.T, c *client) {
	v := c.readVersion()
	defer c.Release(v)
	c.set("k", "1")
	if _, err := c.Commit(t.Context(), &store.Commit{Version: v, Reads: []store.Range{point("k")}}); err != nil {
		t.Errorf("a commit without operations: %v, want none", err)
	}
}

func testClosed(t *testing.T, e store.Engine) {
	c := &client{t: t, Engine: e}
	v := c.readVersion()
	if err := e.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	ctx := t.Context()
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", what, err)
		}
	}
	_, err := e.ReadVersion(ctx)
	check("ReadVersion", err)
	_, _, err = e.Get(ctx, v, []byte("k"))
	check("Get", err)
	_, err = e.Commit(ctx, &store.Commit{Ops: []store.Op{set("k", "1")}})
	check("Commit", err)
	check("Close", e.Close())
	e.Release(v)
}
