package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// Schema is the version of a result's JSON.
const Schema = "onefold.load/1"

// Result is what a run measured.
type Result struct {
	Schema   string  `json:"schema"`
	Target   string  `json:"target"`
	Protocol string  `json:"protocol"`
	Loop     string  `json:"loop"` // closed or open
	Clients  int     `json:"clients,omitempty"`
	Rate     float64 `json:"rate,omitempty"` // that was wanted
	Seconds  float64 `json:"seconds"`        // measured
	// CPU is the cores that this process used. The load shares the machine with
	// the service, if that runs here.
	CPU float64 `json:"cpu"`
	Measured
	Routes   []Measured `json:"routes"`
	Warnings []string   `json:"warnings,omitempty"`
}

// Measured is the figures of one kind of request, or of all.
type Measured struct {
	Name       string           `json:"name"`
	Requests   int64            `json:"requests"` // answered well
	Errors     int64            `json:"errors"`
	ErrorKinds map[string]int64 `json:"errorKinds,omitempty"`
	PerSecond  float64          `json:"perSecond"`
	Latency    Latency          `json:"latency"`
}

// Latency is in seconds. In open loop it counts from when a request was due.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// busy is the share of the machine above which the load itself may be the limit.
const busy = 0.7

// describe adds what the run was, and what to be careful of.
func (r *Result) describe(m *Mix, opts Options) {
	r.Target, r.Protocol = m.Target, string(m.Protocol)
	r.Loop, r.Clients = "closed", opts.Clients
	if opts.Rate > 0 {
		r.Loop, r.Rate = "open", opts.Rate
		if got := float64(r.Requests+r.Errors) / r.Seconds; r.Requests > 0 && got < 0.98*opts.Rate {
			r.Warnings = append(r.Warnings, fmt.Sprintf("only %.4g of %.4g requests/s were answered: the service, or this load, cannot keep up", got, opts.Rate))
		}
	}
	if r.CPU > busy*float64(runtime.NumCPU()) {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the load used %.1f of %d cores: it may be what limits the throughput", r.CPU, runtime.NumCPU()))
	}
}

// JSON writes the result for machines.
func (r *Result) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// Text writes the result for a terminal.
func (r *Result) Text(w io.Writer) error {
	var b bytes.Buffer
	how := fmt.Sprintf("%d clients", r.Clients)
	if r.Loop == "open" {
		how = fmt.Sprintf("%.4g requests/s wanted", r.Rate)
	}
	fmt.Fprintf(&b, "%s, %s, %s loop, %s, %.1f s\n\n", r.Target, r.Protocol, r.Loop, how, r.Seconds)
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "request\tper second\tanswered\terrors\tmean\tp50\tp90\tp99\tp99.9\tmax\n")
	rows := r.Routes
	if len(rows) != 1 {
		rows = append(slices.Clone(rows), r.Measured)
	}
	for _, m := range rows {
		fmt.Fprintf(tw, "%s\t%.4g\t%d\t%d", m.Name, m.PerSecond, m.Requests, m.Errors)
		for _, l := range []float64{m.Latency.Mean, m.Latency.P50, m.Latency.P90, m.Latency.P99, m.Latency.P999, m.Latency.Max} {
			fmt.Fprintf(tw, "\t%s", duration(l))
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
	fmt.Fprintf(&b, "\nThe load used %.2f of %d cores.\n", r.CPU, runtime.NumCPU())
	for _, how := range slices.Sorted(maps.Keys(r.ErrorKinds)) {
		fmt.Fprintf(&b, "error: %s, %d times\n", how, r.ErrorKinds[how])
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// duration prints seconds with three digits.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.3gs", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.3gms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%dµs", d.Microseconds())
}
