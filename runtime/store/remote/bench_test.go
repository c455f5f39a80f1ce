package remote_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/remote"
)

// transact reads a key and sets it, in one transaction.
func transact(ctx context.Context, e store.Engine, key []byte, n uint64) error {
	v, err := e.ReadVersion(ctx)
	if err != nil {
		return err
	}
	defer e.Release(v)
	if _, _, err := e.Get(ctx, v, key); err != nil {
		return err
	}
	_, err = e.Commit(ctx, &store.Commit{
		Version: v,
		Reads:   []store.Range{store.Point(key)},
		Ops:     []store.Op{{Kind: store.Set, Key: key, Value: binary.BigEndian.AppendUint64(nil, n)}},
	})
	return err
}

// BenchmarkTransaction compares the embedded store with the same one over a unix socket.
func BenchmarkTransaction(b *testing.B) {
	for _, clients := range []int{2, 32} {
		for _, side := range []string{"embedded", "unix"} {
			b.Run(fmt.Sprintf("%s/clients=%d", side, clients), func(b *testing.B) {
				disk, err := embedded.Open(b.TempDir(), embedded.Options{})
				if err != nil {
					b.Fatal(err)
				}
				defer disk.Close()
				var e store.Engine = disk
				if side == "unix" {
					e = overSocket(b, disk)
				}
				var n atomic.Uint64
				b.SetParallelism(max(clients/runtime.GOMAXPROCS(0), 1))
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					mine := n.Add(1 << 32)
					for i := mine; pb.Next(); i++ {
						if err := transact(b.Context(), e, fmt.Appendf(nil, "key %d", i), i); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}

// BenchmarkRead compares a version, a get and a release.
func BenchmarkRead(b *testing.B) {
	disk, err := embedded.Open(b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer disk.Close()
	for side, e := range map[string]store.Engine{"embedded": disk, "unix": overSocket(b, disk)} {
		b.Run(side, func(b *testing.B) {
			for b.Loop() {
				v, err := e.ReadVersion(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := e.Get(b.Context(), v, []byte("k")); err != nil {
					b.Fatal(err)
				}
				e.Release(v)
			}
		})
	}
}

func overSocket(b *testing.B, engine store.Engine) store.Engine {
	name := filepath.Join(b.TempDir(), "s")
	s, err := remote.NewServer(b.Context(), engine, remote.ServerOptions{Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("unix", name)
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l)
	e, err := remote.Open(b.Context(), remote.Options{Dial: remote.Dial("unix", name)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close(); s.Close() })
	return e
}
