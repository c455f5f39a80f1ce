package suite_test

import (
	"os"
	"testing"

	"github.com/onefold/onefold/onefoldtest"
)

// overProcesses runs a suite over all applications, every service in a process of
// its own, each with a connection of its own to one store. Unless it is for long, the
// runs are a part of those of one process.
func overProcesses(t *testing.T, suite func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options)) {
	overPart(t, func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		opts.Processes, opts.Store = true, remoteStore
		suite(t, app, plain, opts)
	})
}

// overPart runs a suite over all applications; unless it is for long, with one seed and
// the beginnings of the scenarios.
func overPart(t *testing.T, suite func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options)) {
	for _, app := range applications {
		t.Run(app.name, func(t *testing.T) {
			list := []uint64{1}
			if os.Getenv("ONEFOLD_SOAK") != "" || os.Getenv("ONEFOLD_SEED") != "" {
				list = seeds(t)
			} else {
				app.opts.Scenario = app.opts.Scenario[:3]
				app.opts.Runs = 2
			}
			for _, seed := range list {
				opts := app.opts
				opts.Seed = seed
				suite(t, app, onefoldtest.New(t, app.plain...), opts)
			}
		})
	}
}

func TestDifferentialOfProcesses(t *testing.T) {
	overProcesses(t, func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		opts.Steps = 60
		onefoldtest.Differential(t, plain, app.compiled(), opts)
	})
}

func TestHistoriesOfProcesses(t *testing.T) {
	overProcesses(t, func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		onefoldtest.Histories(t, plain, app.compiled(), opts)
	})
}

// TestCrashPointsOfProcesses also has every call between processes lost, doubled,
// delayed and refused.
func TestCrashPointsOfProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("TestHistoriesOfProcesses has random faults")
	}
	overProcesses(t, func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		onefoldtest.CrashPoints(t, plain, app.compiled(), opts)
	})
}
