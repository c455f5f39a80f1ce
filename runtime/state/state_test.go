package state_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/state"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/sim"
)

func newRunner(t testing.TB) *atomic.Runner { return atomic.NewRunner(openEngine(t), atomic.Options{}) }

// fill gives the fields some content.
func fill(t *testing.T, r *atomic.Runner) {
	t.Helper()
	do(t, r, func(_ context.Context, b *box) error {
		for i := range 10 {
			b.counts.Set(i, i)
			b.line.Append(item{Name: fmt.Sprint(i)})
		}
		b.nodes.Set("a", &node{N: 1})
		b.nodes.Set("b", &node{N: 2})
		return nil
	})
}

// TestRounds asserts what each operation asks of the store, exactly.
func TestRounds(t *testing.T) {
	for name, test := range map[string]struct {
		fn   func(b *box)
		want sim.Counts
	}{
		"map get":            {func(b *box) { b.counts.Get(1) }, sim.Counts{Gets: 1}},
		"map get twice":      {func(b *box) { b.counts.Get(1); b.counts.Lookup(1) }, sim.Counts{Gets: 1}},
		"map get of absent":  {func(b *box) { b.counts.Get(-1); b.counts.Get(-1) }, sim.Counts{Gets: 1}},
		"map set":            {func(b *box) { b.counts.Set(1, 1); b.counts.Get(1) }, sim.Counts{Commits: 1}},
		"map add":            {func(b *box) { b.counts.Add(1, 1); b.counts.Add(2, 1) }, sim.Counts{Commits: 1}},
		"map add, get":       {func(b *box) { b.counts.Add(1, 1); b.counts.Get(1) }, sim.Counts{Gets: 1, Commits: 1}},
		"map delete":         {func(b *box) { b.counts.Delete(1); b.counts.Lookup(1) }, sim.Counts{Commits: 1}},
		"map ref":            {func(b *box) { *b.counts.Ref(1)++ }, sim.Counts{Gets: 1, Commits: 1}},
		"map ref, no change": {func(b *box) { *b.counts.Ref(1) += 0 }, sim.Counts{Gets: 1, Settles: 1}},
		"map clear":          {func(b *box) { b.counts.Clear(); b.counts.Get(1); b.counts.Len() }, sim.Counts{Commits: 1}},
		"map len":            {func(b *box) { b.counts.Len() }, sim.Counts{Ranges: 1, Settles: 1}},
		"map range": {func(b *box) {
			for k := range b.counts.All() {
				b.counts.Get(k)
			}
		}, sim.Counts{Ranges: 1, Settles: 1}},
		"changed in place": {func(b *box) { b.nodes.Get("a").N++ }, sim.Counts{Gets: 1, Commits: 1}},
		"only looked at":   {func(b *box) { _ = b.nodes.Get("a").N }, sim.Counts{Gets: 1, Settles: 1}},
		"changed and back": {func(b *box) { b.nodes.Get("a").N++; b.nodes.Get("a").N-- }, sim.Counts{Gets: 1, Settles: 1}},
		"slice get":        {func(b *box) { b.line.Get(3) }, sim.Counts{Gets: 1, Settles: 1}},
		"slice len":        {func(b *box) { b.line.Len(); b.line.IsNil() }, sim.Counts{Gets: 1, Settles: 1}},
		"slice append":     {func(b *box) { b.line.Append(item{}, item{}) }, sim.Counts{Gets: 1, Commits: 1}},
		"slice truncate":   {func(b *box) { b.line.Truncate(2) }, sim.Counts{Gets: 1, Commits: 1}},
		"slice load":       {func(b *box) { b.line.Load() }, sim.Counts{Gets: 1, Ranges: 1, Settles: 1}},
		"slice assign":     {func(b *box) { b.line.Assign([]item{{}}); b.line.Get(0) }, sim.Counts{Commits: 1}},
		"value add":        {func(b *box) { b.total.Add(1) }, sim.Counts{Commits: 1}},
		"value get":        {func(b *box) { b.total.Get() }, sim.Counts{Gets: 1, Settles: 1}},
		"bound only":       {func(*box) {}, sim.Counts{}},
	} {
		t.Run(name, func(t *testing.T) {
			engine := sim.New(openEngine(t))
			r := atomic.NewRunner(engine, atomic.Options{})
			fill(t, r)
			engine.Reset()
			do(t, r, func(_ context.Context, b *box) error { test.fn(b); return nil })
			want := test.want
			if want != (sim.Counts{}) {
				want.ReadVersions = 1
			}
			if want.Gets > 0 && want.Commits == 0 {
				want.Settles = 1
			}
			if diff := cmp.Diff(want, engine.Counts()); diff != "" {
				t.Errorf("store operations (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConflicts has somebody else write in the middle of a request, which must
// run again if and only if it observed what was written.
func TestConflicts(t *testing.T) {
	first3 := func(b *box) {
		for k := range b.counts.All() {
			if k == 3 {
				break
			}
		}
	}
	for name, test := range map[string]struct {
		mine, theirs func(b *box)
		conflict     bool
	}{
		"get, other key":       {func(b *box) { b.counts.Get(1) }, func(b *box) { b.counts.Set(2, 0) }, false},
		"get, same key":        {func(b *box) { b.counts.Get(1) }, func(b *box) { b.counts.Set(1, 0) }, true},
		"get of absent, made":  {func(b *box) { b.counts.Get(77) }, func(b *box) { b.counts.Set(77, 0) }, true},
		"adds":                 {func(b *box) { b.counts.Add(1, 1) }, func(b *box) { b.counts.Add(1, 1) }, false},
		"add, then get":        {func(b *box) { b.counts.Add(1, 1); b.counts.Get(1) }, func(b *box) { b.counts.Add(1, 1) }, true},
		"blind set":            {func(b *box) { b.counts.Set(1, 1) }, func(b *box) { b.counts.Set(1, 2) }, false},
		"loop, key seen":       {first3, func(b *box) { b.counts.Set(2, 0) }, true},
		"loop, key beyond":     {first3, func(b *box) { b.counts.Set(4, 0) }, false},
		"loop, new key before": {first3, func(b *box) { b.counts.Set(-5, 0) }, true},
		"loop, new key beyond": {first3, func(b *box) { b.counts.Set(50, 0) }, false},
		"whole loop, new key":  {func(b *box) { b.counts.Load() }, func(b *box) { b.counts.Set(50, 0) }, true},
		"len, new key":         {func(b *box) { b.counts.Len() }, func(b *box) { b.counts.Set(50, 0) }, true},
		"element, append":      {func(b *box) { b.line.Get(1) }, func(b *box) { b.line.Append(item{}) }, false},
		"element, other":       {func(b *box) { b.line.Get(1) }, func(b *box) { b.line.Set(2, item{}) }, false},
		"element, truncate":    {func(b *box) { plainPanic(func() { b.line.Get(5) }) }, func(b *box) { b.line.Truncate(5) }, true},
		"append, append":       {func(b *box) { b.line.Append(item{}) }, func(b *box) { b.line.Append(item{}) }, true},
		"in place, in place":   {func(b *box) { b.nodes.Get("a").N++ }, func(b *box) { b.nodes.Get("a").N++ }, true},
		"in place, other":      {func(b *box) { b.nodes.Get("a").N++ }, func(b *box) { b.nodes.Get("b").N++ }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t)
			fill(t, r)
			attempts := 0
			do(t, r, func(_ context.Context, b *box) error {
				attempts++
				b.items.Get("version") // what follows is read at this version
				test.mine(b)
				if attempts == 1 {
					do(t, r, func(_ context.Context, b *box) error { test.theirs(b); return nil })
				}
				b.total.Set(1)
				return nil
			})
			if want := map[bool]int{true: 2, false: 1}[test.conflict]; attempts != want {
				t.Errorf("%d attempts, want %d", attempts, want)
			}
		})
	}
}

func TestSharedObjects(t *testing.T) {
	for name, test := range map[string]struct {
		strict bool
		fn     func(b *box)
		want   string // in the error; empty for none
	}{
		"two entries":       {false, func(b *box) { b.nodes.Set("c", b.nodes.Get("a")) }, "Box.nodes[a] and Box.nodes[c] hold the same object"},
		"entry and element": {false, func(b *box) { b.queue.Append(b.nodes.Get("b")) }, "Box.nodes[b] and Box.queue[0] hold"},
		"within one":        {false, func(b *box) { n := &node{}; n.Next = &node{Next: n}; b.nodes.Set("c", n) }, "Box.nodes[c]"},
		"nested":            {false, func(b *box) { b.config.Ref().Next = b.nodes.Get("a") }, "Box.nodes[a]"},
		"moved":             {false, func(b *box) { n := b.nodes.Get("a"); b.nodes.Delete("a"); b.nodes.Set("c", n) }, ""},
		"put back":          {false, func(b *box) { n := b.nodes.Get("a"); b.nodes.Set("c", n); b.nodes.Delete("c") }, ""},
		"slices":            {false, func(b *box) { s := []string{"x"}; b.items.Set("a", item{Tags: s}); b.items.Set("b", item{Tags: s}) }, ""},
		"slices, strict":    {true, func(b *box) { s := []string{"x"}; b.items.Set("a", item{Tags: s}); b.items.Set("b", item{Tags: s}) }, "Box.items[a] and Box.items[b]"},
		"overlapping slices": {true, func(b *box) {
			s := make([]string, 3)
			b.items.Set("a", item{Tags: s[:2]})
			b.items.Set("b", item{Tags: s[1:]})
		}, "Box.items[a] and Box.items[b]"},
		"maps, strict": {true, func(b *box) {
			m := map[string]int{}
			b.nodes.Set("c", &node{meta: m})
			b.nodes.Set("d", &node{meta: m})
		}, "Box.nodes[c] and Box.nodes[d]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := atomic.NewRunner(openEngine(t), atomic.Options{StrictAliases: test.strict})
			fill(t, r)
			_, err := run(r, func(_ context.Context, b *box) error { test.fn(b); return nil })
			switch {
			case test.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// plainPanic returns what plain Go panics with.
func plainPanic(fn func()) (v any) {
	defer func() { v = recover() }()
	fn()
	return nil
}

func TestIndexPanics(t *testing.T) {
	r := newRunner(t)
	plain := make([]item, 10)
	for _, i := range []int{-1, 10, 99} {
		want := plainPanic(func() { _ = plain[i] }).(runtime.Error)
		for name, fn := range map[string]func(b *box){
			"get": func(b *box) { b.line.Get(i) },
			"set": func(b *box) { b.line.Set(i, item{}) },
			"ref": func(b *box) { b.line.Ref(i) },
		} {
			do(t, r, func(_ context.Context, b *box) error {
				b.line.Assign(plain)
				got, ok := plainPanic(func() { fn(b) }).(runtime.Error)
				if !ok || got.Error() != want.Error() {
					t.Errorf("%s %d: panic %v, want %v", name, i, got, want)
				}
				return nil
			})
		}
	}
	do(t, r, func(_ context.Context, b *box) error {
		want := plainPanic(func() { n := -1; _ = plain[:n] })
		if got := plainPanic(func() { b.line.Truncate(-1) }); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("truncate to -1: panic %v, want %v", got, want)
		}
		return nil
	})
	_, err := run(r, func(_ context.Context, b *box) error { b.line.Truncate(11); return nil })
	if err == nil || !strings.Contains(err.Error(), "elements beyond it are not stored") {
		t.Errorf("truncate beyond the length: error %v", err)
	}
}

func TestPanicStack(t *testing.T) {
	_, err := run(newRunner(t), func(_ context.Context, b *box) error {
		b.line.Get(3)
		return nil
	})
	var panicked *atomic.PanicError
	if !errors.As(err, &panicked) || !strings.HasPrefix(string(panicked.Stack), "github.com/onefold/onefold/runtime/state_test.") {
		t.Errorf("error %v, want a panic whose stack begins with the caller of Get:\n%s", err, panicked.Stack)
	}
}

// TestUnknownFields writes back a value that newer code stored.
func TestUnknownFields(t *testing.T) {
	type newer struct {
		item
		Zone string
	}
	newerType := codec.Type[newer]{Encode: func(e *codec.Encoder, v *newer) {
		s := e.Struct(3)
		s.Field("Name")
		codec.String.Encode(e, &v.Name)
		s.Field("Tags")
		tagsType.Encode(e, &v.Tags)
		s.Field("Zone")
		codec.String.Encode(e, &v.Zone)
		s.End()
	}, Decode: func(d *codec.Decoder, v *newer) {
		for s := d.Struct(3); s.Next(); {
			switch string(s.Name) {
			case "Name":
				codec.String.Decode(d, &v.Name)
			case "Tags":
				tagsType.Decode(d, &v.Tags)
			case "Zone":
				codec.String.Decode(d, &v.Zone)
			}
		}
	}, Refs: true}
	field := state.NewMap("Box", "items", codec.StringKey, newerType)
	r := newRunner(t)
	do(t, r, func(_ context.Context, b *box) error {
		m := field.In(b.tx)
		m.Set("k", newer{item{Name: "old"}, "kept"})
		return nil
	})
	do(t, r, func(_ context.Context, b *box) error {
		v := b.items.Get("k")
		v.Name = "new"
		b.items.Set("k", v)
		return nil
	})
	do(t, r, func(_ context.Context, b *box) error {
		m := field.In(b.tx)
		if diff := cmp.Diff(newer{item{Name: "new"}, "kept"}, m.Get("k"), cmp.AllowUnexported(newer{})); diff != "" {
			t.Errorf("value (-want +got):\n%s", diff)
		}
		return nil
	})
}

func TestDamagedValue(t *testing.T) {
	r := newRunner(t)
	do(t, r, func(_ context.Context, b *box) error {
		other := state.NewMap("Box", "items", codec.StringKey, codec.Int)
		m := other.In(b.tx)
		m.Set("k", 1)
		return nil
	})
	_, err := run(r, func(_ context.Context, b *box) error { b.items.Get("k"); return nil })
	if err == nil || !strings.Contains(err.Error(), "Box.items[k]") {
		t.Errorf("error %v, want one that names Box.items[k]", err)
	}
}

func TestLargeValue(t *testing.T) {
	r := newRunner(t)
	tag := strings.Repeat("large", store.MaxValueSize/2)
	for _, want := range []item{{Tags: []string{tag}}, {Tags: []string{"small"}}, {Tags: []string{tag, tag}}} {
		do(t, r, func(_ context.Context, b *box) error {
			v := b.items.Get("k")
			v.Tags = want.Tags
			b.items.Set("k", v)
			b.items.Set("next", item{})
			return nil
		})
		do(t, r, func(_ context.Context, b *box) error {
			if diff := cmp.Diff(map[string]item{"k": want, "next": {}}, b.items.Load()); diff != "" {
				t.Errorf("items differ (-want +got):\n%.300s", diff)
			}
			if n := b.items.Len(); n != 2 {
				t.Errorf("%d entries, want 2", n)
			}
			return nil
		})
	}
}

func TestGeneric(t *testing.T) {
	type inner struct{ n uint8 }
	type all struct {
		A []int
		B map[inner]string
		C *inner
		D [2]bool
		E any
		F []byte
		G time.Time
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	got := state.Generic(all{A: []int{}, B: map[inner]string{{2}: "b", {1}: "a"}, C: &inner{3}, F: []byte("f"), G: at})
	want := state.Entries{
		{Key: "A", Value: []any{}},
		{Key: "B", Value: state.Entries{
			{Key: state.Entries{{Key: "n", Value: uint64(1)}}, Value: "a"},
			{Key: state.Entries{{Key: "n", Value: uint64(2)}}, Value: "b"},
		}},
		{Key: "C", Value: state.Entries{{Key: "n", Value: uint64(3)}}},
		{Key: "D", Value: []any{false, false}},
		{Key: "E", Value: nil},
		{Key: "F", Value: []byte("f")},
		{Key: "G", Value: "2026-01-02T03:04:05.000000006+01:00"},
	}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("generic form (-want +got):\n%s", diff)
	}
}

// TestInitOnce wants the initial value to be written once, whatever happens
// later and however large it is.
func TestInitOnce(t *testing.T) {
	engine := sim.New(openEngine(t))
	r := atomic.NewRunner(engine, atomic.Options{})
	big := &plain{nodes: map[string]*node{}, counts: map[int]int{}, queue: []*node{}, sum: 5}
	for i := range 60 {
		big.line = append(big.line, item{Name: strings.Repeat("x", 90_000), Tags: []string{fmt.Sprint(i)}})
	}
	initialize := func(s *plain) error { return r.Init(context.Background(), s.initInto) }
	for i := range 40 { // strike every operation in turn; each try begins again
		engine.Reset()
		f := []sim.FaultKind{sim.CrashBefore, sim.UnknownLost, sim.UnknownLanded, sim.Conflict, sim.CrashAfter}[i%5]
		engine.FaultAt(i/2, sim.Fault{Kind: f})
		err := initialize(big)
		engine.Restart()
		if err == nil {
			break
		}
		if !errors.Is(err, sim.ErrCrashed) {
			t.Fatal(err)
		}
	}
	engine.Reset()
	if err := initialize(big); err != nil {
		t.Fatal(err)
	}
	if n := engine.Counts().Commits; n != 0 {
		t.Errorf("%d commits for fields that have their values", n)
	}
	if diff := cmp.Diff(big.clone().dump(), read(t, r)); diff != "" {
		t.Errorf("state differs (-want +got):\n%.500s", diff)
	}
	do(t, r, func(_ context.Context, b *box) error { b.total.Set(6); b.line.Truncate(0); return nil })
	if err := initialize(big); err != nil {
		t.Fatal(err)
	}
	do(t, r, func(_ context.Context, b *box) error {
		if b.total.Get() != 6 || b.line.Len() != 0 {
			t.Error("the initial value came back")
		}
		return nil
	})
}

// TestInitRace has two processes with different initial values start at once.
func TestInitRace(t *testing.T) {
	engine := openEngine(t)
	values := [2]*plain{}
	done := make(chan error, 2)
	for i := range values {
		values[i] = &plain{nodes: map[string]*node{}, queue: []*node{}, sum: i}
		for range 40 {
			values[i].line = append(values[i].line, item{Name: strings.Repeat(fmt.Sprint(i), 80_000)})
		}
		go func() {
			done <- atomic.NewRunner(engine, atomic.Options{}).Init(context.Background(), values[i].initInto)
		}()
	}
	for range values {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	do(t, atomic.NewRunner(engine, atomic.Options{}), func(_ context.Context, b *box) error {
		want := b.line.Get(0).Name
		n := 0
		for _, v := range b.line.All() {
			if v.Name != want {
				t.Fatal("elements of two initial values in one slice")
			}
			n++
		}
		if n != 40 {
			t.Errorf("%d elements, want 40", n)
		}
		return nil
	})
}

// TestBackToWhatWasLoaded: a value that was stored anew in the request, and then
// became what was loaded at first, is stored once more.
func TestBackToWhatWasLoaded(t *testing.T) {
	r := newRunner(t)
	fill(t, r)
	do(t, r, func(_ context.Context, b *box) error {
		b.counts.Get(2)
		b.counts.Add(2, 1)
		b.counts.Len() // what changed is written before a range is read
		*b.counts.Ref(2)--
		return nil
	})
	do(t, r, func(_ context.Context, b *box) error {
		if got := b.counts.Get(2); got != 2 {
			t.Errorf("counts[2] = %d, want 2", got)
		}
		return nil
	})
}
