package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
)

// incompressible is a value that takes as much room on disk as it is long.
var incompressible = func() []byte {
	b := make([]byte, store.MaxValueSize)
	if _, err := rand.NewChaCha8([32]byte{}).Read(b); err != nil {
		panic(err)
	}
	return b
}()

// fill commits 100 kB values until that fails, and returns how many it could
// and the error.
func fill(ctx context.Context, e store.Engine) (int, error) {
	for n := 0; ; n++ {
		if err := fillNth(ctx, e, n); err != nil {
			return n, err
		}
	}
}

func fillNth(ctx context.Context, e store.Engine, n int) error {
	_, err := e.Commit(ctx, &store.Commit{Ops: []store.Op{
		{Kind: store.Set, Key: fmt.Appendf(nil, "fill/%06d", n), Value: incompressible},
	}})
	return err
}

// filled returns how many values of fill the store holds, without a gap.
func filled(t *testing.T, e store.Engine) int {
	t.Helper()
	v, err := e.ReadVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release(v)
	kvs, _, err := e.Range(t.Context(), v, store.Range{Begin: []byte("fill/"), End: []byte("fill0")}, store.RangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, kv := range kvs {
		if want := fmt.Sprintf("fill/%06d", i); string(kv.Key) != want || len(kv.Value) != store.MaxValueSize {
			t.Fatalf("key %d is %s with %d bytes, want %s with %d", i, kv.Key, len(kv.Value), want, store.MaxValueSize)
		}
	}
	return len(kvs)
}

// testFull fills the disk, makes room, and goes on.
func testFull(t *testing.T, dir string, opts embedded.Options, makeRoom func()) {
	e := open(t, dir, opts)
	n, err := fill(t.Context(), e)
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("filling the disk ended with %v, want ErrFull", err)
	}
	if n == 0 {
		t.Fatal("nothing could be written at all")
	}
	if got := filled(t, e); got != n {
		t.Errorf("%d values can be read from the full store, %d were acknowledged", got, n)
	}
	makeRoom()
	more := n
	for range 10 {
		if err := fillNth(t.Context(), e, more); err != nil {
			t.Fatalf("after there was room again: %v", err)
		}
		more++
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, opts)
	defer e.Close()
	if got := filled(t, e); got != more {
		t.Errorf("after reopening there are %d values, %d were acknowledged", got, more)
	}
}

func TestFullDisk(t *testing.T) {
	fs := newFaultyFS(vfs.NewMem(), 20<<20)
	opts := embedded.Options{FS: fs, MinFree: 8 << 20, MemTableSize: 2 << 20}
	testFull(t, "store", opts, func() { fs.left.Add(64 << 20) })
}

// TestFullLog has the disk run out under the write-ahead log, with no warning.
func TestFullLog(t *testing.T) {
	disk := vfs.NewCrashableMem()
	fs := newFaultyFS(disk, 3<<20)
	fs.lies = true
	e := open(t, "store", embedded.Options{FS: fs})
	n, err := fill(t.Context(), e)
	if n == 0 || !errors.Is(err, store.ErrUnknown) && !errors.Is(err, store.ErrFull) {
		t.Fatalf("after %d commits: %v, want ErrUnknown or ErrFull", n, err)
	}
	select {
	case <-e.Failed():
	case <-time.After(10 * time.Second):
		t.Fatal("the engine did not fail")
	}
	fs.left.Add(1 << 30)
	ctx := t.Context()
	if _, err := e.ReadVersion(ctx); !errors.Is(err, store.ErrFull) {
		t.Errorf("ReadVersion of the failed engine: %v, want the reason", err)
	}
	if _, err := e.Commit(ctx, &store.Commit{Ops: []store.Op{{Kind: store.Clear, Key: []byte("k")}}}); err == nil || errors.Is(err, store.ErrUnknown) {
		t.Errorf("Commit to the failed engine: %v, want a known failure", err)
	}
	if err := e.Close(); !errors.Is(err, store.ErrFull) {
		t.Errorf("Close of the failed engine: %v, want the reason", err)
	}
	e = open(t, "store", embedded.Options{FS: disk.CrashClone(vfs.CrashCloneCfg{})})
	defer e.Close()
	if got := filled(t, e); got < n || got > n+1 {
		t.Errorf("after reopening there are %d values, %d were acknowledged", got, n)
	}
}

// TestFullLogUnderLoad is TestFullLog with commits in flight when it happens.
func TestFullLogUnderLoad(t *testing.T) {
	for round := range 3 {
		disk := vfs.NewCrashableMem()
		fs := newFaultyFS(disk, int64(200_000+round*37_001))
		fs.lies = true
		e := open(t, "store", embedded.Options{FS: fs, MemTableSize: 1 << 20})
		var acknowledged [writers]int
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for n := 1; writeNth(t.Context(), e, w, n) == nil; n++ {
					acknowledged[w] = n
				}
			})
		}
		wg.Wait()
		if err := e.Close(); err == nil {
			t.Error("Close of a failed engine gave no error")
		}
		e = open(t, "store", embedded.Options{FS: disk.CrashClone(vfs.CrashCloneCfg{})})
		for w, least := range acknowledged {
			if n := written(t, e, w); n < least || n > least+1 {
				t.Errorf("writer %d has %d commits in the store, %d were acknowledged", w, n, least)
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenOnAFullDisk(t *testing.T) {
	_, err := embedded.Open("store", embedded.Options{FS: newFaultyFS(vfs.NewMem(), 10)})
	if !errors.Is(err, store.ErrFull) {
		t.Errorf("Open: %v, want ErrFull", err)
	}
}
