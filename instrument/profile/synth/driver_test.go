package synth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/poker"
	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/driver"
	"github.com/onefold/onefold/instrument/profile/sim"
	"github.com/onefold/onefold/instrument/profile/synth"
)

// short makes a measurement as short as can be; its figures mean nothing.
func short(opts driver.Options) driver.Options {
	opts.Window, opts.Settle, opts.Repetitions = 200*time.Millisecond, 50*time.Millisecond, 1
	opts.Load.Clients = 20
	opts.Fractions, opts.Targets, opts.Truth = []float64{0.5}, []string{"b"}, nil
	return opts
}

// TestDriver: a measurement has all that an analysis needs, and its counts agree.
func TestDriver(t *testing.T) {
	for _, gRPC := range []bool{false, true} {
		t.Run(fmt.Sprintf("gRPC=%v", gRPC), func(t *testing.T) { testDriver(t, gRPC) })
	}
}

func testDriver(t *testing.T, gRPC bool) {
	opts := short(start(t, sim.Chain(time.Millisecond, 4*time.Millisecond), synth.Form{GRPC: gRPC}))
	raw, err := driver.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[profile.Kind]int{}
	for _, w := range raw.Windows {
		if strings.HasPrefix(w.Dropped, "the machine was busy") {
			continue // it was measured again
		}
		kinds[w.Kind]++
		for _, s := range w.Segments {
			if s.Target != int64(s.Phases*w.Batch) {
				t.Errorf("%s: %d requests at the target in %d phases of %d", w.Kind, s.Target, s.Phases, w.Batch)
			}
			if w.Kind == profile.Experiment && s.Paused == 0 {
				t.Error("an experiment without pauses")
			}
		}
	}
	if kinds[profile.Baseline] != 2 || kinds[profile.Control] != 1 || kinds[profile.Experiment] != 1 {
		t.Errorf("windows: %v", kinds)
	}
	if len(raw.Edges) != 1 || raw.Edges[0].From != "a" || raw.Edges[0].To != "b" {
		t.Errorf("edges: %+v", raw.Edges)
	}
	for _, s := range raw.Services {
		if s.Ratio <= 0 || s.Time <= 0 || s.Cores != 1 || !s.Pausable {
			t.Errorf("service %+v", s)
		}
	}
	if profile.Bottleneck(raw.Services) != "b" {
		t.Errorf("services: %+v", raw.Services)
	}
	var b bytes.Buffer
	if err := raw.Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := profile.Read(&b); err != nil {
		t.Error(err)
	}
}

// result measures and analyses.
func result(t *testing.T, opts driver.Options) *profile.Result {
	t.Helper()
	raw, err := driver.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	res, err := profile.Analyse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestTwoTargets: of two services that are made faster together each is paused for what
// is saved in the other.
func TestTwoTargets(t *testing.T) {
	opts := short(start(t, sim.Chain(2*time.Millisecond, 4*time.Millisecond), synth.Form{}))
	opts.Targets = []string{"a+b"}
	res := result(t, opts)
	if len(res.Services) != 1 || !slices.Equal(res.Services[0].Parts, []string{"a", "b"}) {
		t.Fatalf("services: %+v", res.Services)
	}
	paused := map[string]float64{}
	for _, s := range opts.Services {
		paused[s.Name] = float64(stats(t, s).Paused)
	}
	if ratio := paused["a"] / paused["b"]; !(1.6 < ratio && ratio < 2.4) {
		t.Errorf("a was paused %.2f times as long as b, which takes twice its time: %v", ratio, paused)
	}
}

// TestRoute: of a service with two routes one is made faster, and only its requests count.
func TestRoute(t *testing.T) {
	call := func(to int) sim.Call { return sim.Call{To: to, Count: 1, Probability: 1} }
	opts := short(start(t, sim.Topology{
		Name:     "two-routes",
		Services: []sim.Service{{Name: "a", Cores: 1}, {Name: "b", Cores: 1}},
		Endpoints: []sim.Endpoint{
			{Service: 0, Time: time.Millisecond, Calls: []sim.Call{call(1), call(2)}},
			{Service: 1, Time: 2 * time.Millisecond}, {Service: 1, Time: 2 * time.Millisecond},
		},
	}, synth.Form{}))
	opts.Targets = []string{"b:/1"}
	res := result(t, opts)
	if len(res.Services) != 1 || math.Abs(res.Services[0].Ratio-1) > 0.1 {
		t.Fatalf("services: %+v", res.Services)
	}
	// b needs 4 ms for a request, and 3 with half of one route's time.
	if p := res.Services[0].Points[0]; p.Gain.Value < 1.15 || p.Gain.Value > 1.55 || math.Abs(p.Delta-0.001) > 0.0002 {
		t.Errorf("half of the time of one of two routes: %+v, want a gain of 1.33", p)
	}
	opts.Targets = []string{"b:/7"}
	if _, err := driver.Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), `no request of route "/7": those it had were of "/1", "/2"`) {
		t.Errorf("a route that nobody asks for: %v", err)
	}
}

