package sim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/sim"
	"github.com/onefold/onefold/runtime/store/storetest"
)

func open(t *testing.T) *sim.Engine {
	t.Helper()
	inner, err := embedded.Open("store", embedded.Options{FS: vfs.NewMem(), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return sim.New(inner)
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Engine { return open(t) })
}

// request increments a counter, as a client that gives up on any error would.
func request(ctx context.Context, e store.Engine) error {
	v, err := e.ReadVersion(ctx)
	if err != nil {
		return err
	}
	defer e.Release(v)
	value, _, err := e.Get(ctx, v, []byte("n"))
	if err != nil {
		return err
	}
	_, err = e.Commit(ctx, &store.Commit{
		Version: v,
		Reads:   []store.Range{store.Point([]byte("n"))},
		Ops:     []store.Op{{Kind: store.Set, Key: []byte("n"), Value: append(value, 'x')}},
	})
	return err
}

func counter(t *testing.T, e *sim.Engine) int {
	t.Helper()
	e.Reset()
	v, err := e.ReadVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release(v)
	value, _, err := e.Get(t.Context(), v, []byte("n"))
	if err != nil {
		t.Fatal(err)
	}
	return len(value)
}

func TestTrace(t *testing.T) {
	e := open(t)
	defer e.Close()
	for range 2 {
		if err := request(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	want := []sim.Op{
		{Index: 0, Nth: 0, Kind: sim.ReadVersion}, {Index: 1, Nth: 0, Kind: sim.Get}, {Index: 2, Nth: 0, Kind: sim.Commit},
		{Index: 3, Nth: 1, Kind: sim.ReadVersion}, {Index: 4, Nth: 1, Kind: sim.Get}, {Index: 5, Nth: 1, Kind: sim.Commit},
	}
	if diff := cmp.Diff(want, e.Trace()); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sim.Counts{ReadVersions: 2, Gets: 2, Commits: 2}, e.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	e.Reset()
	if diff := cmp.Diff(sim.Counts{}, e.Counts()); diff != "" {
		t.Errorf("counts after Reset (-want +got):\n%s", diff)
	}
}

// TestEveryFault strikes each operation of a request with each fault and looks
// at the error, at what the store holds, and that the client can go on.
func TestEveryFault(t *testing.T) {
	wantErr := map[sim.FaultKind]error{
		sim.CrashBefore: sim.ErrCrashed, sim.CrashAfter: sim.ErrCrashed, sim.Conflict: store.ErrConflict,
		sim.UnknownLanded: store.ErrUnknown, sim.UnknownLost: store.ErrUnknown, sim.UnknownLate: store.ErrUnknown,
		sim.TooOld: store.ErrTooOld, sim.Full: store.ErrFull,
	}
	for i, kind := range []sim.Kind{sim.ReadVersion, sim.Get, sim.Commit} {
		for _, fault := range sim.Faults(kind) {
			t.Run(fmt.Sprint(kind, " ", fault), func(t *testing.T) {
				e := open(t)
				defer e.Close()
				e.FaultAt(i, sim.Fault{Kind: fault})
				if err := request(t.Context(), e); !errors.Is(err, wantErr[fault]) {
					t.Errorf("request: %v, want %v", err, wantErr[fault])
				}
				if e.Fired() != 1 {
					t.Errorf("%d faults struck, want 1", e.Fired())
				}
				crash := fault == sim.CrashBefore || fault == sim.CrashAfter
				if e.Crashed() != crash {
					t.Errorf("crashed: %t, want %t", e.Crashed(), crash)
				}
				if err := request(t.Context(), e); crash && !errors.Is(err, sim.ErrCrashed) || !crash && err != nil {
					t.Errorf("the next request: %v", err)
				}
				e.Restart()
				want := 0
				if kind == sim.Commit && (fault == sim.CrashAfter || fault == sim.UnknownLanded) {
					want++
				}
				if !crash {
					want++
				}
				if got := counter(t, e); got != want {
					t.Errorf("the counter is %d, want %d", got, want)
				}
			})
		}
	}
}

func TestFaultDoesNotApply(t *testing.T) {
	e := open(t)
	defer e.Close()
	e.FaultAt(0, sim.Fault{Kind: sim.Conflict})
	if err := request(t.Context(), e); err != nil || e.Fired() != 0 {
		t.Errorf("a conflict planned for a ReadVersion: %v, %d struck; want none", err, e.Fired())
	}
}

func TestLateCommitLandsOnDemand(t *testing.T) {
	e := open(t)
	defer e.Close()
	e.FaultNth(sim.Commit, 0, sim.Fault{Kind: sim.UnknownLate})
	if err := request(t.Context(), e); !errors.Is(err, store.ErrUnknown) {
		t.Fatalf("request: %v, want ErrUnknown", err)
	}
	if got := counter(t, e); got != 0 {
		t.Errorf("before it landed the counter is %d, want 0", got)
	}
	if got := e.Land(t.Context()); got != 1 {
		t.Errorf("%d commits landed, want 1", got)
	}
	if got := counter(t, e); got != 1 {
		t.Errorf("after it landed the counter is %d, want 1", got)
	}
}

func TestLateCommitConflicts(t *testing.T) {
	e := open(t)
	defer e.Close()
	e.FaultNth(sim.Commit, 0, sim.Fault{Kind: sim.UnknownLate})
	if err := request(t.Context(), e); !errors.Is(err, store.ErrUnknown) {
		t.Fatalf("request: %v, want ErrUnknown", err)
	}
	if err := request(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if got := e.Land(t.Context()); got != 0 {
		t.Errorf("%d commits landed, want 0: a later one wrote what it had read", got)
	}
	if got := counter(t, e); got != 1 {
		t.Errorf("the counter is %d, want 1", got)
	}
}

func TestLateCommitLandsAfterCommits(t *testing.T) {
	e := open(t)
	defer e.Close()
	e.FaultNth(sim.Commit, 0, sim.Fault{Kind: sim.UnknownLate, After: 2})
	set := func(key string) error {
		_, err := e.Commit(t.Context(), &store.Commit{Ops: []store.Op{{Kind: store.Set, Key: []byte(key)}}})
		return err
	}
	if err := set("late"); !errors.Is(err, store.ErrUnknown) {
		t.Fatalf("commit: %v, want ErrUnknown", err)
	}
	for i, want := range []bool{false, true, true} {
		if err := set("other"); err != nil {
			t.Fatal(err)
		}
		v, err := e.ReadVersion(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, got, err := e.Get(t.Context(), v, []byte("late"))
		e.Release(v)
		if err != nil || got != want {
			t.Errorf("after %d commits it has landed: %t, %v; want %t", i+1, got, err, want)
		}
	}
}

func TestDelay(t *testing.T) {
	e := open(t)
	defer e.Close()
	e.FaultAt(0, sim.Fault{Kind: sim.Delay, Delay: 5 * time.Millisecond})
	start := time.Now()
	if err := request(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 5*time.Millisecond {
		t.Errorf("a request delayed by 5ms took %s", took)
	}
	e.Reset()
	e.FaultAt(0, sim.Fault{Kind: sim.Delay, Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := request(ctx, e); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a delay beyond the deadline: %v, want DeadlineExceeded", err)
	}
}

func TestRandomIsReproducible(t *testing.T) {
	rates := sim.Rates{
		CrashBefore: 0.05, CrashAfter: 0.05, Conflict: 0.1, UnknownLanded: 0.1, UnknownLost: 0.1, UnknownLate: 0.1,
		TooOld: 0.1, Full: 0.05, Delay: 0.05, MaxDelay: time.Microsecond, MaxLate: 3,
	}
	run := func(seed uint64) []sim.Op {
		e := open(t)
		defer e.Close()
		e.Random(seed, rates)
		for range 200 {
			if err := request(t.Context(), e); errors.Is(err, sim.ErrCrashed) {
				e.Restart()
			}
		}
		return e.Trace()
	}
	first := run(1)
	if diff := cmp.Diff(first, run(1)); diff != "" {
		t.Errorf("two runs of one seed (-first +second):\n%s", diff)
	}
	if cmp.Equal(first, run(2)) {
		t.Error("two seeds gave the same run")
	}
	struck := map[sim.FaultKind]bool{}
	for _, op := range first {
		struck[op.Fault.Kind] = true
	}
	for f := sim.CrashBefore; f <= sim.Delay; f++ {
		if !struck[f] {
			t.Errorf("no %s in %d operations", f, len(first))
		}
	}
}
