package driver

import (
	"sync"

	"github.com/onefold/onefold/instrument/poker"
)

// busyness watches how busy the target is while the others pause. A target that is
// saturated otherwise has to be busy then, too: if it runs out of queued requests,
// it loses time that a really faster one would not, and the prediction is too low.
type busyness struct {
	mu          sync.Mutex
	first, last poker.Work
	begun       map[uint64]poker.Work
	done, wall  int64 // in pauses
}

// Every so many phases one is looked at.
const lookEvery = 3

// begin notes the target's work at the begin of a phase.
func (b *busyness) begin(phase uint64, w poker.Work) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first.Clock == 0 {
		b.first = w
		b.begun = map[uint64]poker.Work{}
	}
	b.last = w
	if phase%lookEvery == 0 {
		b.begun[phase] = w
	}
}

// wants reports whether the end of a phase's pause shall be noted.
func (b *busyness) wants(phase uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.begun[phase]
	return ok
}

// end notes the target's work at the end of a pause.
func (b *busyness) end(phase uint64, w poker.Work) {
	b.mu.Lock()
	defer b.mu.Unlock()
	start, ok := b.begun[phase]
	if !ok {
		return
	}
	delete(b.begun, phase)
	b.done += w.Done - start.Done
	b.wall += w.Clock - start.Clock
}

// The shares of time that say that a target is saturated, and that it is not.
const (
	saturated = 0.90
	starving  = 0.75
)

// starved reports whether a target with so many cores ran out of requests. paused is
// the share of the time that was pauses.
func (b *busyness) starved(cores, paused float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.last.Clock - b.first.Clock
	if all <= 0 || b.wall <= 0 || paused <= 0 || paused >= 1 {
		return false
	}
	in := float64(b.done) / float64(b.wall) / cores
	whole := float64(b.last.Done-b.first.Done) / float64(all) / cores
	out := (whole - paused*in) / (1 - paused)
	return out > saturated && in < starving
}
