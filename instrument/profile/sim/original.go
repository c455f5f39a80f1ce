package sim

import (
	"math"
	"time"
)

// Original predicts as the original Slowpoke does, to compare. Each service adds up a
// delay for every request, of whole microseconds; after each batch of its requests the
// target begins a phase, in which every other service pauses for what it has added up.
// Not coordinated is its older form, in which each service pauses by itself after a
// batch of its own requests. The result is in requests a second.
func (r Run) Original(target int, fraction float64, batch int, coordinated bool) float64 {
	ratios := r.Topology.Ratios()
	cores := func(i int) float64 { return float64(r.Topology.Services[i].Cores) }
	delta := fraction * r.Topology.Times()[target] * 1e6 // µs
	delays := make([]nanos, len(ratios))
	for i, ratio := range ratios {
		if i == target || ratio == 0 {
			continue
		}
		service := math.Floor(delta * ratios[target] * cores(i) / (ratio * cores(target)))
		delays[i] = nanos(math.Floor(service/cores(i))) * int64(time.Microsecond)
	}
	e := newEngine(r.Topology, r.Seed)
	owed, count := make([]nanos, len(ratios)), make([]int, len(ratios))
	e.onTarget = func(at int) {
		owed[at] += delays[at]
		count[at]++
		if count[at] <= batch || coordinated && at != target {
			return
		}
		for i, s := range e.servers {
			if coordinated || i == at {
				e.pause(s, owed[i])
				owed[i], count[i] = 0, 0
			}
		}
	}
	done, warm, start := 0, settle*r.Clients, nanos(0)
	e.onDone = func() {
		if e.send(0, nil); done == warm {
			start = e.now
		}
		done++
	}
	e.load(r.Clients)
	for done <= warm+r.Requests {
		e.step()
	}
	slow := float64(r.Requests) / seconds(e.now-start)
	return 1e6 / (1e6/slow - delta*ratios[target]/cores(target))
}
