package onefoldtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/onefold/onefold/runtime/store/sim"
)

// weather is how often what goes wrong in a run of a swarm. Zero is never.
type weather struct {
	loss      float64 // of messages
	duplicate float64
	slow      float64       // messages that take up to mostSlow
	crash     time.Duration // between the crashes of a process, on average
	pause     time.Duration // between its pauses
	store     sim.Rates
}

// mostSlow is longer than a health check takes, and than a read version is good for.
const mostSlow = 6 * time.Second

// forecast makes the weather of a run: each kind of fault in about every second one, so
// that they meet in all combinations, and none in some.
func forecast(r *rand.Rand) weather {
	some := func(most float64) float64 {
		if r.IntN(2) == 0 {
			return 0
		}
		return most * r.Float64()
	}
	often := func() time.Duration {
		if r.IntN(2) == 0 {
			return 0
		}
		return time.Second + within(r, 5*time.Second)
	}
	return weather{
		loss: some(0.15), duplicate: some(0.2), slow: some(0.1), crash: often(), pause: often(),
		store: sim.Rates{
			CrashBefore: some(0.01), CrashAfter: some(0.01), Conflict: some(0.05), UnknownLanded: some(0.05),
			UnknownLost: some(0.05), UnknownLate: some(0.05), TooOld: some(0.02), Full: some(0.01),
			Delay: some(0.02), MaxDelay: mostSlow, MaxLate: 3,
		},
	}
}

// without returns the weather without one kind of fault, for each kind that it has.
func (w weather) without() []weather {
	var all []weather
	for _, calm := range []func(*weather){
		func(w *weather) { w.loss = 0 },
		func(w *weather) { w.duplicate = 0 },
		func(w *weather) { w.slow = 0 },
		func(w *weather) { w.crash = 0 },
		func(w *weather) { w.pause = 0 },
		func(w *weather) { w.store = sim.Rates{} },
	} {
		if less := w; true {
			calm(&less)
			if less != w {
				all = append(all, less)
			}
		}
	}
	return all
}

// String names the kinds of fault.
func (w weather) String() string {
	var kinds []string
	for _, k := range []struct {
		name string
		has  bool
	}{
		{"messages lost", w.loss > 0}, {"messages twice", w.duplicate > 0}, {"messages late", w.slow > 0},
		{"crashes", w.crash > 0}, {"pauses", w.pause > 0}, {"faults of the store", w.store != sim.Rates{}},
	} {
		if k.has {
			kinds = append(kinds, k.name)
		}
	}
	if kinds == nil {
		return "no faults"
	}
	return fmt.Sprint(strings.Join(kinds, ", "))
}
