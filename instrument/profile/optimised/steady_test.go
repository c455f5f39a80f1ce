package optimised_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile/local"
	"github.com/onefold/onefold/instrument/profile/local/localtest"
)

// TestSteady measures what the gauge is worth: the same service twice, at the same time
// and on as slow processors, of which one is steady. Its throughput in windows by turns has
// to spread less, on a machine whose speed changes; on another there is nothing to see.
func TestSteady(t *testing.T) {
	if !*full {
		t.Skip("a measurement: see make profile-optimised")
	}
	program, free := build(t, "search", ""), localtest.Free(t, 2)
	steady, plain := process("steady", program, free[0]), process("plain", program, free[1])
	// A limit that local does not know has no gauge.
	plain.Command = append(append(localtest.PokerCommand(t), "--cores", fmt.Sprint(cores), "--"), plain.Command...)
	plain.Limit = 0
	localtest.Start(t, &local.Config{Services: []local.Service{steady, plain}})
	var rates [2][]float64
	for range 8 * *repetitions {
		var results [2]*load.Result
		g, ctx := errgroup.WithContext(t.Context())
		for i, address := range free {
			g.Go(func() error {
				mix := &load.Mix{Target: "http://" + address, Requests: []load.Request{{Path: "/"}}}
				runner, err := load.New(ctx, mix, load.Options{Clients: 16, Warmup: *window / 5, Duration: *window, Timeout: time.Minute})
				if err == nil {
					results[i], err = runner.Run(ctx)
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			rates[i] = append(rates[i], r.PerSecond)
		}
	}
	t.Logf("%d windows of %v: requests/s spread by %.1f %% with a gauge and by %.1f %% without", len(rates[0]), *window, 100*spread(rates[0]), 100*spread(rates[1]))
}

// spread returns the standard deviation over the mean.
func spread(values []float64) float64 {
	sum, square, n := 0.0, 0.0, float64(len(values))
	for _, v := range values {
		sum += v
		square += v * v
	}
	mean := sum / n
	return math.Sqrt(max(0, square/n-mean*mean)) / mean
}
