package synth_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/driver"
	"github.com/onefold/onefold/instrument/profile/local/localtest"
	"github.com/onefold/onefold/instrument/profile/sim"
	"github.com/onefold/onefold/instrument/profile/synth"
)

// The test binary is a synthetic service, and its poker, when it is told so.
func TestMain(m *testing.M) {
	localtest.Poker()
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "synth":
			fmt.Println(synth.Run(os.Args[2]))
			os.Exit(1)
		case "drive":
			drive()
		}
	}
	os.Exit(m.Run())
}

var (
	truth       = flag.Bool("truth", false, "measure predictions against the truth in TestTruth, which takes long")
	topologies  = flag.String("topologies", "", "only topologies whose name holds this")
	window      = flag.Duration("window", 3*time.Second, "length of a window of TestTruth")
	repetitions = flag.Int("repetitions", 5, "repetitions of TestTruth")
	out         = flag.String("out", "", "folder for the raw documents of TestTruth")
)

// start starts a topology, and returns the options to measure it with.
func start(t testing.TB, top sim.Topology, gRPC bool) driver.Options {
	t.Helper()
	addresses := localtest.Free(t, len(top.Services))
	config, err := synth.Config(top, addresses, gRPC, localtest.Executable(t), "synth")
	if err != nil {
		t.Fatal(err)
	}
	sys := localtest.Start(t, config)
	byName := map[string]string{}
	for i, s := range top.Services {
		byName[s.Name] = addresses[i]
	}
	return driver.Options{
		Name: top.Name, Services: sys.Services(), Seed: 1,
		Mix:  synth.Mix(addresses[0], gRPC),
		Load: load.Options{Clients: 96, Timeout: 10 * time.Second},
		Truth: func(ctx context.Context, service string, fraction float64) error {
			return synth.SetFraction(ctx, byName[service], fraction)
		},
	}
}

// TestTruth is the second tier of evidence: live services of known speed, each
// prediction held against the same service really made faster. Every other topology
// talks gRPC.
func TestTruth(t *testing.T) {
	if !*truth {
		t.Skip("a measurement: see make profile-truth")
	}
	var score score
	for i, top := range sim.Topologies() {
		if !strings.Contains(top.Name, *topologies) {
			continue
		}
		t.Run(top.Name, func(t *testing.T) {
			opts := start(t, top, i%2 == 1)
			opts.Window, opts.Repetitions, opts.Fractions = *window, *repetitions, []float64{0.25, 0.5, 0.75}
			opts.Settle = *window / 2
			opts.Targets = targets(top)
			raw, err := driver.Run(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			if *out != "" {
				keep(t, raw)
			}
			res, err := profile.Analyse(raw)
			if err != nil {
				t.Fatal(err)
			}
			score.add(t, raw, res)
		})
	}
	score.print(t)
}

// targets are the bottleneck of a topology, the service next to it, and its first.
func targets(top sim.Topology) []string {
	raw := sim.Run{Topology: top}.Raw()
	bottleneck := profile.Bottleneck(raw.Services)
	next, share := "", 0.0
	for _, s := range raw.Services {
		if p := s.Share(); s.Name != bottleneck && p > share {
			next, share = s.Name, p
		}
	}
	names := []string{bottleneck, next}
	if first := top.Services[0].Name; first != bottleneck && first != next {
		names = append(names, first)
	}
	return names
}

func keep(t *testing.T, raw *profile.Raw) {
	file, err := os.Create(*out + "/" + raw.Name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := raw.Write(file); err != nil {
		t.Fatal(err)
	}
}

// score sums up errors relative to the truth.
type score struct {
	all, gains              group
	sameA, sameWorst        float64 // two halves of a baseline against each other
	topologies, covered, of int
}

// group is points of one kind.
type group struct{ n, square, sum, bias, worst, null, analytic float64 }

func (g *group) add(err, null, analytic float64) {
	g.n++
	g.square += err * err
	g.sum += math.Abs(err)
	g.bias += err
	g.worst = max(g.worst, math.Abs(err))
	g.null += math.Abs(null)
	g.analytic += math.Abs(analytic)
}

func (g group) String() string {
	return fmt.Sprintf("%.0f points: RMSE %.2f %%, MAE %.2f %%, bias %+.2f %%, worst %.2f %%; MAE of predicting no change %.1f %%, of the capacity model %.1f %%",
		g.n, 100*math.Sqrt(g.square/g.n), 100*g.sum/g.n, 100*g.bias/g.n, 100*g.worst, 100*g.null/g.n, 100*g.analytic/g.n)
}

func (s *score) add(t *testing.T, raw *profile.Raw, res *profile.Result) {
	same := res.Halves
	s.topologies++
	s.sameA += same
	s.sameWorst = max(s.sameWorst, same)
	t.Logf("baseline %.1f (%.1f to %.1f), its halves differ by %.2f %%, phase overhead %.0f µs (taken out: %v), dropped %d %v",
		res.Baseline.Value, res.Baseline.Low, res.Baseline.High, 100*same, 1e6*res.Overhead.PerPhase.Value, res.Overhead.Applied, res.Dropped, res.Warnings)
	for _, svc := range res.Services {
		for _, p := range svc.Points {
			if p.Truth == nil {
				t.Logf("| %s@%.0f %% | no usable window of the truth |", svc.Name, 100*p.Fraction)
				continue
			}
			err, null, analytic := p.Predicted.Value/p.Truth.Value-1, res.Baseline.Value/p.Truth.Value-1, p.Analytic/p.Truth.Value-1
			t.Logf("| %s | %s@%.0f %% | %.1f (%.1f to %.1f) | %.1f (%.1f to %.1f) | %+.2f %% | %+.1f %% | %+.1f %% |",
				raw.Name, svc.Name, 100*p.Fraction, p.Truth.Value, p.Truth.Low, p.Truth.High,
				p.Predicted.Value, p.Predicted.Low, p.Predicted.High, 100*err, 100*null, 100*analytic)
			s.all.add(err, null, analytic)
			if p.Truth.Value > 1.1*res.Baseline.Value {
				s.gains.add(err, null, analytic)
			}
			s.of++
			if p.Predicted.Low <= p.Truth.Value && p.Truth.Value <= p.Predicted.High {
				s.covered++
			}
		}
	}
}

func (s *score) print(t *testing.T) {
	t.Logf("all: %v", s.all)
	t.Logf("gains above 10 %%: %v", s.gains)
	t.Logf("%d of %d intervals hold the truth; halves of baselines differ by %.2f %% in the mean, %.2f %% at most",
		s.covered, s.of, 100*s.sameA/float64(s.topologies), 100*s.sameWorst)
	if s.sameWorst > profile.Quiet {
		t.Logf("INCONCLUSIVE: the machine was not quiet enough")
	}
}
