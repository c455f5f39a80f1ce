package sim_test

import (
	"flag"
	"fmt"
	"math"
	"testing"

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
					raw.Windows = append(raw.Windows, base, run.Truth(target, f))
					for _, share := range shares {
						point := predict(t, raw, run.Experiment(target, f, c/share))
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

// TestStarvation shows what the batch rule guards against: with as many requests in
// a batch as there are clients the target runs dry in pauses, and the prediction is
// far too low.
func TestStarvation(t *testing.T) {
	top := sim.Topologies()[0]
	run := sim.Run{Topology: top, Clients: 16, Requests: 2000, Seed: 1}
	raw := run.Raw()
	raw.Windows = append(raw.Windows, run.Baseline(), run.Truth(1, 0.75))
	starved := predict(t, raw, run.Experiment(1, 0.75, 100))
	if low := starved.Predicted.Value / starved.Truth.Value; low > 0.9 {
		t.Errorf("a batch of 100 with 16 clients predicts %.2f of the truth; the simulator does not starve", low)
	}
	batch, _ := profile.Batch(starved.Delta, 16)
	kept := predict(t, raw, run.Experiment(1, 0.75, batch))
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
		raw.Windows = append(raw.Windows, run.Baseline(), long.Truth(1, 0.5))
		for rep := range uint64(5) {
			run.Seed = uint64(1000+10*i) + rep
			raw.Windows = append(raw.Windows, run.Experiment(1, 0.5, 8))
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
	first, second := fmt.Sprint(run.Experiment(2, 0.5, 4)), fmt.Sprint(run.Experiment(2, 0.5, 4))
	if first != second {
		t.Errorf("one seed gave two measurements:\n%s\n%s", first, second)
	}
}
