package synth_test

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/driver"
	"github.com/onefold/onefold/instrument/profile/sim"
	"github.com/onefold/onefold/instrument/profile/synth"
)

// goodOverhead and mostOverhead are the shares of its processor time, and so of its
// throughput, that being instrumented may cost a service while no experiment runs: the goal,
// and for one that does nothing itself.
const (
	goodOverhead = 0.01
	mostOverhead = 0.03
)

// TestOverhead measures that share: the same two services with and without the runtime,
// both under pokers and both at the same time on the same processors, so that whatever
// else slows the machine slows both. They do nothing but serve and call, of which the
// runtime is the largest part that it can be.
func TestOverhead(t *testing.T) {
	measurement(t, "profile-overhead")
	top := sim.Chain(0, 0)
	forms := [2]driver.Options{start(t, top, synth.Form{Real: true, Plain: true}), start(t, top, synth.Form{Real: true})}
	var longer []float64
	for range 8 * *repetitions {
		times := serve(t, forms)
		longer = append(longer, times[1]/times[0]-1)
		t.Logf("a request takes %.1f µs, instrumented %.1f µs", times[0]/1e3, times[1]/1e3)
	}
	in := profile.Mean(longer)
	t.Logf("instrumented, the services need %.2f %% more processor time, 95 %% interval %.2f to %.2f %%; the goal is %.0f %%",
		100*in.Value, 100*in.Low, 100*in.High, 100*goodOverhead)
	if in.Low > mostOverhead {
		t.Errorf("that is more than %.0f %%", 100*mostOverhead)
	}
}

// serve returns, for each form, the nanoseconds of processor time that its services need
// for a request.
func serve(t *testing.T, forms [2]driver.Options) (times [2]float64) {
	t.Helper()
	var before [2]int64
	for i, form := range forms {
		before[i] = processor(t, form.Services)
	}
	var runners [2]*load.Runner
	var results [2]*load.Result
	g, ctx := errgroup.WithContext(t.Context())
	for i, form := range forms {
		g.Go(func() (err error) {
			opts := load.Options{Clients: 32, Warmup: *window / 5, Duration: *window, Timeout: 10 * time.Second}
			if runners[i], err = load.New(ctx, form.Mix, opts); err == nil {
				results[i], err = runners[i].Run(ctx)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, form := range forms {
		if r := results[i]; r.Errors > 0 {
			t.Fatalf("%d requests failed: %v", r.Errors, r.ErrorKinds)
		}
		used := processor(t, form.Services) - before[i]
		times[i] = float64(used) / float64(runners[i].Completed())
	}
	return times
}

// processor returns the nanoseconds of processor time that services have used.
func processor(t *testing.T, services []driver.Service) (sum int64) {
	t.Helper()
	for _, s := range services {
		sum += stats(t, s).Processor
	}
	return sum
}
