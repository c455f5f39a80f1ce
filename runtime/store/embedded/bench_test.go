package embedded_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
)

// transaction is one read-modify-write of key, tried until it does not
// conflict. It returns how often it did.
func transaction(b *testing.B, e store.Engine, key []byte) (conflicts int64) {
	for {
		v, err := e.ReadVersion(b.Context())
		if err != nil {
			b.Error(err)
			return conflicts
		}
		value, _, err := e.Get(b.Context(), v, key)
		if err != nil {
			b.Error(err)
			return conflicts
		}
		next := make([]byte, 8)
		if len(value) == 8 {
			binary.LittleEndian.PutUint64(next, binary.LittleEndian.Uint64(value)+1)
		}
		_, err = e.Commit(b.Context(), &store.Commit{
			Version: v,
			Reads:   []store.Range{store.Point(key)},
			Ops:     []store.Op{{Kind: store.Set, Key: key, Value: next}},
		})
		e.Release(v)
		if err == nil {
			return conflicts
		}
		if !errors.Is(err, store.ErrConflict) {
			b.Error(err)
			return conflicts
		}
		conflicts++
	}
}

func openBench(b *testing.B) store.Engine {
	e, err := embedded.Open(b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return e
}

// BenchmarkSync measures the physical limit of a lone client: a small write
// into a file that has its room already, and its sync.
func BenchmarkSync(b *testing.B) {
	f, err := vfs.Default.Create(filepath.Join(b.TempDir(), "f"), vfs.WriteCategoryUnspecified)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Preallocate(0, 64<<20); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := f.Write(make([]byte, 100)); err != nil {
			b.Fatal(err)
		}
		if err := f.SyncData(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit measures read-modify-write transactions on disk.
func BenchmarkCommit(b *testing.B) {
	for _, clients := range []int{1, 32} {
		for _, hot := range []bool{false, true} {
			b.Run(fmt.Sprintf("clients=%d/hot=%t", clients, hot), func(b *testing.B) {
				e := openBench(b)
				var next, conflicts atomic.Int64
				b.SetParallelism((clients + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
				if clients == 1 {
					for b.Loop() {
						conflicts.Add(transaction(b, e, []byte("key/0")))
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						key := fmt.Appendf(nil, "key/%d", next.Add(1))
						if hot {
							key = []byte("key/0")
						}
						for pb.Next() {
							conflicts.Add(transaction(b, e, key))
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
				b.ReportMetric(float64(conflicts.Load())/float64(b.N), "conflicts/op")
			})
		}
	}
}

// BenchmarkAdd measures blind additions to one key by 32 clients.
func BenchmarkAdd(b *testing.B) {
	e := openBench(b)
	b.SetParallelism((32 + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, err := e.Commit(b.Context(), &store.Commit{Ops: []store.Op{{Kind: store.Add, Key: []byte("n"), Value: []byte{1, 7: 0}}}})
			if err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// BenchmarkGet measures a read version, one read and the release.
func BenchmarkGet(b *testing.B) {
	e := openBench(b)
	key := []byte("key")
	if _, err := e.Commit(b.Context(), &store.Commit{Ops: []store.Op{{Kind: store.Set, Key: key, Value: make([]byte, 100)}}}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		v, err := e.ReadVersion(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := e.Get(b.Context(), v, key); err != nil {
			b.Fatal(err)
		}
		e.Release(v)
	}
}

// BenchmarkRange measures a range read of ten keys.
func BenchmarkRange(b *testing.B) {
	e := openBench(b)
	var ops []store.Op
	for i := range 1000 {
		ops = append(ops, store.Op{Kind: store.Set, Key: fmt.Appendf(nil, "key/%04d", i), Value: make([]byte, 100)})
	}
	if _, err := e.Commit(b.Context(), &store.Commit{Ops: ops}); err != nil {
		b.Fatal(err)
	}
	v, err := e.ReadVersion(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.Release(v)
		if v, err = e.ReadVersion(b.Context()); err != nil {
			b.Fatal(err)
		}
		r := store.Range{Begin: []byte("key/0500"), End: []byte("key/9999")}
		if kvs, _, err := e.Range(b.Context(), v, r, store.RangeOptions{Limit: 10}); err != nil || len(kvs) != 10 {
			b.Fatal(len(kvs), err)
		}
	}
}
