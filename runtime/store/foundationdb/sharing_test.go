//go:build foundationdb && fdbsim

package foundationdb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/foundationdb"
	"github.com/onefold/onefold/runtime/store/foundationdb/fdbsim"
)

// TestReadVersionsShared has many wait while one request for a version is under
// way: they share the next one, which sees what was committed meanwhile.
func TestReadVersionsShared(t *testing.T) {
	c := newCluster(t)
	e := openOn(t, c, foundationdb.Options{})
	defer e.Close()
	try(t, c.Reset())
	try(t, c.Fail(fdbsim.ReadVersion, 1, fdbsim.Fault{Delay: 100 * time.Millisecond}))
	var first store.Version
	var wg sync.WaitGroup
	wg.Go(func() { first, _ = e.ReadVersion(t.Context()) })
	waitFor(t, "the first request", func() bool {
		stats, err := c.Stats()
		try(t, err)
		return stats.ReadVersions == 1
	})
	// A write with a read version of its own asks for none.
	committed, err := e.Commit(t.Context(), &store.Commit{Version: 1 << 40, Ops: []store.Op{set("k", "")}})
	try(t, err)
	shared := make([]store.Version, 20)
	for i := range shared {
		wg.Go(func() {
			v, err := e.ReadVersion(t.Context())
			if err != nil {
				t.Error(err)
			}
			shared[i] = v
		})
	}
	wg.Wait()
	stats, err := c.Stats()
	try(t, err)
	if stats.ReadVersions > 3 {
		t.Errorf("%d requests for read versions, want 2 or 3 for 21 callers", stats.ReadVersions)
	}
	for _, v := range shared {
		if v < committed {
			t.Errorf("version %d was asked for after commit %d was acknowledged", v, committed)
		}
		e.Release(v)
	}
	e.Release(first)
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: still waiting", what)
		}
	}
}

// TestSharedCallOutlivesOneWaiter cancels one of two who wait for one version.
func TestSharedCallOutlivesOneWaiter(t *testing.T) {
	c := newCluster(t)
	e := openOn(t, c, foundationdb.Options{})
	defer e.Close()
	try(t, c.Reset())
	asked := func(n int) {
		waitFor(t, "a request for a version", func() bool {
			stats, err := c.Stats()
			try(t, err)
			return stats.ReadVersions == n
		})
	}
	for nth := range 2 {
		try(t, c.Fail(fdbsim.ReadVersion, nth+1, fdbsim.Fault{Delay: 100 * time.Millisecond}))
	}
	var wg sync.WaitGroup
	read := func(ctx context.Context, want error) {
		wg.Go(func() {
			v, err := e.ReadVersion(ctx)
			if !errors.Is(err, want) {
				t.Errorf("ReadVersion: %v, want %v", err, want)
			}
			if err == nil {
				e.Release(v)
			}
		})
	}
	read(t.Context(), nil)
	asked(1)
	ctx, cancel := context.WithCancel(t.Context())
	read(ctx, context.Canceled)
	read(t.Context(), nil)
	asked(2)
	cancel()
	wg.Wait()
	if stats, err := c.Stats(); err != nil || stats.ReadVersions > 3 {
		t.Errorf("%d requests for versions, %v; want 2", stats.ReadVersions, err)
	}
}

// TestForeignVersion reads, in a client that was given no version but at its
// start, at one that another was given, and commits what both did.
func TestForeignVersion(t *testing.T) {
	c := newCluster(t)
	root := openOn(t, c, foundationdb.Options{})
	defer root.Close()
	file := filepath.Join(t.TempDir(), "other.cluster")
	text, err := os.ReadFile(c.ClusterFile())
	try(t, err)
	try(t, os.WriteFile(file, text, 0o644))
	callee, err := foundationdb.Open(t.Context(), foundationdb.Options{ClusterFile: file})
	try(t, err)
	defer callee.Close()
	_, err = root.Commit(t.Context(), &store.Commit{Ops: []store.Op{set("k", "1")}})
	try(t, err)
	v := version(t, root)
	_, err = root.Commit(t.Context(), &store.Commit{Ops: []store.Op{set("k", "2")}})
	try(t, err)
	value, ok, err := callee.Get(t.Context(), v, []byte("k"))
	if err != nil || !ok || string(value) != "1" {
		t.Errorf("another client reads %q, %t, %v at the shared version, want 1", value, ok, err)
	}
	kvs, _, err := callee.Range(t.Context(), v, store.Range{End: store.KeyEnd}, store.RangeOptions{})
	if err != nil || len(kvs) != 1 || string(kvs[0].Value) != "1" {
		t.Errorf("another client lists %v, %v at the shared version, want k=1", kvs, err)
	}
	callee.Release(v)
}

