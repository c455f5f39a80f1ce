package suite_test

import (
	"testing"

	"github.com/onefold/onefold/onefoldtest"
)

// TestDifferential is the oracle test: random requests to both sides, and exact
// counts of commits and records.
func TestDifferential(t *testing.T) {
	overAll(t, func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		if opts.Steps = app.steps; testing.Short() {
			opts.Steps = 100
		}
		onefoldtest.Differential(t, plain, app.compiled(), opts)
	})
}

// TestCrashPoints tries every fault at every store operation of a scenario; in
// short mode, only of its beginning.
func TestCrashPoints(t *testing.T) {
	overAll(t, func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		if testing.Short() {
			opts.Scenario = opts.Scenario[:3]
		}
		onefoldtest.CrashPoints(t, plain, app.compiled(), opts)
	})
}

// TestHistories checks concurrent clients under faults with porcupine.
func TestHistories(t *testing.T) {
	overAll(t, func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options) {
		onefoldtest.Histories(t, plain, app.compiled(), opts)
	})
}

// TestSwarm runs many processes under faults of all kinds: ONEFOLD_SEEDS are how many
// seeds of each application are tried, from a random one on.
func TestSwarm(t *testing.T) {
	for _, app := range applications {
		t.Run(app.name, func(t *testing.T) {
			onefoldtest.Swarm(t, onefoldtest.New(t, app.plain...), app.compiled(), swarming(t, app.opts))
		})
	}
}

// swarming returns the options of a swarm: with a few seeds, or as many as are asked for.
func swarming(t *testing.T, opts onefoldtest.Options) onefoldtest.Options {
	opts.Seed, opts.Runs = 1, 2
	if n := number(t, "ONEFOLD_SEEDS", 0); n > 0 {
		opts.Seed, opts.Runs = number(t, "ONEFOLD_SEED", 0), int(n)
	} else if testing.Short() {
		opts.Runs = 1
	}
	return opts
}
