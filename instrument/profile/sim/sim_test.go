package sim_test

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/sim"
)

var full = flag.Bool("full", false, "run the whole grid of TestExactModel, which takes minutes")

// grid is the cells that TestExactModel tries.
func grid() (clients, shares []int, fractions []float64, requests int) {
	switch {
	case *full:
		return []int{32, 64, 128, 256}, []int{16, 8, 4}, []float64{0.1, 0.25, 0.5, 0.75, 0.9}, 8000
	case testing.Short():
		return []int{64}, []int{4}, []float64{0.25, 0.75}, 2000
	}
	return []int{64, 128}, []int{8, 4}, []float64{0.25, 0.5, 0.9}, 3000
}

// TestExactModel is the first tier of evidence: in a world without noise, where the
// batch rule B <= C/4 holds, predictions differ from the truth by 0.5 % in the mean
// and 3 % at worst, and there is something to predict.
func TestExactModel(t *testing.T) {
	clients, shares, fractions, requests := grid()
	var ours, null, capacity, original, alone column
	for _, top := range sim.Topologies() {
		for _, c := range clients {
			run := sim.Run{Topology: top, Clients: c, Requests: requests, Seed: uint64(c)}
			base := run.Baseline()
			for target := range top.Services {
				if !worthTrying(top, target) {
					continue
				}
				for _, f := range fractions {
					raw := run.Raw()
					raw.Windows = append(raw.Windows, base, run.Truth(f, target))
					for _, share := range shares {
						point := predict(t, raw, run.Experiment(f, c/share, target))
						truth := point.Truth.Value
						null.add(float64(base.Segments[0].Requests)/base.Segments[0].Wall, truth)
						capacity.add(point.Analytic, truth)
						original.add(run.Original(target, f, c/share, true), truth)
						alone.add(run.Original(target, f, c/share, false), truth)
						if err := ours.add(point.Predicted.Value, truth); err > 0.03 {
							t.Errorf("%s C=%d B=%d %s@%.0f%%: predicted %.1f, truth %.1f (%.2f %%)", top.Name, c, c/share,
								top.Services[target].Name, 100*f, point.Predicted.Value, truth, 100*err)
						}
					}
				}
			}
		}
	}
	t.Logf("mean error and worst of %d cells: prediction %v; original %v; original, not coordinated %v; capacity model %v; no change %v",
		ours.n, ours, original, alone, capacity, null)
	if ours.mean() > 0.005 {
		t.Errorf("mean error %v, want at most 0.5 %%", ours)
	}
	if null.mean() < 0.05 {
		t.Errorf("predicting no change errs by %v only: the cells show nothing", null)
	}
	if ours.mean() > original.mean() || ours.mean() > alone.mean() {
		t.Errorf("mean error %v, the original's %v and %v: it is nearer the truth", ours, original, alone)
	}
}

// column is the errors of one way to predict.
type column struct {
	n          int
	sum, worst float64
}

// add adds the relative error of a prediction, which it returns.
func (c *column) add(predicted, truth float64) float64 {
	err := math.Abs(predicted/truth - 1)
	c.n++
	c.sum += err
	c.worst = max(c.worst, err)
	return err
}

func (c column) mean() float64 { return c.sum / float64(c.n) }

func (c column) String() string { return fmt.Sprintf("%.3f %% (%.2f %%)", 100*c.mean(), 100*c.worst) }

// worthTrying picks the bottleneck of a topology and its first service.
func worthTrying(top sim.Topology, target int) bool {
	raw := sim.Run{Topology: top}.Raw()
	return target == 0 || raw.Services[target].Name == profile.Bottleneck(raw.Services)
}

// predict analyses the document with one more window.
func predict(t *testing.T, raw *profile.Raw, w profile.Window) profile.Point {
	t.Helper()
	with := *raw
	with.Windows = append(with.Windows[:len(with.Windows):len(with.Windows)], w)
	res, err := profile.Analyse(&with)
	if err != nil {
		t.Fatal(err)
	}
	return res.Services[0].Points[0]
}

// TestTwoTargets: two services made faster together, in the same world, and within the
// same bounds.
func TestTwoTargets(t *testing.T) {
	clients, shares, fractions, requests := grid()
	var ours, alone column
	for _, top := range sim.Topologies() {
		if len(top.Services) == 2 {
			continue // with all services faster only the time's unit changes
		}
		first, second := busiest(top)
		for _, c := range clients {
			run := sim.Run{Topology: top, Clients: c, Requests: requests, Seed: uint64(c)}
			base := run.Baseline()
			for _, f := range fractions {
				raw := run.Raw()
				raw.Windows = append(raw.Windows, base, run.Truth(f, first, second))
				for _, share := range shares {
					point := predict(t, raw, run.Experiment(f, c/share, first, second))
					truth := point.Truth.Value
					if err := ours.add(point.Predicted.Value, truth); err > 0.03 {
						t.Errorf("%s C=%d B=%d %s+%s@%.0f%%: predicted %.1f, truth %.1f (%.2f %%)", top.Name, c, c/share,
							top.Services[first].Name, top.Services[second].Name, 100*f, point.Predicted.Value, truth, 100*err)
					}
					one := run.Raw()
					one.Windows = append(one.Windows, base)
					alone.add(predict(t, one, run.Experiment(f, c/share, first)).Predicted.Value, truth)
				}
			}
		}
	}
	t.Logf("mean error and worst of %d cells: prediction %v; the busier of the two alone %v", ours.n, ours, alone)
	if ours.mean() > 0.005 {
		t.Errorf("mean error %v, want at most 0.5 %%", ours)
	}
	if alone.mean() < 0.05 {
		t.Errorf("the second service changes %v only: the cells show nothing", alone)
	}
}

