package embedded_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/storetest"
)

func open(t *testing.T, dir string, opts embedded.Options) *embedded.Engine {
	t.Helper()
	e, err := embedded.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestConformance(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Engine {
			return open(t, "store", embedded.Options{FS: vfs.NewMem()})
		})
	})
	t.Run("disk", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Engine {
			return open(t, t.TempDir(), embedded.Options{})
		})
	})
}

func TestAge(t *testing.T) {
	storetest.RunAged(t, func(t *testing.T) (store.Engine, func(time.Duration)) {
		var offset atomic.Int64
		now := func() time.Time { return time.Unix(0, offset.Load()) }
		return open(t, "store", embedded.Options{FS: vfs.NewMem(), Now: now}), func(d time.Duration) { offset.Add(int64(d)) }
	})
}
