package embedded

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/store"
)

// TestRecentWrites compares the conflict index with a list of all writes.
func TestRecentWrites(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	key := func() string { return fmt.Sprintf("%03d", rng.IntN(500)) }
	w := recentWrites{points: map[string]store.Version{}}
	type write struct {
		store.Range
		version store.Version
	}
	var all []write
	now := time.Unix(0, 0)
	randomRange := func() store.Range {
		if rng.IntN(2) == 0 {
			return store.Point([]byte(key()))
		}
		a, b := key(), key()
		if rng.IntN(2) == 0 {
			b = a + fmt.Sprint(rng.IntN(10))
		}
		return store.Range{Begin: []byte(min(a, b)), End: []byte(max(a, b))}
	}
	for v := store.Version(1); v < 4000; v++ {
		for range rng.IntN(3) {
			if rng.IntN(50) == 0 {
				if r := randomRange(); store.Compare(r.Begin, r.End) < 0 {
					w.addRange(r, v)
					all = append(all, write{r, v})
				}
				continue
			}
			k := []byte(key())
			w.addPoint(k, v)
			all = append(all, write{store.Point(k), v})
		}
		now = now.Add(3 * time.Millisecond)
		w.expire(now)
		if n := len(w.segments); n > 0 && rng.IntN(20) == 0 && w.segments[n-1].sealed.IsZero() {
			w.segments[n-1].seal(now)
		}
		at := v - store.Version(rng.Uint64N(min(uint64(v), 60)))
		if rng.IntN(4) == 0 {
			at = v - store.Version(rng.Uint64N(uint64(v)))
		}
		if at < w.floor {
			continue
		}
		r := randomRange()
		want := false
		for _, one := range all {
			if one.version > at && store.Compare(one.Begin, r.End) < 0 && store.Compare(r.Begin, one.End) < 0 {
				want = true
			}
		}
		if got := w.overlaps(r, at); got != want && store.Compare(r.Begin, r.End) < 0 {
			t.Fatalf("version %d, read of [%s, %s) at %d: conflict: %t, want %t", v, r.Begin, r.End, at, got, want)
		}
	}
	if w.floor == 0 {
		t.Error("nothing expired")
	}
	if n := len(w.points); n > 500 {
		t.Errorf("%d keys are remembered of 500", n)
	}
}

func TestRecentWritesAreForgotten(t *testing.T) {
	w := recentWrites{points: map[string]store.Version{}}
	now := time.Unix(0, 0)
	for v := store.Version(1); v <= 10*segmentSize; v++ {
		w.addPoint(fmt.Appendf(nil, "%d", v), v)
		now = now.Add(10 * time.Millisecond)
		w.expire(now)
	}
	if len(w.segments) != 1 || len(w.points) != segmentSize {
		t.Errorf("%d segments and %d keys are kept, want those of the last seconds", len(w.segments), len(w.points))
	}
	if want := store.Version(9 * segmentSize); w.floor != want {
		t.Errorf("reads are checked back to version %d, want %d", w.floor, want)
	}
}

func openMemory(t *testing.T, now func() time.Time) *Engine {
	t.Helper()
	e, err := Open("store", Options{FS: vfs.NewMem(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestReaperClosesOldSnapshots(t *testing.T) {
	now := time.Unix(0, 0)
	e := openMemory(t, func() time.Time { return now })
	set := func() {
		if _, err := e.Commit(t.Context(), &store.Commit{Ops: []store.Op{{Kind: store.Set, Key: []byte("k")}}}); err != nil {
			t.Fatal(err)
		}
	}
	v, err := e.ReadVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set()
	e.snapshots.mu.Lock()
	snap := e.snapshots.byVersion[v]
	e.snapshots.mu.Unlock()
	e.snapshots.reap()
	if snap.at == nil {
		t.Error("a version in its time was closed")
	}
	now = now.Add(store.MaxAge + 1)
	e.snapshots.reap()
	if snap.at != nil {
		t.Error("a version that is too old was kept open")
	}
	e.Release(v)
	if n := len(e.snapshots.byVersion); n != 1 {
		t.Errorf("%d versions are kept after all were released, want the current one", n)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestIdleStoreDoesNotAge holds the current version for long: it gets too old,
// and a new hold of the same version does not inherit that.
func TestIdleStoreDoesNotAge(t *testing.T) {
	now := time.Unix(0, 0)
	e := openMemory(t, func() time.Time { return now })
	defer e.Close()
	read := func() error {
		v, err := e.ReadVersion(t.Context())
		if err != nil {
			return err
		}
		_, _, err = e.Get(t.Context(), v, []byte("k"))
		return err
	}
	for range 3 {
		if err := read(); err != nil {
			t.Errorf("a read of an idle store: %v", err)
		}
		now = now.Add(store.MaxAge + 1)
		e.snapshots.reap()
	}
}

func TestFatalErrorStopsTheEngine(t *testing.T) {
	e := openMemory(t, nil)
	returned := make(chan bool, 1)
	go func() {
		defer func() { returned <- false }()
		logger{e}.Fatalf("no %s", "luck")
		returned <- true
	}()
	if <-returned {
		t.Error("Fatalf returned")
	}
	<-e.Failed()
	want := "embedded: the store in store stopped and has to be opened again: no luck"
	if _, err := e.ReadVersion(t.Context()); err == nil || err.Error() != want {
		t.Errorf("ReadVersion: %v, want %s", err, want)
	}
	if err := e.Close(); err == nil || err.Error() != want {
		t.Errorf("Close: %v, want %s", err, want)
	}
}

func TestLaterFormatIsRefused(t *testing.T) {
	e := openMemory(t, nil)
	defer e.Close()
	if err := e.db.Set(formatKey, []byte{0, 0, 0, 0, 0, 0, 0, 2}, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.checkFormat(); err == nil || err.Error() != "the store has format 2, this release knows up to 1" {
		t.Errorf("checkFormat: %v", err)
	}
	if err := e.db.Set(formatKey, []byte{1}, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.checkFormat(); err == nil || errors.Is(err, store.ErrFull) {
		t.Errorf("checkFormat of a damaged key: %v", err)
	}
}
