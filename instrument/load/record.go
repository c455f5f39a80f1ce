package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range of latencies: microseconds, to ten minutes, with three digits.
const (
	longest = int64(10 * time.Minute / time.Microsecond)
	digits  = 3
)

// shards of the record, so that clients seldom wait for each other.
const shards = 8

// recorder keeps what was measured.
type recorder struct {
	names  []string
	shards [shards]shard

	mu       sync.Mutex
	start    time.Time
	cpu      time.Duration // of this process at the start
	wall     time.Duration // measured, once that is over
	answered []int64       // until then, by kind
	used     time.Duration // of the processor
}

type shard struct {
	mu     sync.Mutex
	routes []record
}

// record is what was measured of one kind of request.
type record struct {
	latencies *hdrhistogram.Histogram
	errors    map[string]int64
}

func newRecorder(requests []Request) *recorder {
	r := &recorder{}
	for _, req := range requests {
		r.names = append(r.names, req.Name)
	}
	return r
}

// begin forgets everything and starts the clock.
func (r *recorder) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		s.routes = make([]record, len(r.names))
		for j := range s.routes {
			s.routes[j] = newRecord()
		}
		s.mu.Unlock()
	}
	r.start, r.cpu = time.Now(), ProcessorTime()
}

// end stops the clock. Answers that come later still count for latencies and
// totals, but not for the throughput.
func (r *recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wall, r.used = time.Since(r.start), ProcessorTime()-r.cpu
	r.answered = make([]int64, len(r.names))
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for kind := range s.routes {
			r.answered[kind] += s.routes[kind].latencies.TotalCount()
		}
		s.mu.Unlock()
	}
}

func newRecord() record {
	return record{hdrhistogram.New(1, longest, digits), map[string]int64{}}
}

func (r *recorder) answer(worker, kind int, latency time.Duration) {
	s := &r.shards[worker%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	// The value is in the histogram's range, so it is recorded.
	_ = s.routes[kind].latencies.RecordValue(min(max(latency.Microseconds(), 1), longest))
}

func (r *recorder) error(worker, kind int, how string) {
	s := &r.shards[worker%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routes[kind].errors[how]++
}

// result sums up.
func (r *recorder) result() *Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	res := &Result{Schema: Schema}
	res.Seconds = r.wall.Seconds()
	res.CPU = r.used.Seconds() / res.Seconds
	all := newRecord()
	total := int64(0)
	for kind, name := range r.names {
		route := newRecord()
		for i := range r.shards {
			s := &r.shards[i]
			s.mu.Lock()
			route.add(s.routes[kind])
			s.mu.Unlock()
		}
		all.add(route)
		total += r.answered[kind]
		res.Routes = append(res.Routes, route.measured(name, float64(r.answered[kind])/res.Seconds))
	}
	res.Measured = all.measured("all", float64(total)/res.Seconds)
	return res
}

func (r record) add(other record) {
	r.latencies.Merge(other.latencies)
	for how, n := range other.errors {
		r.errors[how] += n
	}
}

// measured describes a record.
func (r record) measured(name string, perSecond float64) Measured {
	m := Measured{Name: name, Requests: r.latencies.TotalCount(), ErrorKinds: r.errors, PerSecond: perSecond}
	for _, n := range r.errors {
		m.Errors += n
	}
	if m.Requests == 0 {
		return m
	}
	at := func(q float64) float64 { return float64(r.latencies.ValueAtQuantile(q)) / 1e6 }
	m.Latency = Latency{
		Mean: r.latencies.Mean() / 1e6, P50: at(50), P90: at(90), P95: at(95), P99: at(99), P999: at(99.9),
		Max: float64(r.latencies.Max()) / 1e6,
	}
	return m
}
