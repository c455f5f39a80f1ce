package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Family is one of the synthetic applications that the original Slowpoke was measured
// with.
type Family struct {
	Topology
	// Original is the mean error of the original's predictions of it in percent,
	// nothing trimmed; of the dynamic ones it is known together only.
	Original string
}

// Families are the 11 families: who calls whom, and how often, is the original's, and
// so is how times are drawn.
func Families() []Family {
	to := func(services ...int) (calls []Call) {
		for _, s := range services {
			calls = append(calls, call(s))
		}
		return calls
	}
	maybe := func(to int, probability float64) Call { return Call{To: to, Count: 1, Probability: probability} }
	row := func(n int) map[int][]Call {
		calls := map[int][]Call{}
		for i := range n - 1 {
			calls[i] = to(i + 1)
		}
		return calls
	}
	cycle := family("dynamic-cycle", 5, map[int][]Call{
		0: to(1), 1: {maybe(2, 0.34), maybe(3, 0.33), maybe(4, 0.33)}, 2: to(5),
	}, "1.2 to 2.0")
	// What comes back to the second service does not go around again.
	cycle.Endpoints = append(cycle.Endpoints, Endpoint{Service: 1, Calls: []Call{maybe(3, 0.5), maybe(4, 0.5)}})

	families := []Family{
		family("chain-d2", 3, row(3), "1.8"),
		family("chain-d8", 10, row(10), "2.7"),
		family("fanout-w3", 4, map[int][]Call{0: to(1, 2, 3)}, "1.8"),
		family("fanout-w7", 8, map[int][]Call{0: to(1, 2, 3, 4, 5, 6, 7)}, "2.2"),
		family("dag-cross", 5, map[int][]Call{0: to(1, 2, 3, 4), 1: to(4), 2: to(4), 3: to(2)}, "2.2"),
		family("dag-relay", 7, map[int][]Call{0: to(1, 2, 3), 1: to(4), 2: to(4), 3: to(4), 4: to(5, 6)}, "2.2"),
		family("dag-unbalanced", 8, map[int][]Call{0: to(1, 2, 3), 1: to(7), 2: to(4), 3: to(5, 6)}, "3.1"),
		family("dynamic-cache", 3, map[int][]Call{0: to(1), 1: {maybe(2, 0.25)}}, "1.2 to 2.0"),
		cycle,
		family("dynamic-once", 5, map[int][]Call{0: to(1), 1: {maybe(2, 0.8), maybe(3, 0.2)}, 2: to(4)}, "1.2 to 2.0"),
		family("dynamic-twice", 7, map[int][]Call{
			0: {maybe(1, 0.2), maybe(2, 0.3), maybe(3, 0.5)}, 1: {maybe(4, 0.8)}, 3: {maybe(5, 0.3), maybe(6, 0.7)},
		}, "1.2 to 2.0"),
	}
	for i := range families {
		families[i].draw(uint64(i))
	}
	return families
}

func family(name string, services int, calls map[int][]Call, original string) Family {
	return Family{one(name, make([]time.Duration, services), calls, false), original}
}

// slower is by how much longer requests take than the original's, so that one small
// machine serves all of them.
const slower = 4

// draw draws the times of services for each end-to-end request, from the largest to the
// smallest; the last service, a leaf, takes twice its part, as leaves do in the original
// when they are to be made faster.
func (f *Family) draw(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 4))
	times := make([]float64, len(f.Services))
	for i := range times {
		times[i] = slower * (math.Abs(0.5+0.3*rng.NormFloat64()) + 0.2)
	}
	slices.Sort(times)
	slices.Reverse(times)
	times[len(times)-1] *= 2
	ratios := f.Ratios()
	for i := range f.Endpoints {
		e := &f.Endpoints[i]
		e.Time = ms(times[e.Service] / ratios[e.Service])
	}
}