// busiest returns the two busiest services.
func busiest(top sim.Topology) (first, second int) {
	services := sim.Run{Topology: top}.Raw().Services
	order := make([]int, len(services))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(services[j].Share(), services[i].Share()) })
	return order[0], order[1]
}

// TestNotPausable: where a service cannot be paused the prediction is too high, if that
// is what limits the faster application, and its interval reaches down to the truth.
func TestNotPausable(t *testing.T) {
	const c, batch = 64, 8
	wrong := 0
	for _, external := range []float64{1, 2, 3, 3.8} {
		for _, f := range []float64{0.25, 0.5, 0.75} {
			top := sim.Chain(time.Millisecond, 4*time.Millisecond, time.Duration(external*float64(time.Millisecond)))
			top.Services[2].External = true
			run := sim.Run{Topology: top, Clients: c, Requests: 3000, Seed: 1}
			raw := run.Raw()
			raw.Services[2].Time = 0 // nobody measures it
			raw.Windows = append(raw.Windows, run.Baseline(), run.Truth(f, 1))
			p := predict(t, raw, run.Experiment(f, batch, 1))
			truth := p.Truth.Value
			if truth < 0.99*p.Predicted.Low || truth > 1.01*p.Predicted.High {
				t.Errorf("external service of %g ms, %.0f %%: truth %.1f, interval %.1f to %.1f", external, 100*f, truth, p.Predicted.Low, p.Predicted.High)
			}
			if p.Predicted.Value > 1.05*truth {
				wrong++
			}
			raw.Services[2].Time = external / 1000 // or its time is known
			known := predict(t, raw, run.Experiment(f, batch, 1))
			if truth < 0.99*known.Predicted.Low {
				t.Errorf("external service of %g ms, %.0f %%: truth %.1f, interval from %.1f with its time known", external, 100*f, truth, known.Predicted.Low)
			}
			if known.Predicted.Low < p.Predicted.Low {
				t.Errorf("external service of %g ms, %.0f %%: the interval begins at %.1f, and at %.1f with its time known", external, 100*f, p.Predicted.Low, known.Predicted.Low)
			}
		}
	}
	if wrong < 3 {
		t.Errorf("%d predictions are too high: the cells show nothing", wrong)
	}
}

// TestStarvation shows what the batch rule guards against: with as many requests in
// a batch as there are clients the target runs dry in pauses, and the prediction is
// far too low.
func TestStarvation(t *testing.T) {
	top := sim.Topologies()[0]
	run := sim.Run{Topology: top, Clients: 16, Requests: 2000, Seed: 1}
	raw := run.Raw()
	raw.Windows = append(raw.Windows, run.Baseline(), run.Truth(0.75, 1))
	starved := predict(t, raw, run.Experiment(0.75, 100, 1))
	if low := starved.Predicted.Value / starved.Truth.Value; low > 0.9 {
		t.Errorf("a batch of 100 with 16 clients predicts %.2f of the truth; the simulator does not starve", low)
	}
	batch, _ := profile.Batch(starved.Delta, 16)
	kept := predict(t, raw, run.Experiment(0.75, batch, 1))
	if err := math.Abs(kept.Predicted.Value/kept.Truth.Value - 1); err > 0.03 {
		t.Errorf("with the batch of %d that the rule gives the prediction errs by %.1f %%", batch, 100*err)
	}
}

// TestIntervals checks that intervals of noisy windows hold the truth about as
// often as they say.
func TestIntervals(t *testing.T) {
	top := sim.Topologies()[0]
	hits, trials := 0, 40
	for i := range trials {
		run := sim.Run{Topology: top, Clients: 64, Requests: 200, Seed: uint64(1000 + 10*i)}
		raw := run.Raw()
		long := run
		long.Requests = 4000
		raw.Windows = append(raw.Windows, run.Baseline(), long.Truth(0.5, 1))
		for rep := range uint64(5) {
			run.Seed = uint64(1000+10*i) + rep
			raw.Windows = append(raw.Windows, run.Experiment(0.5, 8, 1))
		}
		p := predict(t, raw, raw.Windows[len(raw.Windows)-1])
		if p.Predicted.Low <= p.Truth.Value && p.Truth.Value <= p.Predicted.High {
			hits++
		}
	}
	if hits < trials*3/4 {
		t.Errorf("%d of %d intervals hold the truth", hits, trials)
	}
}

// TestSameSeedSameBytes: the simulator is a function of its seed.
func TestSameSeedSameBytes(t *testing.T) {
	run := sim.Run{Topology: sim.Topologies()[5], Clients: 32, Requests: 500, Seed: 7}
	first, second := fmt.Sprint(run.Experiment(0.5, 4, 2)), fmt.Sprint(run.Experiment(0.5, 4, 2))
	if first != second {
		t.Errorf("one seed gave two measurements:\n%s\n%s", first, second)
	}
}
