package onefoldtest

import (
	"context"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/store"
)

// pausing is the engine of a process that stands still for a while: from one of its
// operations on, whatever it asks the store has to wait.
type pausing struct {
	store.Engine

	mu     sync.Mutex
	left   int    // operations until it stands still; 0 is never
	begins func() // called then
	until  time.Time
}

// stillness is how long a process stands still: longer than its leases, and than
// another one takes to look for what is due.
const stillness = time.Hour

// plan makes the process stand still before its n-th operation from now on, counted from 0.
func (p *pausing) plan(n int, begins func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.begins = n+1, begins
}

func (p *pausing) step() {
	p.mu.Lock()
	if p.left > 0 {
		if p.left--; p.left == 0 {
			p.until = time.Now().Add(stillness)
			p.begins()
		}
	}
	until := p.until
	p.mu.Unlock()
	if d := time.Until(until); d > 0 {
		time.Sleep(d)
	}
}

// ReadVersion implements store.Engine.
func (p *pausing) ReadVersion(ctx context.Context) (store.Version, error) {
	p.step()
	return p.Engine.ReadVersion(ctx)
}

// Get implements store.Engine.
func (p *pausing) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	p.step()
	return p.Engine.Get(ctx, v, key)
}

// Range implements store.Engine.
func (p *pausing) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	p.step()
	return p.Engine.Range(ctx, v, r, opts)
}

// Commit implements store.Engine.
func (p *pausing) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	p.step()
	return p.Engine.Commit(ctx, c)
}