// stats returns what the poker of a service knows, which a driver has just left.
func stats(t *testing.T, s driver.Service) poker.Stats {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := poker.Dial(t.Context(), s.Replicas[0].Control, "", "test", nil)
		if err == nil {
			defer c.Close()
			stats, err := c.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return stats
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestExternal: a service without a poker is known by who calls it, and said not to be
// pausable.
func TestExternal(t *testing.T) {
	opts := short(start(t, sim.Chain(4*time.Millisecond, 2*time.Millisecond), synth.Form{}))
	opts.Services = slices.Clone(opts.Services)
	opts.Services[1].Replicas, opts.Services[1].Time = nil, 2*time.Millisecond
	opts.Targets = []string{"a"}
	raw, err := driver.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if b := raw.Services[1]; b.Pausable || math.Abs(b.Ratio-1) > 0.1 || b.Time != 0.002 {
		t.Errorf("the service without a poker: %+v", b)
	}
	if !slices.ContainsFunc(raw.Warnings, func(w string) bool { return strings.HasPrefix(w, "b has no poker") }) {
		t.Errorf("warnings %q do not say that b cannot be paused", raw.Warnings)
	}
}

// TestInterrupted: what was measured until an interrupt is there, and no service is
// left stopped.
func TestInterrupted(t *testing.T) {
	opts := short(start(t, sim.Chain(time.Millisecond, 4*time.Millisecond), synth.Form{}))
	opts.Repetitions = 1000
	ctx, cancel := context.WithCancel(t.Context())
	opts.Progress = func(p driver.Progress) {
		if p.Done == 4 {
			cancel()
		}
	}
	raw, err := driver.Run(ctx, opts)
	if !errors.Is(err, context.Canceled) || raw == nil || len(raw.Windows) < 3 {
		t.Fatalf("%v, %v", raw, err)
	}
	opts.Repetitions, opts.Progress = 1, nil
	if _, err := driver.Run(t.Context(), opts); err != nil {
		t.Errorf("a second measurement: %v", err)
	}
}

// TestRefused: systems and options that cannot give a true profile.
func TestRefused(t *testing.T) {
	good := start(t, sim.Chain(time.Millisecond, 2*time.Millisecond), synth.Form{})
	for want, change := range map[string]func(*driver.Options){
		"no service \"z\"":       func(o *driver.Options) { o.Targets = []string{"z"} },
		"no service \"y\"":       func(o *driver.Options) { o.Targets = []string{"b+y"} },
		"names b twice":          func(o *driver.Options) { o.Targets = []string{"b+b"} },
		"cannot make a service":  func(o *driver.Options) { o.Fractions = []float64{1.5} },
		"closed loop":            func(o *driver.Options) { o.Load.Clients, o.Load.Rate = 0, 10 },
		"no request of the load": func(o *driver.Options) { o.Mix.Requests[0].Path = "/-/healthz"; o.Mix.Requests[0].OK = []int{299} },
		"has no poker":           func(o *driver.Options) { o.Services[1].Replicas = nil },
	} {
		opts := short(good)
		mix := *good.Mix
		mix.Requests = append(mix.Requests[:0:0], mix.Requests...)
		opts.Mix = &mix
		opts.Services = append(opts.Services[:0:0], opts.Services...)
		for i := range opts.Services {
			opts.Services[i].Replicas = append(opts.Services[i].Replicas[:0:0], opts.Services[i].Replicas...)
		}
		change(&opts)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := driver.Run(ctx, opts)
		cancel()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestQuotaTrap: a service that the kernel throttles loses nothing in pauses, so a
// prediction would be wrong: it is refused. The original predicts.
func TestQuotaTrap(t *testing.T) {
	opts := short(start(t, sim.Chain(time.Millisecond, 2*time.Millisecond), synth.Form{}))
	group := filepath.Join("/sys/fs/cgroup/cpu", fmt.Sprint("onefold-test-", os.Getpid()))
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skipf("no writable control group of processors: %v", err)
	}
	t.Cleanup(func() {
		procs, _ := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		for pid := range strings.FieldsSeq(string(procs)) { // back to where it was
			_ = os.WriteFile("/sys/fs/cgroup/cpu/cgroup.procs", []byte(pid), 0)
		}
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
	})
	c, err := poker.Dial(t.Context(), opts.Services[1].Replicas[0].Control, "", "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	pid := c.Info.Group
	c.Close()
	for file, value := range map[string]int{"cpu.cfs_quota_us": 10_000, "cgroup.procs": pid} {
		if err := os.WriteFile(filepath.Join(group, file), []byte(strconv.Itoa(value)), 0); err != nil {
			t.Skip(err)
		}
	}
	_, err = driver.Run(t.Context(), opts)
	if err == nil || !strings.Contains(err.Error(), "service b has a quota of 0.1 cores") {
		t.Errorf("a throttled service: %v", err)
	}
}

// TestKilled: when the process that measures is killed, nothing that it started stays.
func TestKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "drive")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var groups [2]int
	if _, err := fmt.Fscan(out, &groups[0], &groups[1]); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	for _, group := range groups {
		deadline := time.Now().Add(20 * time.Second)
		for alive(group) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is still there", group)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// alive reports whether a process is there, and no zombie.
func alive(pid int) bool {
	s := state(pid)
	return s != 0 && s != 'Z'
}

// drive is a process that measures until it is killed.
func drive() {
	var t driving
	opts := start(&t, sim.Chain(time.Millisecond, 4*time.Millisecond), synth.Form{})
	for _, group := range groups(&t, opts.Services) {
		fmt.Println(group)
	}
	opts.Repetitions, opts.Truth = 1000, nil
	if _, err := driver.Run(context.Background(), opts); err != nil {
		panic(err)
	}
}

// groups returns the process groups of services.
func groups(t testing.TB, services []driver.Service) (all []int) {
	t.Helper()
	for _, s := range services {
		c, err := poker.Dial(t.Context(), s.Replicas[0].Control, "", "test", nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Info.Group)
		c.Close()
	}
	return all
}

// driving is a testing.TB of a process that is no test.
type driving struct{ testing.TB }

func (*driving) Helper()                  {}
func (*driving) Cleanup(func())           {}
func (*driving) Context() context.Context { return context.Background() }
func (*driving) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }
