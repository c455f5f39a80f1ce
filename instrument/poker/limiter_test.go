package poker

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onefold/onefold/instrument/gauge"
	"github.com/onefold/onefold/instrument/precise"
)

// TestBudget simulates a service that always wants to run, on two cores, and a pause of
// a fifth of the time: it gets its share of the time that is not paused.
func TestBudget(t *testing.T) {
	for _, cores := range []float64{0.01, 0.16, 0.5, 1} {
		b := budget{cores: cores, credit: burst}
		const end, pausedOf5ms = int64(10 * time.Second), int64(time.Millisecond)
		now, paused, used := int64(0), int64(0), int64(0)
		for now < end {
			wait, stop := b.next(now-paused, used)
			b.stopped = stop
			for ; wait > 0; wait -= int64(10 * time.Microsecond) {
				step := int64(10 * time.Microsecond)
				switch {
				case now%int64(5*time.Millisecond) < pausedOf5ms:
					paused += step
				case !stop:
					used += 2 * step
				}
				now += step
			}
		}
		want := cores * float64(now-paused)
		if math.Abs(float64(used)-want) > 0.01*want+2*float64(burst) {
			t.Errorf("%g cores: used %.4g s of %.4g", cores, float64(used)/1e9, want/1e9)
		}
	}
}

// TestPausesCost is the trap of the kernel's quotas: a service that one throttles stands
// still most of the time, and loses nothing in pauses. Under a Limiter it loses what
// it should, half of its time here.
func TestPausesCost(t *testing.T) {
	const cores = 0.2
	pid := sleeper(t, "sh", "-c", "while :; do :; done")
	signals, err := Signals(pid)
	if err != nil {
		t.Fatal(err)
	}
	gate := NewGate(signals)
	meter := NewMeter(pid, nil)
	limiter := NewLimiter(gate, meter, cores)
	start, paused := precise.Now(), int64(0)
	for precise.Now() < start+int64(2*time.Second) {
		from := precise.Now()
		if err := gate.Pauses().Stop(); err != nil {
			t.Fatal(err)
		}
		precise.SleepUntil(from + int64(20*time.Millisecond))
		if err := gate.Pauses().Continue(); err != nil {
			t.Fatal(err)
		}
		paused += precise.Now() - from
		precise.SleepUntil(precise.Now() + int64(20*time.Millisecond))
	}
	used, wall := meter.Used(), precise.Now()-start
	limiter.Close()
	// Where the machine is busy the service gets less, and is stopped a little late.
	if most := int64(cores*float64(wall-paused)) + int64(80*time.Millisecond); used > most {
		t.Errorf("used %d ms in %d ms, %d of them paused: want at most %d", used/1e6, wall/1e6, paused/1e6, most/1e6)
	}
	if used == 0 {
		t.Error("the service did nothing")
	}
	if err := unix.Kill(pid, 0); err != nil || stopped(pid) {
		t.Errorf("after the limit ended the service is stopped (%v)", err)
	}
}

// TestSteady: on a processor of half the speed a meter with a gauge counts half the time.
func TestSteady(t *testing.T) {
	pid := sleeper(t, "sh", "-c", "while :; do :; done")
	g, err := gauge.Create(filepath.Join(t.TempDir(), "gauge"))
	if err != nil {
		t.Fatal(err)
	}
	g.Set(0.5)
	plain, steady := NewMeter(pid, nil), NewMeter(pid, g)
	// The two are read one after the other, and the machine may take its time between.
	eventually(t, "half of the time", func() bool {
		ratio := float64(steady.Used()) / float64(plain.Used())
		return plain.Used() > int64(50*time.Millisecond) && math.Abs(ratio-0.5) < 0.02
	})
}

// TestGate: the service runs only while nobody wants it stopped, and its clock stands
// still in pauses.
func TestGate(t *testing.T) {
	pid := sleeper(t)
	signals, err := Signals(pid)
	if err != nil {
		t.Fatal(err)
	}
	g := NewGate(signals)
	pauses, limits := g.Pauses(), g.limits()
	for i, step := range []struct {
		do   func() error
		want bool
	}{
		{pauses.Stop, true}, {limits.Stop, true}, {limits.Continue, true}, {pauses.Continue, false},
		{limits.Stop, true}, {pauses.Stop, true}, {pauses.Continue, true}, {limits.Continue, false},
		{limits.Continue, false},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "signal", func() bool { return stopped(pid) == step.want })
		if g.stopped[pausing] {
			before := g.clock()
			if precise.SleepUntil(precise.Now() + int64(time.Millisecond)); g.clock() != before {
				t.Errorf("step %d: the clock goes on in a pause", i)
			}
		}
	}
}
