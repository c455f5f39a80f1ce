package overlay_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/onefold/onefold/runtime/store"
)

func TestLargeValues(t *testing.T) {
	e := open(t)
	big := strings.Repeat("0123456789", store.MaxValueSize/4)
	o := begin(t, e)
	o.Set([]byte("m/a"), []byte("1"))
	o.Set([]byte("m/b"), []byte(big))
	o.Set([]byte("m/c"), []byte("3"))
	want := []string{"m/a=1", "m/b=" + big, "m/c=3"}
	equal(t, "before the commit", want, list(t, o, keys("m/", "m0"), store.RangeOptions{}))
	commit(t, e, o)

	o = begin(t, e)
	equal(t, "get", big, get(t, o, "m/b"))
	equal(t, "range", want, list(t, o, keys("m/", "m0"), store.RangeOptions{}))
	equal(t, "reverse range", []string{want[2], want[1]}, list(t, o, keys("m/", "m0"), store.RangeOptions{Reverse: true, Limit: 2}))
	equal(t, "limited range", want[:2], list(t, o, keys("m/", "m0"), store.RangeOptions{Limit: 2}))
	equal(t, "range of the rest", want[2:], list(t, o, keys("m/b\x00", "m0"), store.RangeOptions{Limit: 1}))
}

// stored returns the number of keys that the engine holds.
func stored(t *testing.T, e store.Engine) int {
	t.Helper()
	v, err := e.ReadVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release(v)
	kvs, _, err := e.Range(t.Context(), v, keys("", "\xff"), store.RangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return len(kvs)
}

func TestLargeValuesGiveBackTheirRoom(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 3*store.MaxValueSize-1)
	for _, tt := range []struct {
		name  string
		write func(e store.Engine)
		want  int
	}{
		{"read and set small", func(e store.Engine) {
			o := begin(t, e)
			get(t, o, "k")
			o.Set([]byte("k"), []byte("small"))
			commit(t, e, o)
		}, 1},
		{"set small and read", func(e store.Engine) {
			o := begin(t, e)
			o.Mark()
			list(t, o, keys("a", "z"), store.RangeOptions{})
			o.Set([]byte("k"), []byte("small"))
			commit(t, e, o)
		}, 1},
		{"read and clear", func(e store.Engine) {
			o := begin(t, e)
			get(t, o, "k")
			o.Clear([]byte("k"))
			commit(t, e, o)
		}, 0},
		{"read in a branch", func(e store.Engine) {
			o := begin(t, e)
			child := o.Fork()
			get(t, child, "k")
			o.Merge(child)
			o.Clear([]byte("k"))
			commit(t, e, o)
		}, 0},
		{"clear range", func(e store.Engine) {
			o := begin(t, e)
			o.ClearRange(keys("a", "z"))
			commit(t, e, o)
		}, 0},
		{"blind set of fewer chunks", func(e store.Engine) {
			o := begin(t, e)
			o.Set([]byte("k"), big[:store.MaxValueSize+1])
			commit(t, e, o)
		}, 3},
	} {
		e := open(t)
		o := begin(t, e)
		o.Set([]byte("k"), big)
		commit(t, e, o)
		if got := stored(t, e); got != 4 {
			t.Fatalf("%s: a value of three chunks takes %d keys, want 4", tt.name, got)
		}
		tt.write(e)
		if got := stored(t, e); got != tt.want {
			t.Errorf("%s: left %d keys, want %d", tt.name, got, tt.want)
		}
	}
}

// TestBlindWriteOverALargeValue leaves chunks behind, which no read may show.
func TestBlindWriteOverALargeValue(t *testing.T) {
	e := open(t)
	big := bytes.Repeat([]byte("x"), 2*store.MaxValueSize)
	o := begin(t, e)
	o.Set([]byte("k"), big)
	o.Set([]byte("l"), big)
	commit(t, e, o)
	o = begin(t, e)
	o.Set([]byte("k"), []byte("small"))
	o.Clear([]byte("l"))
	commit(t, e, o)
	o = begin(t, e)
	equal(t, "range", []string{"k=small"}, list(t, o, keys("a", "z"), store.RangeOptions{}))
	equal(t, "limited range", []string{"k=small"}, list(t, o, keys("a", "z"), store.RangeOptions{Limit: 1, Reverse: true}))
	o.Set([]byte("l"), big[:store.MaxValueSize+1])
	commit(t, e, o)
	equal(t, "written again", string(big[:store.MaxValueSize+1]), get(t, begin(t, e), "l"))
}

func TestValueThatLooksLikeAHeader(t *testing.T) {
	e := open(t)
	o := begin(t, e)
	o.Set([]byte("k"), bytes.Repeat([]byte("x"), store.MaxValueSize+1))
	commit(t, e, o)
	v, err := e.ReadVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release(v)
	header, _, err := e.Get(t.Context(), v, []byte("k"))
	if err != nil {
		t.Fatal(err)
	}
	o = begin(t, e)
	o.Set([]byte("l"), header)
	commit(t, e, o)
	equal(t, "l", string(header), get(t, begin(t, e), "l"))
}

func TestDamagedLargeValue(t *testing.T) {
	e := open(t)
	o := begin(t, e)
	o.Set([]byte("k"), bytes.Repeat([]byte("x"), 2*store.MaxValueSize))
	c := o.Commit()
	lost := 0
	for i := range c.Ops {
		if len(c.Ops[i].Value) == store.MaxValueSize {
			lost = i
		}
	}
	c.Ops = append(c.Ops[:lost], c.Ops[lost+1:]...)
	if _, err := e.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, _, err := begin(t, e).Get(t.Context(), []byte("k")); err == nil {
		t.Error("a value that lacks a chunk was read without an error")
	}
}
