package overlay_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
)

// fixed is an engine that answers at once, so that only the overlay's own cost
// is measured.
type fixed struct{ store.Engine }

func (fixed) Get(context.Context, store.Version, []byte) ([]byte, bool, error) {
	return nil, false, nil
}

func (fixed) Range(context.Context, store.Version, store.Range, store.RangeOptions) ([]store.KV, bool, error) {
	return nil, false, nil
}

// BenchmarkTransaction is a transaction that reads and sets n keys.
func BenchmarkTransaction(b *testing.B) {
	for _, n := range []int{1, 3, 10, 100, 10000} {
		names := make([][]byte, n)
		for i := range names {
			names[i] = fmt.Appendf(nil, "app/state/Hotel/rooms/%08d", i*7919%n)
		}
		value := make([]byte, 60)
		b.Run(fmt.Sprint("keys=", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o := overlay.New(fixed{}, 1)
				for _, k := range names {
					if _, _, err := o.Get(b.Context(), k); err != nil {
						b.Fatal(err)
					}
					o.Set(k, value)
				}
				if len(o.Commit().Ops) != n {
					b.Fatal("lost an operation")
				}
				o.Free()
			}
		})
	}
}

// BenchmarkSavepoint is a transaction of ten savepoints that change one key.
func BenchmarkSavepoint(b *testing.B) {
	key, value := []byte("app/state/Hotel/total"), []byte("12345678")
	b.ReportAllocs()
	for b.Loop() {
		o := overlay.New(fixed{}, 1)
		for range 10 {
			m := o.Mark()
			o.Set(key, value)
			_ = m
		}
		if len(o.Commit().Ops) != 1 {
			b.Fatal("not coalesced")
		}
		o.Free()
	}
}

// BenchmarkFork is a transaction of two branches that set one key each.
func BenchmarkFork(b *testing.B) {
	value := []byte("12345678")
	b.ReportAllocs()
	for b.Loop() {
		o := overlay.New(fixed{}, 1)
		o.Set([]byte("app/inv/1"), value)
		left, right := o.Fork(), o.Fork()
		left.Set([]byte("app/state/Hotel/total"), value)
		right.Set([]byte("app/state/Flight/total"), value)
		if !o.Merge(left) || !o.Merge(right) {
			b.Fatal("refused")
		}
		o.Free()
	}
}
