//go:build foundationdb && fdbsim

package foundationdb_test

import (
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/foundationdb"
	"github.com/onefold/onefold/runtime/store/foundationdb/fdbsim"
)

// newCluster returns a simulated cluster of the test's own.
func newCluster(t *testing.T) *fdbsim.Cluster {
	t.Helper()
	c, err := fdbsim.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// openOn opens an engine on a cluster.
func openOn(t *testing.T, c *fdbsim.Cluster, opts foundationdb.Options) store.Engine {
	t.Helper()
	opts.ClusterFile = c.ClusterFile()
	e, err := foundationdb.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// openEmpty opens an engine on an empty store.
func openEmpty(t *testing.T) store.Engine {
	return openOn(t, newCluster(t), foundationdb.Options{})
}

// openAged opens an engine on an empty store, whose clock it returns the means
// to advance.
func openAged(t *testing.T) (store.Engine, func(time.Duration)) {
	c := newCluster(t)
	return openOn(t, c, foundationdb.Options{}), func(d time.Duration) {
		if err := c.Advance(d); err != nil {
			t.Fatal(err)
		}
	}
}
