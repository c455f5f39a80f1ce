package sim

import (
	"strings"
	"time"

	"github.com/onefold/onefold/instrument/profile"
)

// Run is one simulated measurement.
type Run struct {
	Topology Topology
	Clients  int
	Requests int // end-to-end requests that are measured
	Seed     uint64
}

// segments of a window.
const segments = 10

// settle is the number of end-to-end requests, for each client, before a window. The
// clients begin in one queue, and it takes many requests to move them to another
// that fills only a little faster than it drains.
const settle = 12

// Raw returns the document that a live measurement of the topology would give,
// without windows.
func (r Run) Raw() *profile.Raw {
	raw := &profile.Raw{Schema: profile.Schema, Name: r.Topology.Name, Seed: r.Seed, Clients: r.Clients}
	times := r.Topology.Times()
	for i, ratio := range r.Topology.Ratios() {
		s := r.Topology.Services[i]
		raw.Services = append(raw.Services, profile.Service{
			Name: s.Name, Cores: float64(s.Cores), Replicas: 1, Ratio: ratio, Time: times[i], Pausable: !s.External,
		})
	}
	return raw
}

// Baseline measures the topology as it is.
func (r Run) Baseline() profile.Window {
	return profile.Window{Kind: profile.Baseline, Segments: r.plain(0)}
}

// Truth measures the topology with services really faster by a fraction.
func (r Run) Truth(fraction float64, target ...int) profile.Window {
	return profile.Window{
		Kind: profile.Truth, Target: r.name(target), Fraction: fraction, Segments: r.plain(fraction, target...),
	}
}

// name returns the name of a target.
func (r Run) name(target []int) string {
	var names []string
	for _, i := range target {
		names = append(names, r.Topology.Services[i].Name)
	}
	return strings.Join(names, "+")
}

// plain measures without pauses, in segments of equal numbers of requests.
func (r Run) plain(fraction float64, faster ...int) []profile.Segment {
	e := newEngine(r.Topology, r.Seed)
	for _, i := range faster {
		e.scale[i] = 1 - fraction
	}
	warm, size := settle*r.Clients, r.Requests/segments
	var out []profile.Segment
	done, start := 0, nanos(0)
	e.onTarget = func(int) {}
	e.onDone = func() {
		e.send(0, nil)
		if done++; done < warm || (done-warm)%size != 0 {
			return
		}
		if done > warm {
			out = append(out, profile.Segment{Wall: seconds(e.now - start), Requests: int64(size)})
		}
		start = e.now
	}
	e.load(r.Clients)
	for len(out) < segments {
		e.step()
	}
	return out
}

// Experiment measures with all services but the target paused: for the time that is
// saved in it, after every batch of requests at the first of its services.
func (r Run) Experiment(fraction float64, batch int, target ...int) profile.Window {
	raw := r.Raw()
	service, _ := raw.Target(r.name(target))
	delta := fraction * service.Time
	w := profile.Window{
		Kind: profile.Experiment, Target: service.Name, Fraction: fraction, Delta: delta, Batch: batch,
	}
	pause := nanos(float64(batch) * delta / service.Cores * float64(time.Second))
	pauses := make([]nanos, len(raw.Services))
	for i, s := range raw.Services {
		if s.Pausable {
			pauses[i] = nanos(float64(pause) * raw.Pause(service.Name, s.Name))
		}
	}
	phases := max(1, int(float64(r.Requests)*service.Ratio)/batch/segments) // in a segment
	warm := max(1, int(float64(settle*r.Clients)*service.Ratio)/batch)

	e := newEngine(r.Topology, r.Seed)
	var seg profile.Segment
	count, edges, start := 0, 0, nanos(0)
	e.onDone = func() { seg.Requests++; e.send(0, nil) }
	e.onTarget = func(at int) {
		if at != target[0] {
			return
		}
		if count++; count%batch != 0 {
			return
		}
		if edges++; edges >= warm && (edges-warm)%phases == 0 {
			if edges > warm {
				seg.Wall, seg.Phases, seg.Target = seconds(e.now-start), phases, int64(phases*batch)
				seg.Paused = float64(phases) * seconds(pause)
				w.Segments = append(w.Segments, seg)
			}
			seg, start = profile.Segment{}, e.now
		}
		for i, s := range e.servers {
			e.pause(s, pauses[i])
		}
	}
	e.load(r.Clients)
	for len(w.Segments) < segments {
		e.step()
	}
	return w
}

// load lets all clients send their first request.
func (e *engine) load(clients int) {
	for range clients {
		e.send(0, nil)
	}
}

func seconds(n nanos) float64 { return time.Duration(n).Seconds() }
