package synth_test

import (
	"context"
	"flag"
	"fmt"
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
		case "soak":
			fmt.Println(soakMeasure(os.Args[2]))
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

var (
	truth       = flag.Bool("truth", false, "run the measurements, which take long")
	topologies  = flag.String("topologies", "", "only topologies whose name holds this")
	window      = flag.Duration("window", 3*time.Second, "length of a window of a measurement")
	repetitions = flag.Int("repetitions", 5, "repetitions of a measurement")
	out         = flag.String("out", "", "folder for the raw documents of measurements")
	svg         = flag.String("svg", "", "file for a plot of predictions over truths")
)

// start starts a topology, and returns the options to measure it with.
func start(t testing.TB, top sim.Topology, form synth.Form) driver.Options {
	t.Helper()
	addresses := localtest.Free(t, len(top.Services))
	config, err := synth.Config(top, addresses, form, localtest.Executable(t), "synth")
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
		Mix:  synth.Mix(addresses[0], form.GRPC),
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
	measurement(t, "profile-truth")
	var all score
	for i, top := range sim.Topologies() {
		compare(t, top, synth.Form{GRPC: i%2 == 1}, &all)
	}
	all.print(t)
}

// TestRealCPU is the same with services that use processors, one each, of which the
// load takes its part.
func TestRealCPU(t *testing.T) {
	measurement(t, "profile-real")
	top := sim.Chain(2*time.Millisecond, 4*time.Millisecond)
	top.Name = "real-chain-2"
	var all score
	compare(t, top, synth.Form{Real: true}, &all)
	all.print(t)
}

// TestFamilies is the same with the applications that the original was measured with.
func TestFamilies(t *testing.T) {
	measurement(t, "profile-families")
	var all score
	families := sim.Families()
	for i, f := range families {
		compare(t, f.Topology, synth.Form{GRPC: i%2 == 1}, &all)
	}
	all.print(t)
	t.Log("| family | points | mean error | worst | mean error of the original |")
	for _, f := range families {
		if g := all.sum(func(p point) bool { return p.topology == f.Name }); g.n > 0 {
			t.Logf("| %s | %.0f | %.2f %% | %.2f %% | %s %% |", f.Name, g.n, 100*g.sum/g.n, 100*g.worst, f.Original)
		}
	}
}

// measurement skips a test that takes long unless it was asked for.
func measurement(t *testing.T, target string) {
	t.Helper()
	if !*truth {
		t.Skip("a measurement: see make " + target)
	}
}

// compare measures a topology, the truth beside every prediction, and adds to the score.
func compare(t *testing.T, top sim.Topology, form synth.Form, s *score) {
	if !strings.Contains(top.Name, *topologies) {
		return
	}
	t.Run(top.Name, func(t *testing.T) {
		opts := start(t, top, form)
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
		s.add(t, raw, res)
	})
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
