package overlay_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/overlay"
)

func open(t testing.TB) store.Engine {
	t.Helper()
	e, err := embedded.Open("store", embedded.Options{FS: vfs.NewMem(), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// begin returns an overlay at a fresh version.
func begin(t testing.TB, e store.Engine) *overlay.Overlay {
	t.Helper()
	v, err := e.ReadVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Release(v) })
	return overlay.New(e, v)
}

func put(t testing.TB, e store.Engine, pairs ...string) {
	t.Helper()
	o := begin(t, e)
	for _, p := range pairs {
		k, v, _ := strings.Cut(p, "=")
		o.Set([]byte(k), []byte(v))
	}
	commit(t, e, o)
}

func commit(t testing.TB, e store.Engine, o *overlay.Overlay) {
	t.Helper()
	if _, err := e.Commit(t.Context(), o.Commit()); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, o *overlay.Overlay, key string) string {
	t.Helper()
	value, ok, err := o.Get(t.Context(), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return "-"
	}
	return string(value)
}

func list(t testing.TB, o *overlay.Overlay, r store.Range, opts store.RangeOptions) []string {
	t.Helper()
	kvs, _, err := o.Range(t.Context(), r, opts)
	if err != nil {
		t.Fatal(err)
	}
	return pairs(kvs)
}

func pairs(kvs []store.KV) []string {
	var out []string
	for _, kv := range kvs {
		out = append(out, string(kv.Key)+"="+string(kv.Value))
	}
	return out
}

func keys(begin, end string) store.Range {
	return store.Range{Begin: []byte(begin), End: []byte(end)}
}

func little(n int64) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

// reads returns the read conflicts as text: "k" for a key, "[a b)" for a range.
func reads(o *overlay.Overlay) []string {
	var out []string
	for _, r := range o.Reads() {
		if cmp.Equal(store.Point(r.Begin), r) {
			out = append(out, string(r.Begin))
		} else {
			out = append(out, "["+string(r.Begin)+" "+string(r.End)+")")
		}
	}
	return out
}

// ops returns operations as text.
func ops(list []store.Op) []string {
	names := map[store.OpKind]string{
		store.Set: "set", store.Clear: "clear", store.ClearRange: "clearrange", store.Add: "add", store.SetStamped: "stamped",
	}
	var out []string
	for _, op := range list {
		value := string(op.Value)
		if op.Kind == store.Add {
			value = string(rune('0' + binary.LittleEndian.Uint64(op.Value)))
		}
		out = append(out, strings.TrimSpace(names[op.Kind]+" "+string(op.Key)+" "+value))
	}
	return out
}

func equal(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestReadYourWrites(t *testing.T) {
	e := open(t)
	put(t, e, "a=1", "b=2", "c=3", "d=4", "n="+little(5))
	o := begin(t, e)
	o.Set([]byte("a"), []byte("A"))
	o.Clear([]byte("b"))
	o.ClearRange(keys("c", "d"))
	o.Set([]byte("cc"), []byte("CC"))
	o.Add([]byte("n"), 2)
	o.Add([]byte("new"), 3)
	for key, want := range map[string]string{
		"a": "A", "b": "-", "c": "-", "cc": "CC", "d": "4", "n": little(7), "new": little(3), "none": "-",
	} {
		equal(t, key, want, get(t, o, key))
	}
	want := []string{"a=A", "cc=CC", "d=4", "n=" + little(7), "new=" + little(3)}
	equal(t, "range", want, list(t, o, keys("", "z"), store.RangeOptions{}))
	commit(t, e, o)
	equal(t, "after the commit", want, list(t, begin(t, e), keys("", "z"), store.RangeOptions{}))
}

func TestReadConflicts(t *testing.T) {
	e := open(t)
	put(t, e, "a=1", "b=2", "c=3", "d=4")
	for _, tt := range []struct {
		name string
		do   func(o *overlay.Overlay)
		want []string
	}{
		{"get", func(o *overlay.Overlay) { get(t, o, "a") }, []string{"a"}},
		{"get of an absent key", func(o *overlay.Overlay) { get(t, o, "x") }, []string{"x"}},
		{"get twice", func(o *overlay.Overlay) { get(t, o, "a"); get(t, o, "a") }, []string{"a"}},
		{"get of own set", func(o *overlay.Overlay) { o.Set([]byte("a"), nil); get(t, o, "a") }, nil},
		{"get of own clear", func(o *overlay.Overlay) { o.Clear([]byte("a")); get(t, o, "a") }, nil},
		{"get in own range clear", func(o *overlay.Overlay) { o.ClearRange(keys("a", "c")); get(t, o, "b") }, nil},
		{"get of own addition", func(o *overlay.Overlay) { o.Add([]byte("a"), 1); get(t, o, "a") }, []string{"a"}},
		{"get of own addition to own set", func(o *overlay.Overlay) {
			o.Set([]byte("a"), []byte(little(1)))
			o.Add([]byte("a"), 1)
			get(t, o, "a")
		}, nil},
		{"blind writes", func(o *overlay.Overlay) { o.Set([]byte("a"), nil); o.Add([]byte("b"), 1) }, nil},
		{"range", func(o *overlay.Overlay) { list(t, o, keys("a", "z"), store.RangeOptions{}) }, []string{"[a z)"}},
		{"range cut by its limit", func(o *overlay.Overlay) {
			list(t, o, keys("a", "z"), store.RangeOptions{Limit: 2})
		}, []string{"[a b\x00)"}},
		{"reverse range cut by its limit", func(o *overlay.Overlay) {
			list(t, o, keys("a", "z"), store.RangeOptions{Limit: 2, Reverse: true})
		}, []string{"[c z)"}},
		{"range cut at an own key", func(o *overlay.Overlay) {
			o.Set([]byte("aa"), nil)
			list(t, o, keys("a", "z"), store.RangeOptions{Limit: 2})
		}, []string{"[a aa\x00)"}},
		{"range behind own clear", func(o *overlay.Overlay) {
			o.ClearRange(keys("a", "c"))
			list(t, o, keys("a", "z"), store.RangeOptions{})
		}, []string{"[c z)"}},
		{"range within own clear", func(o *overlay.Overlay) {
			o.ClearRange(keys("a", "z"))
			o.Set([]byte("b"), nil)
			list(t, o, keys("a", "m"), store.RangeOptions{})
		}, nil},
		{"range around own clear", func(o *overlay.Overlay) {
			o.ClearRange(keys("b", "c"))
			list(t, o, keys("a", "z"), store.RangeOptions{})
		}, []string{"[a b)", "[c z)"}},
		{"joined", func(o *overlay.Overlay) {
			list(t, o, keys("c", "d"), store.RangeOptions{})
			list(t, o, keys("a", "c"), store.RangeOptions{})
			get(t, o, "b")
		}, []string{"[a d)"}},
		{"observed", func(o *overlay.Overlay) { o.Observe(store.Point([]byte("q"))) }, []string{"q"}},
		{"rolled back", func(o *overlay.Overlay) {
			m := o.Mark()
			get(t, o, "a")
			o.Set([]byte("b"), nil)
			o.Rollback(m)
		}, []string{"a"}},
		{"snapshot reads", func(o *overlay.Overlay) {
			o.Add([]byte("a"), 1)
			for _, key := range []string{"a", "b"} {
				if _, _, err := o.SnapshotGet(t.Context(), []byte(key)); err != nil {
					t.Error(err)
				}
			}
			if _, _, err := o.SnapshotRange(t.Context(), keys("a", "z"), store.RangeOptions{}); err != nil {
				t.Error(err)
			}
		}, nil},
	} {
		o := begin(t, e)
		tt.do(o)
		equal(t, tt.name, tt.want, reads(o))
	}
}

func TestManyReadsAreCoalesced(t *testing.T) {
	e := open(t)
	o := begin(t, e)
	for i := range 1000 {
		get(t, o, string([]byte{'k', byte(i % 7)}))
	}
	if got := len(o.Commit().Reads); got != 7 {
		t.Errorf("1000 reads of 7 keys are %d conflict ranges, want 7", got)
	}
}

func TestOperationsAreCoalesced(t *testing.T) {
	e := open(t)
	k, l := []byte("k"), []byte("l")
	for _, tt := range []struct {
		name string
		do   func(o *overlay.Overlay)
		want []string
	}{
		{"last set wins", func(o *overlay.Overlay) { o.Set(k, []byte("1")); o.Set(l, nil); o.Set(k, []byte("2")) }, []string{"set k 2", "set l"}},
		{"clear after set", func(o *overlay.Overlay) { o.Set(k, []byte("1")); o.Clear(k) }, []string{"clear k"}},
		{"set after clear", func(o *overlay.Overlay) { o.Clear(k); o.Set(k, []byte("1")) }, []string{"set k 1"}},
		{"additions", func(o *overlay.Overlay) { o.Add(k, 1); o.Add(l, 5); o.Add(k, 2) }, []string{"add k 3", "add l 5"}},
		{"addition after set", func(o *overlay.Overlay) { o.Set(k, []byte(little(1))); o.Add(k, 2) }, []string{"set k " + little(3)}},
		{"addition after clear", func(o *overlay.Overlay) { o.Clear(k); o.Add(k, 2) }, []string{"set k " + little(2)}},
		{"set after addition", func(o *overlay.Overlay) { o.Add(k, 2); o.Set(k, []byte("1")) }, []string{"set k 1"}},
		{"addition that was read", func(o *overlay.Overlay) { o.Add(k, 2); get(t, o, "k"); o.Add(k, 3) }, []string{"add k 5"}},
		{"range clear", func(o *overlay.Overlay) {
			o.Set(k, nil)
			o.Add(l, 1)
			o.ClearRange(keys("a", "z"))
			o.Set(k, []byte("2"))
		}, []string{"clearrange a z", "set k 2"}},
		{"empty range clear", func(o *overlay.Overlay) { o.ClearRange(keys("b", "a")) }, nil},
		{"across a mark", func(o *overlay.Overlay) {
			o.Set(k, []byte("1"))
			o.Mark()
			o.Set(k, []byte("2"))
			o.Mark()
			o.Add(l, 1)
			o.Mark()
			o.Add(l, 1)
		}, []string{"set k 2", "add l 2"}},
	} {
		o := begin(t, e)
		tt.do(o)
		equal(t, tt.name, tt.want, ops(o.Commit().Ops))
	}
}

func TestRollback(t *testing.T) {
	e := open(t)
	put(t, e, "a=1", "n="+little(1))
	o := begin(t, e)
	o.Set([]byte("b"), []byte("2"))
	o.Add([]byte("n"), 1)
	outer := o.Mark()
	o.Set([]byte("b"), []byte("3"))
	o.Add([]byte("n"), 10)
	inner := o.Mark()
	o.ClearRange(keys("", "z"))
	equal(t, "cleared", []string(nil), list(t, o, keys("", "z"), store.RangeOptions{}))
	o.Rollback(inner)
	equal(t, "after the inner rollback", []string{"a=1", "b=3", "n=" + little(12)}, list(t, o, keys("", "z"), store.RangeOptions{}))
	o.Rollback(outer)
	equal(t, "after the outer rollback", []string{"a=1", "b=2", "n=" + little(2)}, list(t, o, keys("", "z"), store.RangeOptions{}))
	o.Rollback(outer)
	equal(t, "operations", []string{"set b 2", "add n 1"}, ops(o.Ops()))
	o.Set([]byte("b"), []byte("4"))
	equal(t, "b", "4", get(t, o, "b"))
}

func TestRollbackToForeignMarkPanics(t *testing.T) {
	o := begin(t, open(t))
	outer := o.Mark()
	o.Set([]byte("a"), nil)
	inner := o.Mark()
	o.Rollback(outer)
	defer func() {
		if recover() == nil {
			t.Error("a rollback to a mark that was rolled back did not panic")
		}
	}()
	o.Rollback(inner)
}

func TestStampedKeysAreNotRead(t *testing.T) {
	e := open(t)
	o := begin(t, e)
	o.SetStamped([]byte("log/"+strings.Repeat("?", store.StampSize)), []byte("1"))
	equal(t, "before the commit", []string(nil), list(t, o, keys("log/", "log0"), store.RangeOptions{}))
	if !o.Dirty() {
		t.Error("an overlay with a stamped key is not dirty")
	}
	commit(t, e, o)
	if got := list(t, begin(t, e), keys("log/", "log0"), store.RangeOptions{}); len(got) != 1 {
		t.Errorf("after the commit: %q, want one key", got)
	}
}

func TestSizeFollowsTheOperations(t *testing.T) {
	o := begin(t, open(t))
	for _, step := range []struct {
		name string
		do   func()
		want int
	}{
		{"set", func() { o.Set([]byte("ab"), []byte("123")) }, 5},
		{"set again", func() { o.Set([]byte("ab"), []byte("1")) }, 3},
		{"addition", func() { o.Add([]byte("n"), 1) }, 12},
		{"clear", func() { o.Clear([]byte("ab")) }, 11},
		{"mark and set", func() { m := o.Mark(); o.Set([]byte("c"), []byte("1234")); o.Rollback(m) }, 11},
		{"range clear after the mark", func() { o.ClearRange(keys("a", "z")) }, 13},
		{"set and range clear", func() { o.Set([]byte("c"), []byte("1234")); o.ClearRange(keys("a", "z")) }, 15},
	} {
		step.do()
		if o.Size() != step.want {
			t.Errorf("after %s the size is %d, want %d", step.name, o.Size(), step.want)
		}
	}
	if o.Fork().Size() != 0 {
		t.Errorf("a fork's size is %d, want 0", o.Fork().Size())
	}
}

func TestSlicesAreCopied(t *testing.T) {
	o := begin(t, open(t))
	key, value := []byte("k"), []byte("v")
	o.Set(key, value)
	key[0], value[0] = 'x', 'x'
	equal(t, "k", "v", get(t, o, "k"))
}

// TestFree has a second transaction in the memory of a first.
func TestFree(t *testing.T) {
	e := open(t)
	put(t, e, "a=1")
	first := begin(t, e)
	get(t, first, "a")
	first.Set([]byte("k"), []byte("v"))
	first.Add([]byte("n"), 1)
	kept, _, err := first.Get(t.Context(), []byte("k"))
	if err != nil {
		t.Fatal(err)
	}
	first.Free()
	second := begin(t, e)
	equal(t, "reads", 0, len(second.Reads()))
	equal(t, "operations", 0, len(second.Ops()))
	equal(t, "size", 0, second.Size())
	equal(t, "stats", overlay.Stats{}, second.Stats())
	equal(t, "contents", []string{"a=1"}, list(t, second, keys("", "z"), store.RangeOptions{}))
	second.Set([]byte("x"), []byte("y"))
	equal(t, "a value of the first", "v", string(kept))
}

// TestReader shows that a reader has no conflicts, and that its forks are still
// merged in program order only.
func TestReader(t *testing.T) {
	e := open(t)
	put(t, e, "a=1")
	o := overlay.NewReader(e, begin(t, e).Version())
	get(t, o, "a")
	list(t, o, keys("", "z"), store.RangeOptions{})
	o.Observe(keys("a", "b"))
	o.ObserveKey([]byte("c"))
	equal(t, "reads", 0, len(o.Reads()))
	writes, reads := o.Fork(), o.Fork()
	writes.Set([]byte("a"), []byte("2"))
	get(t, reads, "a")
	equal(t, "merge of the writer", true, o.Merge(writes))
	equal(t, "merge of who read before", false, o.Merge(reads))
}

func TestEngineErrors(t *testing.T) {
	o := overlay.New(open(t), 1)
	if _, _, err := o.Get(t.Context(), []byte("k")); !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Get: %v, want ErrTooOld", err)
	}
	if _, _, err := o.Range(t.Context(), keys("a", "b"), store.RangeOptions{}); !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Range: %v, want ErrTooOld", err)
	}
}