// TestPaging reads ranges that take many replies.
func TestPaging(t *testing.T) {
	c := newCluster(t)
	e := openOn(t, c, foundationdb.Options{})
	defer e.Close()
	const keys = 500
	var ops []store.Op
	for i := range keys {
		ops = append(ops, store.Op{Kind: store.Set, Key: fmt.Appendf(nil, "%04d", i), Value: bytes.Repeat([]byte{byte(i)}, 2000)})
	}
	_, err := e.Commit(t.Context(), &store.Commit{Ops: ops})
	try(t, err)
	v := version(t, e)
	for _, opts := range []store.RangeOptions{{}, {Reverse: true}, {Limit: 300}, {Limit: 300, Reverse: true}, {Limit: keys}, {Limit: keys + 1}} {
		kvs, more, err := e.Range(t.Context(), v, store.Range{End: store.KeyEnd}, opts)
		try(t, err)
		want := keys
		if opts.Limit > 0 {
			want = min(want, opts.Limit)
		}
		if len(kvs) != want || more != (want == opts.Limit) {
			t.Errorf("%+v: %d keys, more: %t; want %d", opts, len(kvs), more, want)
		}
		for i, kv := range kvs {
			n := i
			if opts.Reverse {
				n = keys - 1 - i
			}
			if string(kv.Key) != fmt.Sprintf("%04d", n) || !bytes.Equal(kv.Value, ops[n].Value) {
				t.Fatalf("%+v: entry %d has the key %s", opts, i, kv.Key)
			}
		}
	}
	stats, err := c.Stats()
	try(t, err)
	if stats.Ranges < 20 {
		t.Errorf("%d range reads: a megabyte came in too few replies to prove anything", stats.Ranges)
	}
}

func TestOneHandle(t *testing.T) {
	c := newCluster(t)
	first := openOn(t, c, foundationdb.Options{})
	second := openOn(t, c, foundationdb.Options{})
	try(t, first.Close())
	try(t, appendTo(t.Context(), second))
	try(t, second.Close())
	third := openOn(t, c, foundationdb.Options{})
	defer third.Close()
	if got := appended(t, third); got != 1 {
		t.Errorf("the store that was opened again has %d, want 1", got)
	}
}

func TestOpenFails(t *testing.T) {
	for name, text := range map[string]string{"no file": "", "another cluster": "production:abc@10.0.0.1:4500"} {
		file := filepath.Join(t.TempDir(), "fdb.cluster")
		if text != "" {
			try(t, os.WriteFile(file, []byte(text), 0o644))
		}
		if e, err := foundationdb.Open(t.Context(), foundationdb.Options{ClusterFile: file}); err == nil {
			e.Close()
			t.Errorf("%s: opened, want an error", name)
		}
	}
	c := newCluster(t)
	try(t, c.Fail(fdbsim.ReadVersion, 1, fdbsim.Fault{Hang: true}))
	opts := foundationdb.Options{ClusterFile: c.ClusterFile(), Timeout: 20 * time.Millisecond}
	if e, err := foundationdb.Open(t.Context(), opts); err == nil {
		e.Close()
		t.Error("a cluster that does not answer: opened, want an error")
	}
}

// TestNoLeak looks for goroutines, futures and transactions that stay behind
// after operations that ended well, were cancelled, or failed.
func TestNoLeak(t *testing.T) {
	c := newCluster(t)
	e := openOn(t, c, foundationdb.Options{})
	defer e.Close()
	try(t, appendTo(t.Context(), e))
	goroutines := runtime.NumGoroutine()
	try(t, c.Rate(fdbsim.Get, 100, fdbsim.Fault{Hang: true}))
	try(t, c.Rate(fdbsim.ReadVersion, 100, fdbsim.Fault{Hang: true}))
	try(t, c.Rate(fdbsim.Commit, 100, fdbsim.Fault{Hang: true, Landing: fdbsim.Landed}))
	try(t, c.Rate(fdbsim.Commit, 100, fdbsim.Fault{Code: fdbsim.NotCommitted}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
				_ = appendTo(ctx, e) // whatever comes of it
				cancel()
			}
		})
	}
	wg.Wait()
	waitFor(t, "goroutines end and the double's memory is freed", func() bool {
		runtime.GC()
		futures, transactions, err := c.Live()
		try(t, err)
		// The last few are the control connection's.
		return runtime.NumGoroutine() <= goroutines && futures < 10 && transactions < 10
	})
}
