package embedded_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
)

// started runs f and gives its result through the channel.
func started[T any](f func() T) <-chan T {
	c := make(chan T, 1)
	go func() { c <- f() }()
	return c
}

// pending fails the test if something has ended that must not have.
func pending[T any](t *testing.T, what string, c <-chan T) {
	t.Helper()
	select {
	case got := <-c:
		t.Fatalf("%s ended with %v before the sync", what, got)
	case <-time.After(20 * time.Millisecond):
	}
}

func set(e store.Engine, ctx context.Context, c store.Commit, key, value string) error {
	c.Ops = []store.Op{{Kind: store.Set, Key: []byte(key), Value: []byte(value)}}
	_, err := e.Commit(ctx, &c)
	return err
}

// waitFor returns a version at which key can be read.
func waitFor(t *testing.T, e store.Engine, key string) store.Version {
	t.Helper()
	for range 1000 {
		v, err := e.ReadVersion(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := e.Get(t.Context(), v, []byte(key)); err != nil {
			t.Fatal(err)
		} else if ok {
			return v
		}
		e.Release(v)
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s never became readable", key)
	return 0
}

// TestCommitsAreReadableBeforeTheyAreDurable holds up the disk and looks at
// what goes on meanwhile: a commit is readable, another can build on it, and
// nothing is acknowledged.
func TestCommitsAreReadableBeforeTheyAreDurable(t *testing.T) {
	fs := newFaultyFS(vfs.NewMem(), 1<<40)
	e := open(t, "store", embedded.Options{FS: fs})
	defer e.Close()
	ctx := t.Context()
	fs.syncs.Lock()
	first := started(func() error { return set(e, ctx, store.Commit{}, "a", "1") })
	v := waitFor(t, e, "a")
	defer e.Release(v)
	settled := started(func() error { return e.Settle(ctx, v) })
	onTop := store.Commit{Version: v, Reads: []store.Range{store.Point([]byte("a"))}}
	second := started(func() error { return set(e, ctx, onTop, "b", "2") })
	e.Release(waitFor(t, e, "b"))
	if err := set(e, ctx, store.Commit{Version: v, Reads: []store.Range{store.Point([]byte("b"))}}, "c", "3"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a commit that read what one in flight wrote: %v, want ErrConflict", err)
	}
	pending(t, "the first commit", first)
	pending(t, "the second commit", second)
	pending(t, "Settle", settled)
	fs.syncs.Unlock()
	for _, c := range []<-chan error{first, second, settled} {
		if err := <-c; err != nil {
			t.Error(err)
		}
	}
}

func TestCancelInFlight(t *testing.T) {
	fs := newFaultyFS(vfs.NewMem(), 1<<40)
	e := open(t, "store", embedded.Options{FS: fs})
	defer e.Close()
	ctx, cancel := context.WithCancel(t.Context())
	fs.syncs.Lock()
	commit := started(func() error { return set(e, ctx, store.Commit{}, "a", "1") })
	v := waitFor(t, e, "a")
	defer e.Release(v)
	settle := started(func() error { return e.Settle(ctx, v) })
	pending(t, "Settle", settle)
	cancel()
	if err := <-commit; !errors.Is(err, store.ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("a commit cancelled in flight: %v, want ErrUnknown because of the cancellation", err)
	}
	if err := <-settle; !errors.Is(err, context.Canceled) {
		t.Errorf("a Settle that was cancelled: %v, want context.Canceled", err)
	}
	fs.syncs.Unlock()
	if err := e.Settle(t.Context(), v); err != nil {
		t.Error(err)
	}
}

func TestCloseLetsCommitsFinish(t *testing.T) {
	fs := newFaultyFS(vfs.NewMem(), 1<<40)
	e := open(t, "store", embedded.Options{FS: fs})
	fs.syncs.Lock()
	commit := started(func() error { return set(e, t.Context(), store.Commit{}, "a", "1") })
	e.Release(waitFor(t, e, "a"))
	closed := started(e.Close)
	pending(t, "Close", closed)
	fs.syncs.Unlock()
	if err := <-commit; err != nil {
		t.Errorf("a commit under way at Close: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestCommitKeepsNothing holds up the disk until commits are given up in the
// queue, and writes over what they were made of, for the race detector to see who
// still looks at it.
func TestCommitKeepsNothing(t *testing.T) {
	fs := newFaultyFS(vfs.NewMem(), 1<<40)
	e := open(t, "store", embedded.Options{FS: fs})
	defer e.Close()
	fs.syncs.Lock()
	defer fs.syncs.Unlock()
	for withdrawn := 0; withdrawn < 3; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		c := store.Commit{Ops: []store.Op{{Kind: store.Set, Key: []byte("a"), Value: []byte("1")}}}
		_, err := e.Commit(ctx, &c)
		cancel()
		// In a goroutine, so that nothing orders it before what the engine does later.
		go func() { c.Ops[0] = store.Op{} }()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a commit while the disk is held up: %v, want its deadline", err)
		}
		if !errors.Is(err, store.ErrUnknown) {
			withdrawn++
		}
	}
}
