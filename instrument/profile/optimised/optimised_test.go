package optimised_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/poker"
	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/driver"
	"github.com/onefold/onefold/instrument/profile/local"
	"github.com/onefold/onefold/instrument/profile/local/localtest"
)

// The test binary is a poker when it is told so.
func TestMain(m *testing.M) {
	localtest.Poker()
	os.Exit(m.Run())
}

var (
	full        = flag.Bool("optimised", false, "measure for long enough to compare in TestOptimised")
	window      = flag.Duration("window", 3*time.Second, "length of a window of TestOptimised")
	repetitions = flag.Int("repetitions", 5, "repetitions of TestOptimised")
)

const (
	// cores is the slow processor that each service has to itself.
	cores = 0.3
	// appClients are under way at a time, also where a service is measured alone: what the
	// collector costs depends on how much lives.
	appClients = 64
)

// sample is an application of a front and two services, and which of these is mended.
type sample struct {
	name     string
	backends [2]string
	mended   int
	helps    bool
}

var samples = []sample{
	{"a regexp compiled in each request", [2]string{"search", "ads"}, 0, true},
	{"JSON built by adding strings", [2]string{"report", "ads"}, 0, true},
	{"a hash without a cache", [2]string{"assets", "ads"}, 0, true},
	{"a sort in a service that is not the bottleneck", [2]string{"report", "ads"}, 1, false},
}

// TestOptimised is the third tier of evidence: the prediction of what a patch would give
// is within 5 % of what it gives, or its interval holds that. What part of its time the
// patch saves is measured of the service alone.
func TestOptimised(t *testing.T) {
	chosen := samples
	if !*full {
		chosen = samples[:1] // only to see that all of it works
	}
	for _, s := range chosen {
		t.Run(s.name, func(t *testing.T) {
			service := s.backends[s.mended]
			before, after := build(t, service, ""), build(t, service, "faster.patch")
			var slow, fast time.Duration
			if !t.Run("alone", func(t *testing.T) { slow, fast = alone(t, before, after) }) {
				return
			}
			if *full && fast >= slow {
				t.Fatalf("a request takes %v of processor time, and %v when mended", slow, fast)
			}
			a := startSample(t, s, before, after)
			raw, err := driver.Run(t.Context(), a.options(min(0.95, max(0.05, 1-float64(fast)/float64(slow)))))
			if err != nil {
				t.Fatal(err)
			}
			if !*full {
				return
			}
			res, err := profile.Analyse(raw)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, s, raw.Services, res, slow, fast)
		})
	}
}

// compare holds the prediction against the truth.
func compare(t *testing.T, s sample, services []profile.Service, res *profile.Result, slow, fast time.Duration) {
	t.Helper()
	text, err := json.Marshal(res.Warnings)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		t.Logf("%s: %.2f requests of %.0f µs each", s.Name, s.Ratio, 1e6*s.Time)
	}
	t.Logf("%.1f requests/s, %d windows dropped, warnings %s", res.Baseline.Value, res.Dropped, text)
	if len(res.Services) == 0 || res.Services[0].Points[0].Truth == nil {
		t.Fatal("INCONCLUSIVE: no usable window")
	}
	p := res.Services[0].Points[0]
	off := p.Predicted.Value/p.Truth.Value - 1
	t.Logf("| %s | %v to %v | %.1f | %.1f (%.1f to %.1f) | %.1f | %+.1f %% | %+.1f %% | %+.1f %% |", s.name, slow, fast, res.Baseline.Value,
		p.Predicted.Value, p.Predicted.Low, p.Predicted.High, p.Truth.Value, 100*off,
		100*(res.Baseline.Value/p.Truth.Value-1), 100*(p.Analytic/p.Truth.Value-1))
	if res.Halves > profile.Quiet {
		t.Skipf("INCONCLUSIVE: two halves of the baseline differ by %.1f %%: the machine is not quiet enough", 100*res.Halves)
	}
	if inside := p.Predicted.Low <= p.Truth.Value && p.Truth.Value <= p.Predicted.High; math.Abs(off) > 0.05 && !inside {
		t.Errorf("predicted %.1f requests/s, %.1f to %.1f; the patch gives %.1f", p.Predicted.Value, p.Predicted.Low, p.Predicted.High, p.Truth.Value)
	}
	if gain := p.Truth.Value / res.Baseline.Value; !s.helps && (gain > 1.02 || p.Gain.Value > 1.02) {
		t.Errorf("a patch that should not help: predicted %.3fx, gives %.3fx", p.Gain.Value, gain)
	}
}

