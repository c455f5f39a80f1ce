package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/onefold/onefold/control/stage"
)

// monitor looks at a stage each second.
type monitor struct {
	name    string
	address string
	stage   *stage.Stage

	mu   sync.Mutex
	last status
}

// status is what GET /status replies.
type status struct {
	Application string    `json:"application"`
	Address     string    `json:"address"`
	Replicas    []process `json:"replicas"`

	taken time.Time
}

// process is a replica and what it does per second.
type process struct {
	stage.Replica
	Rate float64 `json:"requestsPerSecond"`
	CPUs float64 `json:"cpus"` // CPU time per second
}

// look takes the status now; rates are those since the last look.
func (m *monitor) look() status {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := status{Application: m.name, Address: m.address, taken: time.Now()}
	for _, r := range m.stage.Replicas() {
		p := process{Replica: r}
		for _, old := range m.last.Replicas {
			if old.Name() == r.Name() && r.Requests >= old.Requests && r.CPU >= old.CPU {
				passed := now.taken.Sub(m.last.taken).Seconds()
				p.Rate = float64(r.Requests-old.Requests) / passed
				p.CPUs = (r.CPU - old.CPU).Seconds() / passed
			}
		}
		now.Replicas = append(now.Replicas, p)
	}
	m.last = now
	return now
}

// current returns the status as it was looked at last, but with today's states.
func (m *monitor) current() status {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.last
	now.Replicas = nil
	for _, r := range m.stage.Replicas() {
		p := process{Replica: r}
		for _, old := range m.last.Replicas {
			if old.Name() == r.Name() {
				p.Rate, p.CPUs = old.Rate, old.CPUs
			}
		}
		now.Replicas = append(now.Replicas, p)
	}
	return now
}

// ServeHTTP answers GET /status.
func (m *monitor) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(m.current())
}

// watch shows the status until ctx is done, when it closes the channel: a table
// on a terminal, a line of JSON a second, or a line for each process whose state changes.
func (m *monitor) watch(ctx context.Context, s *screen, asJSON bool) <-chan struct{} {
	done := make(chan struct{})
	m.look()
	go func() {
		defer close(done)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		states := map[string]string{}
		for {
			now := m.look()
			switch {
			case asJSON:
				json.NewEncoder(s.out).Encode(now)
			case s.live:
				s.table(now.table())
			default:
				for _, r := range now.Replicas {
					if line := fmt.Sprintf("%s, process %d", r.State, r.PID); states[r.Name()] != line {
						states[r.Name()] = line
						fmt.Fprintf(s.out, "%s: %s\n", r.Name(), line)
					}
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return done
}

// table returns the status as a table.
func (s status) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "SERVICE\tREPLICA\tPID\tSTATE\tRESTARTS\tREQ/S\tCPU\t\n")
	for _, r := range s.Replicas {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%.0f\t%.0f%%\t\n", r.Service, r.Number, r.PID, r.State, r.Restarts, r.Rate, 100*r.CPUs)
	}
	w.Flush()
	return b.String()
}

// screen shows a table below what is logged, where it is live.
type screen struct {
	live bool
	out  io.Writer

	mu    sync.Mutex
	log   io.Writer
	shown string // the table on the terminal
}

func newScreen(out, log io.Writer, live bool) *screen { return &screen{live: live, out: out, log: log} }

// Write logs a line.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := s.shown
	s.show("")
	n, err := s.log.Write(b)
	s.show(shown)
	return n, err
}

// table puts a table in place of the last one.
func (s *screen) table(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.show(text)
}

func (s *screen) show(text string) {
	if lines := strings.Count(s.shown, "\n"); lines > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\x1b[J", lines) // up, and clear to the end
	}
	io.WriteString(s.out, text)
	s.shown = text
}

// close leaves the last table where it is.
func (s *screen) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = ""
}
