//go:build foundationdb

package suite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/foundationdb"
)

// store returns a part of the cluster's keys as an empty store, which is empty again
// when it is closed. Each process has an engine of its own.
func (c cluster) store(t testing.TB) onefoldtest.Store {
	t.Helper()
	prefix := fmt.Appendf(nil, "onefoldtest/%016x/", rand.Uint64())
	var engines []store.Engine
	connect := func() store.Engine {
		e, err := foundationdb.Open(context.Background(), foundationdb.Options{ClusterFile: c.ClusterFile()})
		if err != nil {
			panic(err) // openCluster reached it
		}
		engines = append(engines, e)
		return prefixed{e, prefix}
	}
	return onefoldtest.Store{
		Connect: connect,
		Close: func() {
			if err := (prefixed{engines[0], prefix}).clear(context.Background()); err != nil {
				t.Errorf("clear the keys below %q: %v", prefix, err)
			}
			for _, e := range engines {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		},
	}
}

// overFoundationDB runs a suite over all applications, in one process and with a process
// for each service, on a cluster of FoundationDB. Unless it is for long, the runs are
// those of overProcesses.
func overFoundationDB(t *testing.T, suite func(t *testing.T, c cluster, app application, plain *onefoldtest.App, opts onefoldtest.Options)) {
	for _, processes := range []bool{false, true} {
		t.Run(fmt.Sprintf("processes=%t", processes), func(t *testing.T) {
			overPart(t, func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
				c := openCluster(t)
				opts.Processes, opts.Store = processes, c.store
				suite(t, c, app, plain, opts)
			})
		})
	}
}

func TestDifferentialOnFoundationDB(t *testing.T) {
	overFoundationDB(t, func(t *testing.T, _ cluster, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		opts.Steps = 60
		onefoldtest.Differential(t, plain, app.compiled(), opts)
	})
}

func TestCountsOnFoundationDB(t *testing.T) {
	for _, processes := range []bool{false, true} {
		t.Run(fmt.Sprintf("processes=%t", processes), func(t *testing.T) {
			overCounts(t, 2, func(t *testing.T, c *counting, opts onefoldtest.Options) {
				opts.Processes, opts.Store = processes, openCluster(t).store
				c.run(t, opts)
			}, nil)
		})
	}
}

// TestHistoriesOnFoundationDB also has the cluster fail commits, if it can.
func TestHistoriesOnFoundationDB(t *testing.T) {
	overFoundationDB(t, func(t *testing.T, c cluster, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		c.disturb(t, opts.Seed)
		c.late(t)
		onefoldtest.Histories(t, plain, app.compiled(), opts)
		if c.calm(t) == 0 {
			t.Error("nothing failed")
		}
	})
}

// TestCrashPointsOnFoundationDB also has the cluster fail in the runs with random faults.
func TestCrashPointsOnFoundationDB(t *testing.T) {
	overFoundationDB(t, func(t *testing.T, c cluster, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		if testing.Short() && opts.Processes && len(app.plain) > 4 {
			t.Skip("so many processes take a while to replace")
		}
		fired := 0
		opts.Store = func(t testing.TB) onefoldtest.Store {
			s := c.store(t)
			s.Disturb = func(seed uint64) (calm func()) {
				c.disturb(t, seed)
				return func() { fired += c.calm(t) }
			}
			return s
		}
		onefoldtest.CrashPoints(t, plain, app.compiled(), opts)
		if fired == 0 {
			t.Error("the cluster never failed")
		}
	})
}
