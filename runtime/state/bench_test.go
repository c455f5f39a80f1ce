package state_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
)

// instant is an engine that commits at once and nowhere: what is left is the
// cost of the runtime itself.
type instant struct{ store.Engine }

func (instant) ReadVersion(context.Context) (store.Version, error) { return 1, nil }
func (instant) Release(store.Version)                              {}
func (instant) Settle(context.Context, store.Version) error        { return nil }
func (instant) Get(context.Context, store.Version, []byte) ([]byte, bool, error) {
	return nil, false, nil
}
func (instant) Commit(context.Context, *store.Commit) (store.Version, error) { return 2, nil }

// BenchmarkUpdate is a request that changes one entry, without the store.
func BenchmarkUpdate(b *testing.B) {
	r := protocol.NewRunner(instant{}, protocol.Options{})
	b.Run("int", func(b *testing.B) {
		benchRun(b, r, func(ctx context.Context, s *box) error { *s.counts.Ref(1)++; return nil })
	})
	b.Run("add", func(b *testing.B) {
		benchRun(b, r, func(ctx context.Context, s *box) error { s.counts.Add(1, 1); return nil })
	})
	b.Run("struct", func(b *testing.B) {
		benchRun(b, r, func(ctx context.Context, s *box) error {
			v, _ := s.items.Lookup("a")
			v.Tags = append(v.Tags, "x")
			s.items.Set("a", v)
			return nil
		})
	})
	b.Run("read", func(b *testing.B) {
		benchRun(b, r, func(ctx context.Context, s *box) error { s.items.Get("a"); return nil })
	})
}

func benchRun(b *testing.B, r *protocol.Runner, fn func(ctx context.Context, s *box) error) {
	b.ReportAllocs()
	req := protocol.Request{ID: newID(), Fresh: true, Method: "Box.Do"}
	for b.Loop() {
		_, err := r.Run(context.Background(), req, func(ctx context.Context, tx *protocol.Tx) ([]byte, error) {
			return nil, fn(ctx, bindBox(tx))
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkContention is clients that all change one entry, or each their own.
func BenchmarkContention(b *testing.B) {
	for _, sync := range []bool{false, true} {
		for _, clients := range []int{1, 8, 64} {
			for _, hot := range []bool{false, true} {
				b.Run(fmt.Sprintf("sync=%v/clients=%d/hot=%v", sync, clients, hot), func(b *testing.B) {
					benchClients(b, sync, clients, hot)
				})
			}
		}
	}
}

func benchClients(b *testing.B, onDisk bool, clients int, hot bool) {
	opts := embedded.Options{FS: vfs.NewMem(), NoSync: true}
	dir := "db"
	if onDisk {
		opts, dir = embedded.Options{}, b.TempDir()
	}
	engine, err := embedded.Open(dir, opts)
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	r := protocol.NewRunner(engine, protocol.Options{})
	b.ReportAllocs()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	for c := range clients {
		k := 0
		if !hot {
			k = c
		}
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := run(r, func(ctx context.Context, s *box) error { *s.counts.Ref(k)++; return nil }); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s := r.Stats()
	b.ReportMetric(float64(s.Attempts)/float64(s.Requests), "attempts/op")
}
