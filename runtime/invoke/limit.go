package invoke

import (
	"context"
	"sync/atomic"
	"time"
)

// A gate bounds how many requests run at once. Those beyond wait in a short
// queue; those beyond that are refused at once, so that an overloaded server
// spends its time on requests that it can still answer.
type gate struct {
	slots  chan struct{}
	queued atomic.Int64
	queue  int64
	wait   time.Duration
}

func newGate(inFlight, queue int, wait time.Duration) *gate {
	return &gate{slots: make(chan struct{}, inFlight), queue: int64(queue), wait: wait}
}

// enter reports whether the caller may run; it then calls leave.
func (g *gate) enter(ctx context.Context) bool {
	select {
	case g.slots <- struct{}{}:
		return true
	default:
	}
	if g.queued.Add(1) > g.queue {
		g.queued.Add(-1)
		return false
	}
	defer g.queued.Add(-1)
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return true
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
}

func (g *gate) leave() { <-g.slots }

// inFlight returns how many requests run now.
func (g *gate) inFlight() int { return len(g.slots) }
