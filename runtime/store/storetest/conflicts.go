package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/store"
)

func testConflicts(t *testing.T, c *client) {
	writes := []struct {
		name string
		op   store.Op
		hits func(r store.Range) bool
	}{
		{"set", set("m", "1"), holds("m")},
		{"clear", clearKey("m"), holds("m")},
		{"clear of an absent key", clearKey("mm"), holds("mm")},
		{"add", add("m", 1), holds("m")},
		{"touch", touch("m"), holds("m")},
		{"touch of an absent key", touch("mm"), holds("mm")},
		{"clear range", clearRange("g", "m"), overlaps("g", "m")},
		{"clear of an empty range", clearRange("m", "g"), func(store.Range) bool { return false }},
	}
	reads := []store.Range{
		point("m"), point("l"), point("n"), point("mm"), point("g"), point("m\x00"),
		keys("a", "z"), keys("a", "m"), keys("a", "g"), keys("m", "n"), keys("m\x00", "z"), keys("h", "i"), keys("f", "g\x00"),
	}
	for _, w := range writes {
		for _, r := range reads {
			before := c.readVersion()
			c.do(w.op)
			err := c.commitReading(before, r)
			name := fmt.Sprintf("%s, read of [%q, %q)", w.name, r.Begin, r.End)
			if got := errors.Is(err, store.ErrConflict); got != w.hits(r) || err != nil && !got {
				t.Errorf("%s: %v, want conflict: %t", name, err, w.hits(r))
			}
			var lost *store.ConflictError
			if errors.As(err, &lost) {
				diff(t, name+": range that was lost", r, lost.Range)
			}
			c.Release(before)
			// A read after the write does not conflict with it.
			after := c.readVersion()
			if err := c.commitReading(after, r); err != nil {
				t.Errorf("%s, after it: %v", name, err)
			}
			c.Release(after)
		}
	}
}

// commitReading commits a write elsewhere after having read r at v.
func (c *client) commitReading(v store.Version, r store.Range) error {
	_, err := c.Commit(c.t.Context(), &store.Commit{Version: v, Reads: []store.Range{r}, Ops: []store.Op{set("\xfe", "")}})
	return err
}

func holds(key string) func(store.Range) bool { return overlaps(key, key+"\x00") }

// overlaps returns a function that reports whether a range has a key of
// [begin, end). There is no key before KeyBegin.
func overlaps(begin, end string) func(store.Range) bool {
	return func(r store.Range) bool {
		from := max(begin, string(r.Begin), string(store.KeyBegin))
		return from < min(end, string(r.End))
	}
}

func testPhantoms(t *testing.T, c *client) {
	c.do(set("q/1", "a"), set("q/3", "c"))
	v := c.readVersion()
	defer c.Release(v)
	pairs, _ := c.list(v, keys("q/", "q0"), store.RangeOptions{})
	diff(t, "before", []string{"q/1=a", "q/3=c"}, pairs)
	c.set("q/2", "b")
	if err := c.commitReading(v, keys("q/", "q0")); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a key inserted into a range that was read: %v, want ErrConflict", err)
	}
	if err := c.commitReading(v, keys("q/3", "q0")); err != nil {
		t.Errorf("a key inserted before a range that was read: %v", err)
	}
	empty := c.readVersion()
	defer c.Release(empty)
	c.set("none/1", "")
	if err := c.commitReading(empty, keys("none/", "none0")); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a key inserted into an empty range that was read: %v, want ErrConflict", err)
	}
}

func testBlindWrites(t *testing.T, c *client) {
	v := c.readVersion()
	defer c.Release(v)
	for _, value := range []string{"1", "2"} {
		if _, err := c.Commit(t.Context(), &store.Commit{Version: v, Ops: []store.Op{set("k", value), add("n", 1)}}); err != nil {
			t.Errorf("a blind write: %v", err)
		}
	}
	diff(t, "the last blind write", "2", c.latest("k"))
	diff(t, "the sum of blind additions", little(2), c.latest("n"))
}

func testWriteSkew(t *testing.T, c *client) {
	v := c.readVersion()
	defer c.Release(v)
	both := []store.Range{point("a"), point("b")}
	if _, err := c.Commit(t.Context(), &store.Commit{Version: v, Reads: both, Ops: []store.Op{set("a", "1")}}); err != nil {
		t.Errorf("the first: %v", err)
	}
	if _, err := c.Commit(t.Context(), &store.Commit{Version: v, Reads: both, Ops: []store.Op{set("b", "1")}}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("the second: %v, want ErrConflict", err)
	}
}

