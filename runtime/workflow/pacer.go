package workflow

import (
	"sync"
	"time"
)

// lanes are the parts of the due index, then those of the messages.
const lanes = 2 * shards

// pacer knows when there will be something to do in which lane, as far as anybody
// can tell without looking.
type pacer struct {
	wake chan struct{} // has an element if something has become earlier

	mu   sync.Mutex
	next [lanes]time.Time
}

// never is when nothing is to be done.
var never = time.Unix(1<<60, 0)

func newPacer() *pacer { return &pacer{wake: make(chan struct{}, 1)} }

func (p *pacer) due(shard int, at time.Time) { p.earlier(shard, at) }
func (p *pacer) out(shard int)               { p.earlier(shards+shard, time.Time{}) }

// earlier says that there is something to do in a lane at the given time.
func (p *pacer) earlier(lane int, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !at.Before(p.next[lane]) {
		return
	}
	p.next[lane] = at
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// look says that there may be something to do in every lane.
func (p *pacer) look() {
	for lane := range lanes {
		p.earlier(lane, time.Time{})
	}
}

// ready returns the lanes that there is something to do in at now, and forgets about them.
func (p *pacer) ready(now time.Time) (list []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for lane, at := range p.next {
		if !at.After(now) {
			list = append(list, lane)
			p.next[lane] = never
		}
	}
	return list
}

// first returns when there will be something to do.
func (p *pacer) first() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := never
	for _, at := range p.next {
		if at.Before(first) {
			first = at
		}
	}
	return first
}
