package sim

import (
	"container/heap"
	"math/rand/v2"
)

// The engine's clock counts nanoseconds.
type nanos = int64

// event is something that happens at a time: a step of a visit.
type event struct {
	at   nanos
	seq  int // ties go by order of creation
	kind eventKind
	v    *visit
}

type eventKind int

const (
	arrive eventKind = iota // a request reaches its service
	finish                  // the core is done with it
	reply                   // a call that it made has been answered
	thaw                    // a service goes on
)

type events []event

func (h events) Len() int { return len(h) }
func (h events) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h events) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *events) Push(x any)   { *h = append(*h, x.(event)) }
func (h *events) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	*h = (*h)[:last]
	return e
}

// visit is one request at one service.
type visit struct {
	endpoint *Endpoint
	service  *server
	parent   *visit // nil for the client
	end      nanos  // when its core will be done, if nothing pauses it
	calls    []int  // endpoints still to call
	waiting  int    // calls under way
}

// server is a service as it runs.
type server struct {
	index  int
	free   int      // idle cores
	queue  []*visit // waiting for a core
	busy   []*visit // on one
	frozen nanos    // until then
}

// engine runs a topology under a closed loop of clients.
type engine struct {
	topology Topology
	now      nanos
	seq      int
	heap     events
	servers  []*server
	rng      *rand.Rand
	latency  nanos   // of one hop
	jitter   float64 // of a service time, relative
	scale    []float64
	decks    map[*Call][]bool // what probability still has to deal

	onTarget func(service int) // a request arrives at a service
	onDone   func()            // an end-to-end request is answered
}

func newEngine(t Topology, seed uint64) *engine {
	e := &engine{topology: t, rng: rand.New(rand.NewPCG(seed, 2)), latency: 100_000, jitter: 0.05, decks: map[*Call][]bool{}}
	for i, s := range t.Services {
		e.servers = append(e.servers, &server{index: i, free: s.Cores})
		e.scale = append(e.scale, 1)
	}
	return e
}

func (e *engine) after(d nanos, kind eventKind, v *visit) {
	e.seq++
	heap.Push(&e.heap, event{at: e.now + d, seq: e.seq, kind: kind, v: v})
}

// send makes a request to an endpoint.
func (e *engine) send(endpoint int, parent *visit) {
	ep := &e.topology.Endpoints[endpoint]
	e.after(e.latency, arrive, &visit{endpoint: ep, service: e.servers[ep.Service], parent: parent})
}

// step handles the next event.
func (e *engine) step() {
	ev := heap.Pop(&e.heap).(event)
	e.now = ev.at
	v, s := ev.v, ev.v.service
	if ev.kind == reply && s.frozen > e.now {
		e.after(s.frozen-e.now, reply, v) // it is read when the service goes on
		return
	}
	switch ev.kind {
	case arrive:
		e.onTarget(s.index)
		s.queue = append(s.queue, v)
		e.dispatch(s)
	case finish:
		if v.end > e.now { // it was paused meanwhile
			e.after(v.end-e.now, finish, v)
			return
		}
		s.release(v)
		e.plan(v)
		e.proceed(v)
		e.dispatch(s)
	case reply:
		v.waiting--
		e.proceed(v)
	case thaw:
		e.dispatch(s)
	}
}

// dispatch puts waiting requests on idle cores.
func (e *engine) dispatch(s *server) {
	for s.free > 0 && len(s.queue) > 0 && s.frozen <= e.now {
		v := s.queue[0]
		s.queue = s.queue[1:]
		s.free--
		s.busy = append(s.busy, v)
		d := float64(v.endpoint.Time) * e.scale[s.index] * (1 + e.jitter*(2*e.rng.Float64()-1))
		v.end = e.now + nanos(d)
		e.after(nanos(d), finish, v)
	}
}

func (s *server) release(v *visit) {
	s.free++
	for i, b := range s.busy {
		if b == v {
			s.busy = append(s.busy[:i], s.busy[i+1:]...)
			return
		}
	}
}

// plan decides which calls a request makes.
func (e *engine) plan(v *visit) {
	for i := range v.endpoint.Calls {
		c := &v.endpoint.Calls[i]
		for range c.Count {
			if e.deal(c) {
				v.calls = append(v.calls, c.To)
			}
		}
	}
}

// deal draws whether a call is made, from a shuffled deck of a hundred. Every
// hundred draws have the exact ratio, so that two runs differ by what was changed
// and not by what was drawn.
func (e *engine) deal(c *Call) bool {
	if c.Probability >= 1 {
		return true
	}
	deck := e.decks[c]
	if len(deck) == 0 {
		deck = make([]bool, 100)
		for i := range deck {
			deck[i] = float64(i) < 100*c.Probability
		}
		e.rng.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	}
	e.decks[c] = deck[1:]
	return deck[0]
}

// proceed makes the next calls of a request, or answers it.
func (e *engine) proceed(v *visit) {
	for len(v.calls) > 0 && (v.waiting == 0 || v.endpoint.Async) {
		v.waiting++
		to := v.calls[0]
		v.calls = v.calls[1:]
		e.send(to, v)
	}
	switch {
	case v.waiting > 0:
	case v.parent == nil:
		e.onDone()
	default:
		e.after(e.latency, reply, v.parent)
	}
}

// pause stops a service for d, after the pauses that it still owes.
func (e *engine) pause(s *server, d nanos) {
	if d <= 0 {
		return
	}
	s.frozen = max(s.frozen, e.now) + d
	for _, v := range s.busy {
		v.end += d
	}
	e.after(s.frozen-e.now, thaw, &visit{service: s})
}
