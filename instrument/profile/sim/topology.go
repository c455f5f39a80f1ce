// Package sim is a discrete-event simulation of services under causal profiling.
// Cores, queues and pauses are exact in it, so what its measurements predict can be
// held against the truth to a fraction of a percent: it shows that the method and
// the estimator are right before any live machine adds its noise.
package sim

import "time"

// Topology is an application: endpoints on services, and what they call.
type Topology struct {
	Name      string
	Services  []Service
	Endpoints []Endpoint // requests enter at the first
}

// Service has a name and cores that all its endpoints share.
type Service struct {
	Name     string
	Cores    int
	External bool // cannot be paused
}

// Endpoint takes Time of one core of its service, then makes its calls, and then
// replies.
type Endpoint struct {
	Service int
	Time    time.Duration
	Calls   []Call
	Async   bool // all calls at once, not one after the other
}

// Call goes to an endpoint with a probability, Count times.
type Call struct {
	To          int
	Count       int
	Probability float64
}

func call(to int) Call { return Call{To: to, Count: 1, Probability: 1} }

// one returns a topology of one endpoint a service, with one core each.
func one(name string, times []time.Duration, calls map[int][]Call, async bool) Topology {
	t := Topology{Name: name}
	for i, d := range times {
		t.Services = append(t.Services, Service{Name: string(rune('a' + i)), Cores: 1})
		t.Endpoints = append(t.Endpoints, Endpoint{Service: i, Time: d, Calls: calls[i], Async: async})
	}
	return t
}

func ms(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// Chain returns services that each call the next.
func Chain(times ...time.Duration) Topology {
	calls := map[int][]Call{}
	for i := range len(times) - 1 {
		calls[i] = []Call{call(i + 1)}
	}
	return one("chain", times, calls, false)
}

// Fan returns a first service that calls all the others.
func Fan(async bool, times ...time.Duration) Topology {
	var calls []Call
	for i := range len(times) - 1 {
		calls = append(calls, call(i+1))
	}
	return one("fan", times, map[int][]Call{0: calls}, async)
}

// Topologies are those that the method is held against: chains, fans, a leaf that
// is visited several times a request, a cache, and a cycle.
func Topologies() []Topology {
	chain3 := Chain(ms(1), ms(4), ms(2))
	chain3.Name = "chain-3"
	chain8 := Chain(ms(1), ms(2), ms(1.5), ms(4), ms(1), ms(3), ms(2), ms(1))
	chain8.Name = "chain-8"
	fan3 := Fan(true, ms(2), ms(3), ms(4), ms(1))
	fan3.Name = "fan-3-async"
	fan7 := Fan(false, ms(1.5), ms(2), ms(3.5), ms(1), ms(2.5), ms(1), ms(3), ms(1))
	fan7.Name = "fan-7"

	// a calls b and c, and both call d: c twice, so d has three requests to a's one.
	dag := one("dag-shared-leaf", []time.Duration{ms(1), ms(2), ms(3), ms(1.3)}, map[int][]Call{
		0: {call(1), call(2)}, 1: {call(3)}, 2: {{To: 3, Count: 2, Probability: 1}},
	}, false)

	// b answers three requests in four by itself, c is behind it.
	cache := one("cache", []time.Duration{ms(1), ms(2.5), ms(8)}, map[int][]Call{
		0: {call(1)}, 1: {{To: 2, Count: 1, Probability: 0.25}},
	}, false)

	// a calls b, which sometimes calls back into another endpoint of a.
	cycle := one("cycle", []time.Duration{ms(2), ms(3.1)}, map[int][]Call{
		0: {call(1)}, 1: {{To: 2, Count: 1, Probability: 0.34}},
	}, false)
	cycle.Endpoints = append(cycle.Endpoints, Endpoint{Service: 0, Time: ms(2)})

	return []Topology{chain3, chain8, fan3, fan7, dag, cache, cycle}
}

// Ratios returns the requests at each service for each end-to-end request.
func (t Topology) Ratios() []float64 {
	r := make([]float64, len(t.Services))
	var visit func(endpoint int, weight float64)
	visit = func(endpoint int, weight float64) {
		e := t.Endpoints[endpoint]
		r[e.Service] += weight
		for _, c := range e.Calls {
			visit(c.To, weight*float64(c.Count)*c.Probability)
		}
	}
	visit(0, 1)
	return r
}

// Times returns the mean time of a request at each service, in seconds.
func (t Topology) Times() []float64 {
	sum := make([]float64, len(t.Services))
	var visit func(endpoint int, weight float64)
	visit = func(endpoint int, weight float64) {
		e := t.Endpoints[endpoint]
		sum[e.Service] += weight * e.Time.Seconds()
		for _, c := range e.Calls {
			visit(c.To, weight*float64(c.Count)*c.Probability)
		}
	}
	visit(0, 1)
	for i, r := range t.Ratios() {
		if r > 0 {
			sum[i] /= r
		}
	}
	return sum
}