// build builds a service, with a patch if that is not "".
func build(t *testing.T, service, patch string) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, service)
	args := []string{"build", "-o", program}
	if patch != "" {
		source, err := filepath.Abs(filepath.Join("testdata", service, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		mended := filepath.Join(dir, "main.go")
		run(t, "patch", "--quiet", "--output", mended, source, filepath.Join("testdata", service, patch))
		overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: mended}})
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, "overlay.json")
		if err := os.WriteFile(name, overlay, 0o666); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-overlay", name)
	}
	run(t, "go", append(args, "./testdata/"+service)...)
	return program
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// alone returns the processor time of one request of a service without the application, in
// both forms. They are measured at the same time, since what else the machine does changes
// it, and more that of the one than of the other.
func alone(t *testing.T, before, after string) (slow, fast time.Duration) {
	t.Helper()
	free := localtest.Free(t, 2)
	forms := []*form{{address: free[0]}, {address: free[1]}}
	sys := localtest.Start(t, &local.Config{Services: []local.Service{process("before", before, free[0]), process("after", after, free[1])}})
	long := 300 * time.Millisecond
	if *full {
		long = 20 * time.Second
	}
	for i, f := range forms {
		var err error
		if f.poker, err = poker.Dial(t.Context(), sys.Services()[i].Replicas[0].Control, "", t.Name(), nil); err != nil {
			t.Fatal(err)
		}
		defer f.poker.Close()
	}
	var times [2]time.Duration
	g, ctx := errgroup.WithContext(t.Context())
	for i, f := range forms {
		g.Go(func() (err error) {
			times[i], err = f.measure(ctx, long)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return times[0], times[1]
}

// form is a form of a service by itself.
type form struct {
	address string
	poker   *poker.Client
}

// measure returns the processor time of a request under load.
func (f *form) measure(ctx context.Context, long time.Duration) (time.Duration, error) {
	mix := &load.Mix{Target: "http://" + f.address, Requests: []load.Request{{Path: "/?picture=1"}}}
	runner, err := load.New(ctx, mix, load.Options{Clients: appClients, Duration: long + long/4, Timeout: time.Minute})
	if err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() {
		_, err := runner.Run(ctx)
		done <- err
	}()
	time.Sleep(long / 4) // warms up
	before, err := f.poker.Stats(ctx)
	if err != nil {
		return 0, err
	}
	time.Sleep(long)
	after, err := f.poker.Stats(ctx)
	if err = errors.Join(err, <-done); err != nil {
		return 0, err
	}
	return time.Duration((after.Processor - before.Processor) / max(1, after.Requests()-before.Requests())), nil
}

// application is a sample as it runs: the service that is mended twice, in both forms.
type application struct {
	sample
	sys           *local.System
	front         string
	before, after string // addresses of the forms
}

func startSample(t *testing.T, s sample, before, after string) *application {
	t.Helper()
	free := localtest.Free(t, 4)
	a := &application{sample: s, front: free[0], before: free[1], after: free[2]}
	other := free[3]
	addresses := []string{a.before, other}
	if s.mended == 1 {
		addresses = []string{other, a.before}
	}
	front := process("front", build(t, "front", ""), a.front)
	front.Command = append(front.Command, addresses...)
	a.sys = localtest.Start(t, &local.Config{Services: []local.Service{
		process(s.backends[s.mended], before, a.before),
		process("other", build(t, s.backends[1-s.mended], ""), other),
		front,
		process("mended", after, a.after),
	}})
	return a
}

// options are those of a measurement of what saving a fraction of each request gives.
func (a *application) options(fraction float64) driver.Options {
	services := a.sys.Services()
	opts := driver.Options{
		Name: a.name, Services: services[:3], // the mended form takes no part but in the truth
		Mix:     &load.Mix{Target: "http://" + a.front, Requests: []load.Request{{Path: "/?picture=${int:1-20}"}}},
		Load:    load.Options{Clients: appClients, Timeout: time.Minute},
		Targets: []string{services[0].Name}, Fractions: []float64{fraction},
		Window: *window, Repetitions: *repetitions,
		Truth: func(ctx context.Context, _ string, fraction float64) error {
			if fraction > 0 {
				return a.use(ctx, a.after)
			}
			return a.use(ctx, a.before)
		},
	}
	if !*full {
		opts.Window, opts.Settle, opts.Repetitions = 300*time.Millisecond, 50*time.Millisecond, 1
	}
	return opts
}

// use makes the front ask the process at an address.
func (a *application) use(ctx context.Context, address string) error {
	query := url.Values{"n": {fmt.Sprint(a.mended)}, "address": {address}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.front+"/-/backend?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("front: status %d: %w", resp.StatusCode, err)
	}
	return nil
}

func process(name, program, address string) local.Service {
	return local.Service{Name: name, Command: []string{program, address}, Address: address, Ready: "http://" + address + "/-/healthz", Limit: cores}
}
