package poker

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// The control channel carries lines of JSON. A client's first line is a hello with
// the token and the name of its experiment; one client is served at a time. The
// poker answers each request under its number, and sends phases in between.
const (
	doHello = "hello"
	doStats = "stats"
	doWatch = "watch" // tell when a batch of requests is full
	doPause = "pause"
	doWork  = "work" // stats without what takes time to find out
)

// longestLine is what a line may have; longer ones end the connection.
const longestLine = 4096

// request is a line from a client.
type request struct {
	ID         uint64 `json:"id"`
	Do         string `json:"do"`
	Token      string `json:"token,omitempty"`
	Experiment string `json:"experiment,omitempty"`
	Batch      int    `json:"batch,omitempty"`
	Route      string `json:"route,omitempty"` // of the batch; all if ""
	Phase      uint64 `json:"phase,omitempty"`
	Nanos      int64  `json:"nanos,omitempty"`
}

// reply is a line to a client. One without a number is a phase.
type reply struct {
	ID       uint64    `json:"id,omitempty"`
	Error    string    `json:"error,omitempty"`
	Info     *Info     `json:"info,omitempty"`
	Stats    *Stats    `json:"stats,omitempty"`
	Interval *Interval `json:"interval,omitempty"`
	Work     *Work     `json:"work,omitempty"`
	Phase    *Phase    `json:"phase,omitempty"`
}

// Info is what a poker is.
type Info struct {
	Service string `json:"service"`
	Group   int    `json:"group"` // process group of the service
	Stopper string `json:"stopper"`
	// Cores is the limit of a Limiter, 0 without one.
	Cores float64 `json:"cores,omitempty"`
}

// Stats is what a poker knows of its service. Times are nanoseconds, counters run
// since the service started.
type Stats struct {
	Clock     int64        `json:"clock"`     // the machine's monotonic clock
	Processor int64        `json:"processor"` // used by the service
	Busy      int64        `json:"busy"`      // time of cores that are not processors
	Paused    int64        `json:"paused"`
	Target    int64        `json:"target"` // requests since the last watch
	Attached  bool         `json:"attached"`
	Counts    []page.Count `json:"counts"`
	Quota     Quota        `json:"quota"`
}

// Requests returns the requests that came in.
func (s Stats) Requests() int64 {
	sum := int64(0)
	for _, c := range s.Counts {
		if c.Kind == string(page.Route) {
			sum += c.Value
		}
	}
	return sum
}

// Work returns what the service's cores have done: its processors, or where it has
// cores of another kind, those.
func (s Stats) Work() Work {
	if s.Busy > 0 {
		return Work{s.Clock, s.Busy}
	}
	return Work{s.Clock, s.Processor}
}

// Quota is what limits the processor time of a service. A service that a quota
// throttles is stopped by the kernel most of the time already: pausing it costs it
// nothing, and a prediction would be wrong.
type Quota struct {
	Cores     float64 `json:"cores,omitempty"`  // quota over period; 0: no quota
	Period    int64   `json:"period,omitempty"` // ns
	Throttled int64   `json:"throttled"`        // times, so far
	Affinity  int     `json:"affinity"`         // processors that it may run on
}

// Phase says that the target has had one more batch of requests.
type Phase struct {
	Number uint64 `json:"number"` // from 1, since the last watch
	Target int64  `json:"target"` // requests since the last watch
	Work
}

// Work is how much a service had done at a time. Both are nanoseconds.
type Work struct {
	Clock int64 `json:"clock"` // the machine's monotonic clock
	Done  int64 `json:"done"`  // by the service's cores
}

// Listen opens the control channel at unix:PATH or tcp:HOST:PORT.
func Listen(address string) (net.Listener, error) {
	network, where, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen(network, where)
	if err != nil {
		return nil, err
	}
	if network == "unix" {
		if err := os.Chmod(where, 0o600); err != nil {
			l.Close()
			return nil, err
		}
	}
	return l, nil
}

func splitAddress(address string) (network, where string, err error) {
	network, where, ok := strings.Cut(address, ":")
	if !ok || where == "" || network != "unix" && network != "tcp" {
		return "", "", fmt.Errorf("control address %q: want unix:PATH or tcp:HOST:PORT", address)
	}
	return network, where, nil
}
