package poker

import (
	"sync"

	"github.com/onefold/onefold/instrument/precise"
)

// Gate is in front of a service's Stopper where the service is stopped for two
// reasons: a pause, and that it has used up its share of processor time. It runs while
// there is neither.
type Gate struct {
	mu      sync.Mutex
	stopper Stopper
	stopped [2]bool // by reason
	paused  int64   // ns of the pauses that have ended
	since   int64   // begin of the pause under way
}

// The reasons.
const (
	pausing = iota
	limiting
)

// NewGate returns a gate in front of s.
func NewGate(s Stopper) *Gate { return &Gate{stopper: s} }

// Pauses returns the Stopper for pauses.
func (g *Gate) Pauses() Stopper { return reason{g, pausing} }

// limits returns the Stopper for a Limiter.
func (g *Gate) limits() Stopper { return reason{g, limiting} }

// clock returns the machine's monotonic clock without the pauses, that under way included.
func (g *Gate) clock() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := precise.Now()
	if g.stopped[pausing] {
		now = g.since
	}
	return now - g.paused
}

// reason is one of the reasons of a gate.
type reason struct {
	*Gate
	n int
}

func (r reason) Stop() error     { return r.set(r.n, true) }
func (r reason) Continue() error { return r.set(r.n, false) }
func (r reason) String() string  { return r.stopper.String() }

func (g *Gate) set(n int, stop bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.stopped
	g.stopped[n] = stop
	if n == pausing && stop != before[pausing] {
		if now := precise.Now(); stop {
			g.since = now
		} else {
			g.paused += now - g.since
		}
	}
	// A Continue always goes through: what else stopped the service ends, too.
	switch was, is := before != [2]bool{}, g.stopped != [2]bool{}; {
	case is && !was:
		return g.stopper.Stop()
	case !is:
		return g.stopper.Continue()
	}
	return nil
}
