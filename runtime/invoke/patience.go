package invoke

import (
	"context"
	"sync"
	"time"
)

// patience is the context of one invocation: it ends when its time is up, or the
// invocation is over. It does not end when the client goes away: what has begun
// is finished, since the client may come back for the reply.
//
// It does what context.WithTimeout does, but a request that never has to wait
// pays for neither timer nor channel.
type patience struct {
	context.Context // for its values
	start           time.Time
	limit           time.Duration

	mu    sync.Mutex
	done  chan struct{} // made when somebody waits
	timer *time.Timer
	err   error
}

func newPatience(parent context.Context, start time.Time, limit time.Duration) *patience {
	return &patience{Context: parent, start: start, limit: limit}
}

// Deadline implements context.Context.
func (p *patience) Deadline() (time.Time, bool) { return p.start.Add(p.limit), true }

// Done implements context.Context.
func (p *patience) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		p.done = make(chan struct{})
		if p.err != nil {
			close(p.done)
		} else {
			p.timer = time.AfterFunc(p.limit-time.Since(p.start), func() { p.end(context.DeadlineExceeded) })
		}
	}
	return p.done
}

// Err implements context.Context.
func (p *patience) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil && p.done == nil && time.Since(p.start) >= p.limit {
		p.err = context.DeadlineExceeded
	}
	return p.err
}

// end ends the context, if it has not ended before.
func (p *patience) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
		if p.done != nil {
			close(p.done)
			p.timer.Stop()
		}
	}
}

// over says that the invocation has ended, so that nobody waits for more.
func (p *patience) over() { p.end(context.Canceled) }
