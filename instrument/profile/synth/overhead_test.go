package synth_test

import (
	"slices"
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/driver"
	"github.com/onefold/onefold/instrument/profile/sim"
	"github.com/onefold/onefold/instrument/profile/synth"
)

// mostOverhead is the share of its throughput that a service may lose by being
// instrumented, while no experiment runs.
const mostOverhead = 0.01

// TestOverhead measures that share: the same two services with and without the runtime,
// both under pokers, in windows by turns. They do nothing but serve and call, of which
// the runtime is the largest part that it can be.
func TestOverhead(t *testing.T) {
	measurement(t, "profile-overhead")
	top := sim.Chain(0, 0)
	pair := []driver.Options{start(t, top, synth.Form{Real: true, Plain: true}), start(t, top, synth.Form{Real: true})}
	var lost []float64
	for i := range 8 * *repetitions {
		order := []int{0, 1}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		var rates [2]float64
		for _, form := range order {
			rates[form] = rate(t, pair[form])
		}
		lost = append(lost, 1-rates[1]/rates[0])
		t.Logf("%.0f requests/s, %.0f instrumented", rates[0], rates[1])
	}
	in := profile.Mean(lost)
	t.Logf("instrumented, the services lose %.2f %% of their throughput, 95 %% interval %.2f to %.2f %%; the goal is at most %.0f %%",
		100*in.Value, 100*in.Low, 100*in.High, 100*mostOverhead)
	switch {
	case in.Low > mostOverhead:
		t.Error("the runtime costs too much")
	case in.High > mostOverhead:
		t.Log("INCONCLUSIVE: measure longer, or on a quieter machine")
	}
}

// rate returns the requests per second of a window.
func rate(t *testing.T, opts driver.Options) float64 {
	t.Helper()
	runner, err := load.New(t.Context(), opts.Mix, load.Options{Clients: 32, Warmup: *window / 5, Duration: *window, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	res, err := runner.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if res.Errors > 0 {
		t.Fatalf("%d requests failed: %v", res.Errors, res.ErrorKinds)
	}
	return res.PerSecond
}
