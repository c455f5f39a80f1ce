package overlay_test

import (
	"sync"
	"testing"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
)

func TestForkSeesTheParentAsItWas(t *testing.T) {
	e := open(t)
	put(t, e, "a=1", "b=2")
	o := begin(t, e)
	o.Set([]byte("a"), []byte("A"))
	child := o.Fork()
	o.Set([]byte("b"), []byte("later"))
	o.ClearRange(keys("a", "aa"))
	equal(t, "child", []string{"a=A", "b=2"}, list(t, child, keys("", "z"), store.RangeOptions{}))
	child.Set([]byte("c"), []byte("3"))
	equal(t, "parent", []string{"b=later"}, list(t, o, keys("", "z"), store.RangeOptions{}))
}

func TestMergeInProgramOrder(t *testing.T) {
	e := open(t)
	o := begin(t, e)
	o.Set([]byte("n"), []byte(little(1)))
	first, second := o.Fork(), o.Fork()
	second.Set([]byte("k"), []byte("second"))
	second.Add([]byte("n"), 2)
	first.Set([]byte("k"), []byte("first"))
	first.Add([]byte("n"), 4)
	for _, child := range []*overlay.Overlay{first, second} {
		if !o.Merge(child) {
			t.Error("a branch that read nothing was refused")
		}
	}
	equal(t, "k", "second", get(t, o, "k"))
	equal(t, "n", little(7), get(t, o, "n"))
	commit(t, e, o)
	equal(t, "n after the commit", little(7), get(t, begin(t, e), "n"))
}

