//go:build foundationdb && !fdbsim

package suite_test

import (
	"testing"

	"github.com/onefold/onefold/runtime/store/foundationdb"
)

// cluster is the cluster of FDB_CLUSTER_FILE.
type cluster struct{}

// openCluster connects to the cluster until the test ends. The first one starts the
// client of this process, which must not happen in a bubble: it never ends.
func openCluster(t *testing.T) cluster {
	t.Helper()
	e, err := foundationdb.Open(t.Context(), foundationdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return cluster{}
}

// ClusterFile leaves it to the client to find FDB_CLUSTER_FILE.
func (cluster) ClusterFile() string { return "" }

// disturb does nothing: a real cluster does not fail at will. The suites have the
// faults of package sim in any case.
func (cluster) disturb(testing.TB, uint64) {}

// late does nothing either.
func (cluster) late(testing.TB) {}

// calm says that something failed, so that no suite misses it.
func (cluster) calm(testing.TB) int { return 1 }
