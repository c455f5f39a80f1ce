//go:build foundationdb && fdbsim

package suite_test

import (
	"testing"

	"github.com/onefold/onefold/runtime/store/foundationdb/fdbsim"
)

// cluster is a simulated cluster.
type cluster struct{ *fdbsim.Cluster }

// openCluster returns a cluster of the test's own. Its clock stands still, so that no
// version gets too old because the machine is slow. It must not be called in a bubble: the
// first call starts the client of this process, which never ends.
func openCluster(t *testing.T) cluster {
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
	if err := c.Freeze(); err != nil {
		t.Fatal(err)
	}
	return cluster{c}
}

// failures are how a cluster fails, beside commits that land late.
var failures = []struct {
	op    fdbsim.Op
	fault fdbsim.Fault
}{
	{fdbsim.ReadVersion, fdbsim.Fault{Code: fdbsim.ProcessBehind}},
	{fdbsim.Get, fdbsim.Fault{Code: fdbsim.TooOld}},
	{fdbsim.Get, fdbsim.Fault{Code: fdbsim.FutureVersion}},
	{fdbsim.Range, fdbsim.Fault{Code: fdbsim.FutureVersion}},
	{fdbsim.Commit, fdbsim.Fault{Code: fdbsim.NotCommitted}},
	{fdbsim.Commit, fdbsim.Fault{Code: fdbsim.TooOld}},
	{fdbsim.Commit, fdbsim.Fault{Code: fdbsim.UnknownResult}},
	{fdbsim.Commit, fdbsim.Fault{Code: fdbsim.UnknownResult, Landing: fdbsim.Landed}},
}

// disturb makes operations of the cluster fail at random, until calm.
func (c cluster) disturb(t testing.TB, seed uint64) {
	t.Helper()
	if err := c.Seed(seed); err != nil {
		t.Fatal(err)
	}
	for _, f := range failures {
		if err := c.Rate(f.op, 40, f.fault); err != nil {
			t.Fatal(err)
		}
	}
}

// late has commits land late too. It is for suites that never put the store back to what
// it was: such a commit may land after that.
func (c cluster) late(t testing.TB) {
	t.Helper()
	if err := c.Rate(fdbsim.Commit, 40, fdbsim.Fault{Code: fdbsim.UnknownResult, Landing: fdbsim.Late, After: 2}); err != nil {
		t.Fatal(err)
	}
}

// calm ends what disturb began. It returns how many operations failed.
func (c cluster) calm(t testing.TB) int {
	t.Helper()
	stats, err := c.Stats()
	if err == nil {
		err = c.Reset()
	}
	if err != nil {
		t.Fatal(err)
	}
	return stats.Fired
}
