package synth_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile/driver"
	"github.com/onefold/onefold/instrument/profile/local/localtest"
	"github.com/onefold/onefold/instrument/profile/sim"
	"github.com/onefold/onefold/instrument/profile/synth"
)

var (
	soak     = flag.Duration("soak", 8*time.Second, "length of TestSoak")
	soakSeed = flag.Uint64("soak-seed", 0, "seed of TestSoak; 0: a new one")
)

// TestSoak kills the profiler, a poker or a service at any time of a measurement, again
// and again. What lives goes on: nothing stays stopped, no request of those that were not
// killed is lost, what belonged to the dead is gone, and the next measurement says what
// the one before the kill would have.
func TestSoak(t *testing.T) {
	if *soakSeed == 0 {
		*soakSeed = rand.Uint64()
	}
	t.Logf("-soak-seed %d", *soakSeed)
	rng := rand.New(rand.NewPCG(*soakSeed, 0))
	killed := map[string]int{}
	for begun := time.Now(); time.Since(begun) < *soak && !t.Failed(); {
		kind := []string{"profiler", "poker", "service"}[rng.IntN(3)]
		killed[kind]++
		t.Run(kind, func(t *testing.T) { kill(t, rng, kind) })
	}
	t.Logf("killed: %v", killed)
}

// soaked is a system that something of is killed. Another process gets it as JSON.
type soaked struct {
	Services []driver.Service
	pids     []int // of the services
}

func startSoaked(t *testing.T) *soaked {
	s := &soaked{}
	t.Cleanup(func() { // when the system has been closed
		for _, pid := range s.pids {
			eventually(t, fmt.Sprintf("process %d ends with the system", pid), func() bool { return !alive(pid) })
		}
	})
	s.Services = start(t, sim.Chain(time.Millisecond, 4*time.Millisecond, time.Millisecond), synth.Form{}).Services
	s.pids = groups(t, s.Services)
	return s
}

// address is where a service listens.
func (s *soaked) address(service int) string { return s.Services[service].Addresses[0] }

// kill kills one process while another process measures, and looks at what is left.
func kill(t *testing.T, rng *rand.Rand, kind string) {
	s := startSoaked(t)
	profiler := s.measureElsewhere(t)
	time.Sleep(time.Duration(100+rng.IntN(1200)) * time.Millisecond)
	n := rng.IntN(len(s.Services))
	victim, dead := profiler.Process.Pid, -1
	if kind != "profiler" {
		dead, victim = n, s.pids[n]
	}
	if kind == "poker" {
		victim = parentOf(t, victim)
	}
	if err := unix.Kill(victim, unix.SIGKILL); err != nil {
		t.Fatalf("kill the %s: %v", kind, err)
	}
	for i, pid := range s.pids {
		if i == dead {
			eventually(t, "the killed service ends", func() bool { return !alive(pid) })
			continue
		}
		// While the profiler lives it pauses them, but for moments only.
		eventually(t, "service "+s.Services[i].Name+" runs", func() bool { return state(pid) != 'T' })
	}
	// Calls of a dead service fail, so each of the others is asked for what it does alone.
	if last := len(s.Services) - 1; dead != last {
		mix := synth.Mix(s.address(last), false)
		mix.Requests[0].Path = fmt.Sprintf("/%d", last)
		runner, err := load.New(t.Context(), mix, load.Options{Clients: 1, Requests: 50})
		if err != nil {
			t.Fatal(err)
		}
		if res, err := runner.Run(t.Context()); err != nil || res.Errors > 0 || res.Requests != 50 {
			t.Fatalf("a service that was not killed: %v, %+v", err, res)
		}
	}
	_ = profiler.Process.Kill() // it has ended, or measures in vain
	_ = profiler.Wait()
	if dead < 0 {
		s.measureAgain(t)
	}
}

// options measure the bottleneck, in the middle of the chain.
func (s *soaked) options() driver.Options {
	return driver.Options{
		Name: "soak", Services: s.Services, Mix: synth.Mix(s.address(0), false),
		Load:    load.Options{Clients: 40, Timeout: 10 * time.Second},
		Targets: []string{s.Services[1].Name}, Fractions: []float64{0.5},
		Window: 250 * time.Millisecond, Settle: 50 * time.Millisecond, Repetitions: 1, Seed: 1,
	}
}

// measureElsewhere starts a process that measures until it is killed.
func (s *soaked) measureElsewhere(t *testing.T) *exec.Cmd {
	argument, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(localtest.Executable(t), "soak", string(argument))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

// soakMeasure is that process.
func soakMeasure(argument string) error {
	var s soaked
	if err := json.Unmarshal([]byte(argument), &s); err != nil {
		return err
	}
	opts := s.options()
	opts.Repetitions = 10000 // until it is killed
	_, err := driver.Run(context.Background(), opts)
	return err
}

// measureAgain measures as if nothing had happened: half the time of the bottleneck, which
// is the time of the others and more, doubles the throughput.
func (s *soaked) measureAgain(t *testing.T) {
	res := result(t, s.options())
	if len(res.Services) == 0 {
		t.Fatalf("no usable window: %+v", res)
	}
	if gain := res.Services[0].Points[0].Gain; gain.Value < 1.4 || gain.Value > 2.6 {
		t.Errorf("after the kill half of the bottleneck's time is worth %.2fx, want about 2x", gain.Value)
	}
}

// stat returns the fields of /proc/PID/stat behind the name; none of a process that is gone.
func stat(pid int) []string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // gone
	return strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
}

// state is the letter of a process's state, T for stopped.
func state(pid int) byte {
	if fields := stat(pid); len(fields) > 0 {
		return fields[0][0]
	}
	return 0
}

func parentOf(t *testing.T, pid int) int {
	fields := stat(pid)
	if len(fields) < 2 {
		t.Fatalf("process %d is gone", pid)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		t.Fatal(err)
	}
	return parent
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}
