package overlay_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
)

// model is the plain map that an overlay should look like.
type model map[string]string

func (m model) list(r store.Range, opts store.RangeOptions) []string {
	var in []string
	for k := range m {
		if k >= string(r.Begin) && k < string(r.End) {
			in = append(in, k)
		}
	}
	slices.Sort(in)
	if opts.Reverse {
		slices.Reverse(in)
	}
	if opts.Limit > 0 && len(in) > opts.Limit {
		in = in[:opts.Limit]
	}
	var out []string
	for _, k := range in {
		out = append(out, k+"="+m[k])
	}
	return out
}

func randomKey(rng *rand.Rand) string {
	return string([]byte{'a' + byte(rng.IntN(4)), 'a' + byte(rng.IntN(4))})
}

func randomRange(rng *rand.Rand) store.Range {
	a, b := randomKey(rng), randomKey(rng)
	return keys(min(a, b), max(a, b))
}

// write makes one random write to each of places.
func write(rng *rand.Rand, places ...place) {
	key, value, n, r, kind := randomKey(rng), fmt.Sprint(rng.IntN(1000)), rng.Int64N(1000)-500, randomRange(rng), rng.IntN(10)
	for _, p := range places {
		switch kind {
		case 0, 1, 2, 3, 4:
			p.set(key, value)
		case 5:
			p.clear(key)
		case 6:
			p.clearRange(r)
		default:
			p.add(key, n)
		}
	}
}

// check compares a random read of an overlay with the model.
func check(t *testing.T, rng *rand.Rand, o *overlay.Overlay, m model) {
	t.Helper()
	p := overlayPlace{t, o}
	if rng.IntN(2) == 0 {
		key := randomKey(rng)
		equal(t, "get "+key, m.get(key), p.get(key))
		return
	}
	r, opts := randomRange(rng), store.RangeOptions{Limit: rng.IntN(4), Reverse: rng.IntN(2) == 0}
	equal(t, fmt.Sprintf("range [%s %s) %+v", r.Begin, r.End, opts), m.list(r, opts), p.list(r, opts))
}

type savepoint struct {
	mark  overlay.Mark
	state model
}

// TestModel runs random transactions: writes, reads, savepoints, rollbacks and
// branches, each compared with a plain map, and so is the store after each. Those of
// readers are dropped.
func TestModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	e := open(t)
	committed := model{}
	for range 300 {
		o, m := begin(t, e), maps.Clone(committed)
		reader := rng.IntN(4) == 0
		if reader {
			o = overlay.NewReader(e, o.Version())
		}
		var marks []savepoint
		for range rng.IntN(30) {
			switch rng.IntN(12) {
			case 0:
				marks = append(marks, savepoint{o.Mark(), maps.Clone(m)})
			case 1:
				if n := len(marks); n > 0 {
					i := rng.IntN(n)
					o.Rollback(marks[i].mark)
					m = maps.Clone(marks[i].state)
					marks = marks[:i+1]
				}
			case 2:
				m = branches(t, rng, o, m)
			case 3, 4, 5:
				check(t, rng, o, m)
			default:
				write(rng, overlayPlace{t, o}, m)
			}
		}
		check(t, rng, o, m)
		if !reader {
			commit(t, e, o)
			committed = m
		}
		o.Free()
		all := keys("a", "z")
		equal(t, "the store", committed.list(all, store.RangeOptions{}), list(t, begin(t, e), all, store.RangeOptions{}))
		if t.Failed() {
			return
		}
	}
}

// branches runs two or three branches over o as parallel ones do, each on the
// state at the fork, and merges them. A branch whose merge is refused is run
// again in program order; one that is merged must have seen what it would have
// seen in program order.
func branches(t *testing.T, rng *rand.Rand, o *overlay.Overlay, m model) model {
	t.Helper()
	type branch struct {
		seed uint64
		o    *overlay.Overlay
		saw  []string
	}
	list := make([]branch, 2+rng.IntN(2))
	for i := range list {
		list[i] = branch{seed: rng.Uint64(), o: o.Fork()}
	}
	for i := range list {
		list[i].saw = runBranch(list[i].seed, overlayPlace{t, list[i].o})
	}
	for _, b := range list {
		if !o.Merge(b.o) {
			b.o = o.Fork()
			b.saw = runBranch(b.seed, overlayPlace{t, b.o})
			if !o.Merge(b.o) {
				t.Error("a branch that ran in program order was refused")
			}
		}
		equal(t, "what a merged branch saw", runBranch(b.seed, m), b.saw)
	}
	return m
}

// place is what a branch runs on: an overlay, or its model.
type place interface {
	get(key string) string
	set(key, value string)
	add(key string, n int64)
	clear(key string)
	clearRange(r store.Range)
	list(r store.Range, opts store.RangeOptions) []string
}

// runBranch makes reads, and writes that depend on them, and returns what it
// read. It is the same for the same seed and the same state.
func runBranch(seed uint64, p place) (saw []string) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 4 {
		key, r := randomKey(rng), randomRange(rng)
		switch rng.IntN(8) {
		case 0, 1:
			value := p.get(key)
			saw = append(saw, value)
			p.set(randomKey(rng), fmt.Sprint(len(value)))
		case 2:
			found := p.list(r, store.RangeOptions{Limit: 2, Reverse: rng.IntN(2) == 0})
			saw = append(saw, found...)
			p.set(key, fmt.Sprint(len(found)))
		case 3, 4, 5:
			p.add(key, rng.Int64N(10))
		case 6:
			p.set(key, fmt.Sprint(rng.IntN(10)))
		case 7:
			p.clearRange(r)
		}
	}
	return saw
}

type overlayPlace struct {
	t *testing.T
	o *overlay.Overlay
}

func (p overlayPlace) get(key string) string    { return get(p.t, p.o, key) }
func (p overlayPlace) set(key, value string)    { p.o.Set([]byte(key), []byte(value)) }
func (p overlayPlace) add(key string, n int64)  { p.o.Add([]byte(key), n) }
func (p overlayPlace) clear(key string)         { p.o.Clear([]byte(key)) }
func (p overlayPlace) clearRange(r store.Range) { p.o.ClearRange(r) }
func (p overlayPlace) list(r store.Range, opts store.RangeOptions) []string {
	return list(p.t, p.o, r, opts)
}

func (m model) get(key string) string {
	if value, ok := m[key]; ok {
		return value
	}
	return "-"
}

func (m model) set(key, value string) { m[key] = value }

func (m model) clear(key string) { delete(m, key) }

func (m model) add(key string, n int64) {
	m[key] = string(store.AddLittleEndian([]byte(m[key]), []byte(little(n))))
}

func (m model) clearRange(r store.Range) {
	maps.DeleteFunc(m, func(k, _ string) bool { return k >= string(r.Begin) && k < string(r.End) })
}
