package remote_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/remote"
	"github.com/onefold/onefold/runtime/store/storetest"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func memory(t *testing.T, opts embedded.Options) *embedded.Engine {
	t.Helper()
	opts.FS, opts.MinFree = vfs.NewMem(), 1
	e, err := embedded.Open("store", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve serves engine at listener until the returned function is called.
func serve(t *testing.T, engine store.Engine, listener net.Listener, opts remote.ServerOptions) (stop func()) {
	t.Helper()
	opts.Log = quiet
	s, err := remote.NewServer(t.Context(), engine, opts)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	stop = sync.OnceFunc(func() {
		s.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func dial(l net.Listener) func(context.Context) (net.Conn, error) {
	return remote.Dial(l.Addr().Network(), l.Addr().String())
}

func open(t *testing.T, opts remote.Options) *remote.Engine {
	t.Helper()
	e, err := remote.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Engine {
		l := listen(t, "unix", filepath.Join(t.TempDir(), "s"))
		serve(t, memory(t, embedded.Options{}), l, remote.ServerOptions{})
		return open(t, remote.Options{Dial: dial(l)})
	})
}

// TestConformanceNarrow is over TCP, with few operations under way at a time.
func TestConformanceNarrow(t *testing.T) {
	if testing.Short() {
		t.Skip("TestConformance runs the same tests")
	}
	storetest.Run(t, func(t *testing.T) store.Engine {
		l := listen(t, "tcp", "127.0.0.1:0")
		serve(t, memory(t, embedded.Options{}), l, remote.ServerOptions{InFlight: 1})
		return open(t, remote.Options{Dial: dial(l), InFlight: 2})
	})
}

func TestAge(t *testing.T) {
	storetest.RunAged(t, func(t *testing.T) (store.Engine, func(time.Duration)) {
		var offset atomic.Int64
		now := func() time.Time { return time.Unix(0, offset.Load()) }
		l := listen(t, "unix", filepath.Join(t.TempDir(), "s"))
		serve(t, memory(t, embedded.Options{Now: now}), l, remote.ServerOptions{})
		return open(t, remote.Options{Dial: dial(l)}), func(d time.Duration) { offset.Add(int64(d)) }
	})
}

func TestKeys(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	serve(t, memory(t, embedded.Options{}), l, remote.ServerOptions{Accept: func(key string) bool { return key == "right" }})
	e := open(t, remote.Options{Dial: dial(l), Key: func() string { return "right" }})
	if _, err := e.ReadVersion(t.Context()); err != nil {
		t.Error(err)
	}
	_, err := remote.Open(t.Context(), remote.Options{Dial: dial(l), Key: func() string { return "wrong" }})
	if err == nil || !strings.Contains(err.Error(), "its key is none of those that are accepted") {
		t.Errorf("a wrong key: %v", err)
	}
}

func TestOpenWaits(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s")
	engine := memory(t, embedded.Options{})
	opened := make(chan error, 1)
	go func() {
		e, err := remote.Open(context.Background(), remote.Options{Dial: remote.Dial("unix", name)})
		if err == nil {
			err = e.Close()
		}
		opened <- err
	}()
	time.Sleep(20 * time.Millisecond)
	serve(t, engine, listen(t, "unix", name), remote.ServerOptions{})
	if err := <-opened; err != nil {
		t.Error(err)
	}
	_, err := remote.Open(t.Context(), remote.Options{Dial: remote.Dial("unix", name+"absent"), Timeout: 30 * time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestServerRestarts restarts the server, with a new engine on the same disk, while
// a transaction is under way.
func TestServerRestarts(t *testing.T) {
	fs := vfs.NewMem()
	name := filepath.Join(t.TempDir(), "s")
	start := func() func() {
		engine, err := embedded.Open("store", embedded.Options{FS: fs, MinFree: 1})
		if err != nil {
			t.Fatal(err)
		}
		stop := serve(t, engine, listen(t, "unix", name), remote.ServerOptions{})
		return func() { stop(); engine.Close() }
	}
	stop := start()
	e := open(t, remote.Options{Dial: remote.Dial("unix", name)})
	ctx := t.Context()
	if _, err := e.Commit(ctx, &store.Commit{Ops: []store.Op{{Kind: store.Set, Key: []byte("k"), Value: []byte("1")}}}); err != nil {
		t.Fatal(err)
	}
	old, err := e.ReadVersion(ctx)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	stop = start()
	defer stop()
	if _, _, err := e.Get(ctx, old, []byte("k")); !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Get at a version of the server before: %v, want ErrTooOld", err)
	}
	if _, err := e.Commit(ctx, &store.Commit{Version: old, Reads: []store.Range{store.Point([]byte("k"))}, Ops: []store.Op{{Kind: store.Set, Key: []byte("k"), Value: []byte("2")}}}); !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Commit at a version of the server before: %v, want ErrTooOld", err)
	}
	v, err := e.ReadVersion(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release(v)
	if value, _, err := e.Get(ctx, v, []byte("k")); err != nil || string(value) != "1" {
		t.Errorf("k is %q, %v; want 1", value, err)
	}
}

// hung is an engine whose commits wait.
type hung struct {
	store.Engine
	began chan struct{}
}

func (h *hung) Commit(ctx context.Context, _ *store.Commit) (store.Version, error) {
	close(h.began)
	<-ctx.Done()
	return 0, context.Cause(ctx)
}

// TestCommitCutOff breaks the connection while a commit is under way: nobody
// knows what became of it.
func TestCommitCutOff(t *testing.T) {
	h := &hung{memory(t, embedded.Options{}), make(chan struct{})}
	l := listen(t, "unix", filepath.Join(t.TempDir(), "s"))
	stop := serve(t, h, l, remote.ServerOptions{})
	e := open(t, remote.Options{Dial: dial(l)})
	go func() {
		<-h.began
		stop()
	}()
	_, err := e.Commit(t.Context(), &store.Commit{Ops: []store.Op{{Kind: store.Set, Key: []byte("k")}}})
	if !errors.Is(err, store.ErrUnknown) {
		t.Errorf("Commit: %v, want ErrUnknown", err)
	}
}

// TestCommitGivenUp cancels a commit that the server has: the server says that
// nothing happened.
func TestCommitGivenUp(t *testing.T) {
	h := &hung{memory(t, embedded.Options{}), make(chan struct{})}
	l := listen(t, "unix", filepath.Join(t.TempDir(), "s"))
	serve(t, h, l, remote.ServerOptions{})
	e := open(t, remote.Options{Dial: dial(l)})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-h.began
		cancel()
	}()
	_, err := e.Commit(ctx, &store.Commit{Ops: []store.Op{{Kind: store.Set, Key: []byte("k")}}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: %v, want context.Canceled", err)
	}
}

// TestVersionsOfTheGone has a server release what a client held that is gone.
func TestVersionsOfTheGone(t *testing.T) {
	l := listen(t, "unix", filepath.Join(t.TempDir(), "s"))
	serve(t, memory(t, embedded.Options{}), l, remote.ServerOptions{})
	first, second := open(t, remote.Options{Dial: dial(l)}), open(t, remote.Options{Dial: dial(l)})
	ctx := t.Context()
	set := func() {
		t.Helper()
		if _, err := second.Commit(ctx, &store.Commit{Ops: []store.Op{{Kind: store.Set, Key: []byte("k"), Value: []byte("1")}}}); err != nil {
			t.Fatal(err)
		}
	}
	set()
	v, err := first.ReadVersion(ctx)
	if err != nil {
		t.Fatal(err)
	}
	set()
	if _, _, err := second.Get(ctx, v, []byte("k")); err != nil {
		t.Errorf("Get at a version that another client holds: %v", err)
	}
	first.Close()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		_, _, err := second.Get(ctx, v, []byte("k"))
		if errors.Is(err, store.ErrTooOld) {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("Get at a version that nobody holds: %v, want ErrTooOld", err)
		}
	}
}

func TestApplied(t *testing.T) {
	l := listen(t, "unix", filepath.Join(t.TempDir(), "s"))
	serve(t, memory(t, embedded.Options{}), l, remote.ServerOptions{})
	e := open(t, remote.Options{Dial: dial(l)})
	var applied atomic.Int32
	c := &store.Commit{Ops: []store.Op{{Kind: store.Set, Key: []byte("k")}}, Applied: func() { applied.Add(1) }}
	if _, err := e.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if n := applied.Load(); n != 1 {
		t.Errorf("told %d times that the commit is applied, want once", n)
	}
}