// TestMergeRefusesStaleReads has a first branch write and a second one read.
func TestMergeRefusesStaleReads(t *testing.T) {
	e := open(t)
	put(t, e, "base=1", "base2=1")
	set := func(o *overlay.Overlay, key string) { o.Set([]byte(key), []byte("x")) }
	for _, tt := range []struct {
		name  string
		write func(o *overlay.Overlay)
		read  func(o *overlay.Overlay)
		want  bool
	}{
		{"get", func(o *overlay.Overlay) { set(o, "base") }, func(o *overlay.Overlay) { get(t, o, "base") }, false},
		{"get of an absent key", func(o *overlay.Overlay) { set(o, "new") }, func(o *overlay.Overlay) { get(t, o, "new") }, false},
		{"get of an inherited set", func(o *overlay.Overlay) { set(o, "mine") }, func(o *overlay.Overlay) { get(t, o, "mine") }, false},
		{"get of an inherited clear", func(o *overlay.Overlay) { set(o, "gone/1") }, func(o *overlay.Overlay) { get(t, o, "gone/1") }, false},
		{"get of an addition to an inherited set", func(o *overlay.Overlay) { set(o, "mine") }, func(o *overlay.Overlay) {
			o.Add([]byte("mine"), 1)
			get(t, o, "mine")
		}, false},
		{"get of an inherited addition", func(o *overlay.Overlay) { set(o, "sum") }, func(o *overlay.Overlay) { get(t, o, "sum") }, false},
		{"range", func(o *overlay.Overlay) { set(o, "base1") }, func(o *overlay.Overlay) {
			list(t, o, keys("base", "base9"), store.RangeOptions{})
		}, false},
		{"range of an inherited clear", func(o *overlay.Overlay) { set(o, "gone/1") }, func(o *overlay.Overlay) {
			list(t, o, keys("gone/", "gone0"), store.RangeOptions{})
		}, false},
		{"range clear", func(o *overlay.Overlay) { o.ClearRange(keys("a", "c")) }, func(o *overlay.Overlay) { get(t, o, "base") }, false},
		{"addition", func(o *overlay.Overlay) { o.Add([]byte("base"), 1) }, func(o *overlay.Overlay) { get(t, o, "base") }, false},

		{"range cut before it", func(o *overlay.Overlay) { set(o, "base2") }, func(o *overlay.Overlay) {
			list(t, o, keys("base", "base9"), store.RangeOptions{Limit: 1})
		}, true},
		{"own set", func(o *overlay.Overlay) { set(o, "mine") }, func(o *overlay.Overlay) { set(o, "mine"); get(t, o, "mine") }, true},
		{"own clear", func(o *overlay.Overlay) { set(o, "base") }, func(o *overlay.Overlay) {
			o.Clear([]byte("base"))
			get(t, o, "base")
		}, true},
		{"another key", func(o *overlay.Overlay) { set(o, "base") }, func(o *overlay.Overlay) { get(t, o, "base2") }, true},
		{"a stamped key", func(o *overlay.Overlay) {
			o.SetStamped(make([]byte, store.StampSize+1), nil)
		}, func(o *overlay.Overlay) { list(t, o, keys("", "z"), store.RangeOptions{}) }, true},
		{"additions of both", func(o *overlay.Overlay) { o.Add([]byte("base"), 1) }, func(o *overlay.Overlay) { o.Add([]byte("base"), 1) }, true},
	} {
		o := begin(t, e)
		set(o, "mine")
		o.Add([]byte("sum"), 1)
		o.ClearRange(keys("gone/", "gone0"))
		first, second := o.Fork(), o.Fork()
		tt.write(first)
		tt.read(second)
		if !o.Merge(first) {
			t.Errorf("%s: the first branch was refused", tt.name)
		}
		if got := o.Merge(second); got != tt.want {
			t.Errorf("%s: merged: %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestMergeOfNestedForks(t *testing.T) {
	e := open(t)
	put(t, e, "a=1")
	o := begin(t, e)
	o.Set([]byte("b"), []byte("2"))
	first, second := o.Fork(), o.Fork()
	inner := second.Fork()
	get(t, inner, "b")
	if !second.Merge(inner) {
		t.Fatal("the inner branch was refused")
	}
	first.Set([]byte("b"), []byte("3"))
	if !o.Merge(first) {
		t.Fatal("the first branch was refused")
	}
	if o.Merge(second) {
		t.Error("a branch was merged whose inner branch read what an earlier one wrote")
	}
}

func TestMergeKeepsReadsAndStats(t *testing.T) {
	e := open(t)
	put(t, e, "a=1", "b=2")
	o := begin(t, e)
	get(t, o, "a")
	child := o.Fork()
	get(t, child, "b")
	list(t, child, keys("c", "d"), store.RangeOptions{})
	if !o.Merge(child) {
		t.Fatal("refused")
	}
	equal(t, "reads", []string{"a", "b", "[c d)"}, reads(o))
	equal(t, "stats", overlay.Stats{Gets: 2, Ranges: 1}, o.Stats())
}

func TestRollbackInAFork(t *testing.T) {
	e := open(t)
	o := begin(t, e)
	o.Set([]byte("n"), []byte(little(1)))
	child := o.Fork()
	child.Add([]byte("n"), 1)
	m := child.Mark()
	child.Set([]byte("n"), []byte("gone"))
	child.Rollback(m)
	equal(t, "n in the fork", little(2), get(t, child, "n"))
	equal(t, "operations of the fork", []string{"add n 1"}, ops(child.Ops()))
	sibling := o.Fork()
	sibling.Add([]byte("n"), 1)
	if !o.Merge(sibling) {
		t.Fatal("the sibling was refused")
	}
	if o.Merge(child) {
		t.Error("a branch was merged that read n before its sibling's addition")
	}
}

func TestForksRunConcurrently(t *testing.T) {
	e := open(t)
	put(t, e, "a=1")
	o := begin(t, e)
	o.Set([]byte("b"), []byte("2"))
	children := make([]*overlay.Overlay, 8)
	var wg sync.WaitGroup
	for i := range children {
		children[i] = o.Fork()
		wg.Go(func() {
			child := children[i]
			get(t, child, "a")
			get(t, child, "b")
			list(t, child, keys("", "z"), store.RangeOptions{Limit: 1})
			m := child.Mark()
			child.Set([]byte{'x', byte('0' + i)}, []byte("v"))
			child.Clear([]byte("a"))
			child.Rollback(m)
			child.Set([]byte{'y', byte('0' + i)}, []byte("v"))
		})
	}
	wg.Wait()
	for i, child := range children {
		if !o.Merge(child) {
			t.Errorf("branch %d was refused", i)
		}
	}
	if got := len(o.Ops()); got != len(children)+1 {
		t.Errorf("%d operations, want %d", got, len(children)+1)
	}
}

func TestApplyCarriesAnOverlayElsewhere(t *testing.T) {
	e := open(t)
	put(t, e, "a=1", "n="+little(1))
	caller := begin(t, e)
	caller.Set([]byte("b"), []byte("2"))
	caller.Add([]byte("n"), 1)
	callee := begin(t, e)
	callee.Apply(caller.Ops())
	part := callee.Fork()
	equal(t, "what the callee sees", []string{"a=1", "b=2", "n=" + little(2)}, list(t, part, keys("", "z"), store.RangeOptions{}))
	part.Add([]byte("n"), 1)
	for _, r := range part.Reads() {
		caller.Observe(r)
	}
	caller.Apply(part.Ops())
	equal(t, "n", little(3), get(t, caller, "n"))
	equal(t, "reads", []string{"[ z)"}, reads(caller))
}