// model is what an engine should hold: the state at each version and which
// keys each commit wrote.
type model struct {
	states  map[store.Version]map[string]string
	now     map[string]string
	history []modelCommit
}

type modelCommit struct {
	version store.Version
	ops     []store.Op
}

func (m *model) apply(v store.Version, ops []store.Op) {
	next := map[string]string{}
	for k, value := range m.now {
		next[k] = value
	}
	for _, op := range ops {
		key := string(op.Key)
		switch op.Kind {
		case store.Set:
			next[key] = string(op.Value)
		case store.Clear:
			delete(next, key)
		case store.Add:
			next[key] = string(store.AddLittleEndian([]byte(next[key]), op.Value))
		case store.ClearRange:
			for k := range next {
				if k >= key && k < string(op.Value) {
					delete(next, k)
				}
			}
		}
	}
	m.now = next
	m.history = append(m.history, modelCommit{v, ops})
}

// conflicts reports whether a commit after v wrote in one of reads.
func (m *model) conflicts(v store.Version, reads []store.Range) bool {
	for _, c := range m.history {
		if c.version <= v {
			continue
		}
		for _, op := range c.ops {
			hit := holds(string(op.Key))
			if op.Kind == store.ClearRange {
				hit = overlaps(string(op.Key), string(op.Value))
			}
			if slices.ContainsFunc(reads, hit) {
				return true
			}
		}
	}
	return false
}

// list returns what a range read of the state at v gives.
func (m *model) list(v store.Version, r store.Range, opts store.RangeOptions) []string {
	state := m.states[v]
	var in []string
	for k := range state {
		if k >= string(r.Begin) && k < string(r.End) {
			in = append(in, k)
		}
	}
	sort.Strings(in)
	if opts.Reverse {
		slices.Reverse(in)
	}
	if opts.Limit > 0 && len(in) > opts.Limit {
		in = in[:opts.Limit]
	}
	var pairs []string
	for _, k := range in {
		pairs = append(pairs, k+"="+state[k])
	}
	return pairs
}

// testModel runs random commits at random versions, one after the other, and
// expects the engine to decide and to hold what the model does.
func testModel(t *testing.T, c *client) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	m := &model{states: map[store.Version]map[string]string{}, now: map[string]string{}}
	var held []store.Version
	for step := range 600 {
		v := c.readVersion()
		m.states[v] = m.now
		held = append(held, v)
		if len(held) > 5 {
			drop := rng.IntN(len(held))
			c.Release(held[drop])
			held = slices.Delete(held, drop, drop+1)
		}
		at := held[rng.IntN(len(held))]
		r, opts := randomRange(rng), store.RangeOptions{Limit: rng.IntN(4), Reverse: rng.IntN(2) == 0}
		pairs, _ := c.list(at, r, opts)
		diff(t, fmt.Sprintf("step %d: range", step), m.list(at, r, opts), pairs)

		var reads []store.Range
		for range rng.IntN(3) {
			reads = append(reads, randomRange(rng))
		}
		ops := randomOps(rng)
		got, err := c.Commit(t.Context(), &store.Commit{Version: at, Reads: reads, Ops: ops})
		want := m.conflicts(at, reads)
		if errors.Is(err, store.ErrConflict) != want || err != nil && !want {
			t.Fatalf("step %d: Commit: %v, want conflict: %t", step, err, want)
		}
		if err == nil {
			m.apply(got, ops)
		}
		if t.Failed() {
			return
		}
	}
	for _, v := range held {
		c.Release(v)
	}
}

func randomKey(rng *rand.Rand) string {
	b := make([]byte, 1+rng.IntN(2))
	for i := range b {
		b[i] = []byte{0, 'a', 'b', 0xfe}[rng.IntN(4)]
	}
	return string(b)
}

func randomRange(rng *rand.Rand) store.Range {
	a, b := randomKey(rng), randomKey(rng)
	switch rng.IntN(8) {
	case 0:
		return keys("", b)
	case 1, 2, 3:
		return point(a)
	}
	return keys(min(a, b), max(a, b))
}

func randomOps(rng *rand.Rand) []store.Op {
	ops := []store.Op{set(randomKey(rng), fmt.Sprint(rng.IntN(100)))}
	for range rng.IntN(4) {
		switch rng.IntN(4) {
		case 0:
			ops = append(ops, clearKey(randomKey(rng)))
		case 1:
			r := randomRange(rng)
			ops = append(ops, clearRange(string(r.Begin), string(r.End)))
		case 2:
			ops = append(ops, add(randomKey(rng), rng.Int64()))
		default:
			ops = append(ops, set(randomKey(rng), fmt.Sprint(rng.IntN(100))))
		}
	}
	return ops
}
