package invoke

import (
	"math/bits"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	protocol "github.com/onefold/onefold/runtime/atomic"
)

// buckets is how many latency buckets there are: powers of two from 64 µs to
// 2^buckets-1 times that, about 33 s.
const (
	buckets     = 20
	firstBucket = 64 * time.Microsecond
)

// statuses are the HTTP statuses an invocation can end in, each a counter.
var statuses = [...]int{
	http.StatusOK,
	http.StatusAccepted,
	http.StatusBadRequest,
	http.StatusForbidden,
	http.StatusConflict,
	http.StatusRequestEntityTooLarge,
	http.StatusUnsupportedMediaType,
	http.StatusUnprocessableEntity,
	http.StatusInternalServerError,
	http.StatusServiceUnavailable,
	http.StatusGatewayTimeout,
	http.StatusInsufficientStorage,
}

// counters are the numbers kept for one method.
type counters struct {
	byStatus [len(statuses)]atomic.Uint64
	replayed atomic.Uint64
	retries  atomic.Uint64
	commits  atomic.Uint64
	latency  [buckets + 1]atomic.Uint64 // the last is everything longer
	nanos    atomic.Uint64
}

// observe counts one finished request.
func (c *counters) observe(status int, took time.Duration) {
	for i, s := range statuses {
		if s == status {
			c.byStatus[i].Add(1)
			break
		}
	}
	c.latency[bucket(took)].Add(1)
	c.nanos.Add(uint64(took))
}

// add counts what it took to get a reply.
func (c *counters) add(r *protocol.Reply) {
	if r.Replayed {
		c.replayed.Add(1)
	}
	if r.Attempts > 1 {
		c.retries.Add(uint64(r.Attempts - 1))
	}
	if r.Counts.Commits > 0 {
		c.commits.Add(uint64(r.Counts.Commits))
	}
}

// bucket returns the first bucket whose bound is not below d.
func bucket(d time.Duration) int {
	if d <= firstBucket {
		return 0
	}
	return min(bits.Len64(uint64((d-1)/firstBucket)), buckets)
}

// appendMetrics appends all counters in Prometheus's text format, version 0.0.4.
func (h *Handler) appendMetrics(b []byte) []byte {
	b = header(b, "onefold_requests_total", "counter", "Requests answered, by status.")
	for _, e := range h.order {
		for i, s := range statuses {
			if n := e.counters.byStatus[i].Load(); n > 0 {
				b = sample(b, "onefold_requests_total", e, `,status="`+strconv.Itoa(s)+`"`, n)
			}
		}
	}
	for _, m := range []struct {
		name, help string
		value      func(*counters) *atomic.Uint64
	}{
		{"onefold_replays_total", "Requests answered from an earlier invocation's record.", func(c *counters) *atomic.Uint64 { return &c.replayed }},
		{"onefold_retries_total", "Attempts that were run again, after a conflict or an unknown result.", func(c *counters) *atomic.Uint64 { return &c.retries }},
		{"onefold_commits_total", "Store transactions committed.", func(c *counters) *atomic.Uint64 { return &c.commits }},
	} {
		b = header(b, m.name, "counter", m.help)
		for _, e := range h.order {
			b = sample(b, m.name, e, "", m.value(&e.counters).Load())
		}
	}
	b = header(b, "onefold_request_seconds", "histogram", "Time from a request's arrival to its reply.")
	for _, e := range h.order {
		b = appendHistogram(b, e)
	}
	stats := h.runner.Stats()
	for _, m := range []struct {
		name, kind, help string
		value            uint64
	}{
		{"onefold_conflicts_total", "counter", "Attempts that lost against another request.", stats.Conflicts},
		{"onefold_unknown_commits_total", "counter", "Commits whose result was not known at once.", stats.Unknown},
		{"onefold_in_flight", "gauge", "Requests that run now.", uint64(h.gate.inFlight())},
	} {
		b = header(b, m.name, m.kind, m.help)
		b = append(append(b, m.name...), ' ')
		b = append(strconv.AppendUint(b, m.value, 10), '\n')
	}
	return b
}

func appendHistogram(b []byte, e *endpoint) []byte {
	const name = "onefold_request_seconds"
	total := uint64(0)
	for i := range e.counters.latency {
		total += e.counters.latency[i].Load()
		bound := "+Inf"
		if i < buckets {
			bound = strconv.FormatFloat((firstBucket << i).Seconds(), 'g', -1, 64)
		}
		b = sample(b, name+"_bucket", e, `,le="`+bound+`"`, total)
	}
	b = series(b, name+"_sum", e, "")
	b = strconv.AppendFloat(b, time.Duration(e.counters.nanos.Load()).Seconds(), 'g', -1, 64)
	b = append(b, '\n')
	return sample(b, name+"_count", e, "", total)
}

func header(b []byte, name, kind, help string) []byte {
	b = append(b, "# HELP "...)
	b = append(b, name...)
	b = append(b, ' ')
	b = append(b, help...)
	b = append(b, "\n# TYPE "...)
	b = append(b, name...)
	b = append(b, ' ')
	b = append(b, kind...)
	return append(b, '\n')
}

// series appends `name{service="…",method="…"more} `. Go identifiers need no escapes.
func series(b []byte, name string, e *endpoint, more string) []byte {
	b = append(b, name...)
	b = append(b, `{service="`...)
	b = append(b, e.service.Name...)
	b = append(b, `",method="`...)
	b = append(b, e.method.Name...)
	b = append(b, '"')
	b = append(b, more...)
	return append(b, "} "...)
}

func sample(b []byte, name string, e *endpoint, more string, n uint64) []byte {
	b = series(b, name, e, more)
	b = strconv.AppendUint(b, n, 10)
	return append(b, '\n')
}
