// Package profile says how much faster a whole application would be if one of
// its services were, without changing that service: causal profiling.
//
// To see what x would gain from needing Delta less time a request, every other
// service is paused for as long as the saved time, and the inserted time is taken
// out of the measurement afterwards. With r_x requests at x for each end-to-end
// request and q_x cores, D = r_x*Delta/q_x is saved per end-to-end request, and
//
//	1/X_slow = 1/X_fast + D
//
// where X_slow is measured and X_fast is what the faster x would give. All other
// services pause together: after every batch of B requests at x they all stop for
// P = B*Delta/q_x, so no ratio is needed for the pauses. Where a request's time is measured,
// Delta is a fraction of what the requests of the batch have really taken: that changes with
// what they ask for, and with how fast the machine is.
//
// A measurement is a Raw: windows of requests, cut where phases begin. Analyse
// turns it into a Result, and is all that does: the driver of live systems and the
// simulator (package sim) both only make a Raw.
package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Schema is the version of the raw document that this package reads and writes.
const Schema = "onefold.profile/1"

// Raw is a measurement: everything that an analysis needs, and nothing derived.
type Raw struct {
	Schema   string    `json:"schema"`
	Name     string    `json:"name"`
	Seed     uint64    `json:"seed"`    // of the order of experiments and of the bootstrap
	Clients  int       `json:"clients"` // concurrent requests of the load
	Services []Service `json:"services"`
	Edges    []Edge    `json:"edges,omitempty"`
	Windows  []Window  `json:"windows"`
	Warnings []string  `json:"warnings,omitempty"`
}

// Service is one service and what a measurement found out about it, mostly in its
// first part, before any experiment.
type Service struct {
	Name     string  `json:"name"`
	Cores    float64 `json:"cores"` // cores that all its replicas can use together: q
	Replicas int     `json:"replicas"`
	Ratio    float64 `json:"ratio"` // requests here for each end-to-end request: r
	Time     float64 `json:"time"`  // seconds of processor time of one request: t
	// Routes are those that had requests.
	Routes []Route `json:"routes,omitempty"`
	// Pausable is false for a service without a poker. It keeps its speed in
	// experiments, so predictions are too high where it is near the bottleneck, and
	// their intervals reach down to what is sure.
	Pausable bool `json:"pausable"`
	// Egress is known where the service has a network of its own, as in a pod, and it was
	// paused.
	Egress *Egress `json:"egress,omitempty"`
}

// Route is a route of a service and its requests for each end-to-end request.
type Route struct {
	Name  string  `json:"name"`
	Ratio float64 `json:"ratio"`
}

// Egress is what a service sent over the network while it was paused: what it had
// handed to the kernel before.
type Egress struct {
	Bytes int64   `json:"bytes"`
	Rate  float64 `json:"rate"` // of sending in pauses, over that between them
}

// Share returns the seconds of wall time that the service needs for one
// end-to-end request: p = r*t/q.
func (s Service) Share() float64 {
	if s.Cores == 0 {
		return 0
	}
	return s.Ratio * s.Time / s.Cores
}

// Edge is a caller, a callee, and the calls for each end-to-end request.
type Edge struct {
	From  string  `json:"from"`
	To    string  `json:"to"`
	Ratio float64 `json:"ratio"`
}

// Kind is what a window measures.
type Kind string

// The kinds of window. A control has the phases of an experiment with pauses of
// length zero: what it loses against the baseline is the cost of the mechanism.
// Truth windows exist only where the real service can be made faster.
const (
	Baseline   Kind = "baseline"
	Control    Kind = "control"
	Experiment Kind = "experiment"
	Truth      Kind = "truth"
)

// Window is a stretch of time under one setting.
type Window struct {
	Seq        int       `json:"seq"` // position in the order of the run
	Repetition int       `json:"repetition"`
	Kind       Kind      `json:"kind"`
	Target     string    `json:"target,omitempty"`   // service made faster, or that counts the phases of a control; several joined by +, a route behind a :
	Fraction   float64   `json:"fraction,omitempty"` // of the target's time that is taken away
	Delta      float64   `json:"delta,omitempty"`    // seconds taken from each request at the target
	Batch      int       `json:"batch,omitempty"`    // requests at the target between two phases
	Noise      float64   `json:"noise,omitempty"`    // share of the time that the machine was busy with other things
	Segments   []Segment `json:"segments"`
	// Dropped says why the window is not used; empty for most.
	Dropped string `json:"dropped,omitempty"`
}

// Segment is a part of a window. In experiments it begins and ends where a phase
// begins, so it holds whole pauses only. Times are seconds.
type Segment struct {
	Wall     float64 `json:"wall"`
	Requests int64   `json:"requests"`       // end-to-end requests that ended
	Target   int64   `json:"target"`         // requests at the target
	Phases   int     `json:"phases"`         //
	Paused   float64 `json:"paused"`         // measured, mean over the paused services; a part of the target's counts as its part
	Errors   int64   `json:"errors"`         // end-to-end requests that failed, not in Requests
	Busy     float64 `json:"busy,omitempty"` // processor seconds of the target
	// Saved is the pauses that were ordered where they follow the time that the target's requests
	// really took; 0 where each is as long as the window's batch and Delta say.
	Saved float64 `json:"saved,omitempty"`
}

// service returns the service of that name.
func (r *Raw) service(name string) (Service, bool) {
	for _, s := range r.Services {
		if s.Name == name {
			return s, true
		}
	}
	return Service{}, false
}

// Write writes the document as indented JSON.
func (r *Raw) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// Read reads a document and checks it.
func Read(rd io.Reader) (*Raw, error) {
	var r Raw
	dec := json.NewDecoder(rd)
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("read raw profile: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("raw profile has schema %q; this onefold reads %q", r.Schema, Schema)
	}
	return &r, r.check()
}

// check finds what would make an analysis meaningless.
func (r *Raw) check() error {
	if len(r.Services) == 0 {
		return errors.New("raw profile has no services")
	}
	for _, s := range r.Services {
		if r := reserved(s.Name); r != "" {
			return fmt.Errorf("raw profile: service %q has a %s in its name, which has a meaning in targets", s.Name, r)
		}
	}
	for i, w := range r.Windows {
		if _, ok := r.Target(w.Target); !ok && w.Kind != Baseline {
			return fmt.Errorf("window %d of the raw profile: target %q is not one of its services", i, w.Target)
		}
		switch w.Kind {
		case Baseline, Control, Experiment, Truth:
		default:
			return fmt.Errorf("window %d of the raw profile: kind %q is unknown", i, w.Kind)
		}
		for _, s := range w.Segments {
			if s.Wall <= 0 || s.Requests < 0 || s.Target < 0 || s.Phases < 0 || s.Paused < 0 {
				return fmt.Errorf("window %d of the raw profile: a segment of %g s, %d requests, %d at the target", i, s.Wall, s.Requests, s.Target)
			}
		}
	}
	return nil
}
