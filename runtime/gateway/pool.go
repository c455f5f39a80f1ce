package gateway

import (
	"context"
	"errors"
	"slices"
)

// pool is the replicas of one service. The gateway's mutex guards it.
type pool struct {
	service  string
	backends []*backend
	next     int           // where the search for the idlest begins, so that equals take turns
	waiting  int           // requests that wait for a replica
	changed  chan struct{} // closed, and replaced, when a replica comes up
}

// A State is what the gateway knows of a replica.
type State uint8

// The states.
const (
	Starting State = iota // it has not been ready yet
	Up
	Down     // it does not answer, or not that it is ready
	Draining // it gets no more requests, and finishes those that it has
)

func (s State) String() string { return [...]string{"starting", "up", "down", "draining"}[s] }

// backend is one replica. The gateway's mutex guards what changes.
type backend struct {
	address  string
	base     string // of URLs
	state    State
	inFlight int
	requests uint64
	failures uint64
	idle     chan struct{} // closed when it drains and has no requests
	check    chan struct{} // asks for a health check now

	life   context.Context // until it is removed
	end    context.CancelFunc
	alive  context.Context // until it is removed or stops to answer
	giveUp context.CancelFunc
}

func newBackend(address string) *backend {
	b := &backend{address: address, base: baseURL(address), idle: make(chan struct{}), check: make(chan struct{}, 1)}
	b.life, b.end = context.WithCancel(context.Background())
	b.alive, b.giveUp = context.WithCancel(b.life)
	return b
}

// Add makes a replica of service known, by host:port or unix:///path. It gets
// requests as soon as it is ready.
func (g *Gateway) Add(service, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.pool(service)
	if p.find(address) != nil {
		return
	}
	b := newBackend(address)
	p.backends = append(p.backends, b)
	g.checks.Go(func() { g.watch(p, b) })
}

// Drain sends the replica no more requests, waits until it has answered those
// that it has, or ctx is done, and forgets it.
func (g *Gateway) Drain(ctx context.Context, service, address string) {
	g.mu.Lock()
	p := g.pool(service)
	b := p.find(address)
	if b == nil {
		g.mu.Unlock()
		return
	}
	if b.state != Draining {
		b.state = Draining
		if b.inFlight == 0 {
			close(b.idle)
		}
	}
	alive := b.alive
	g.mu.Unlock()
	select {
	case <-b.idle:
	case <-alive.Done():
	case <-ctx.Done():
	}
	g.Remove(service, address)
}

// Remove forgets a replica at once. Requests that it has go to others.
func (g *Gateway) Remove(service, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.pool(service)
	if b := p.find(address); b != nil {
		g.remove(p, b)
	}
}

// remove forgets a replica; g.mu is held.
func (g *Gateway) remove(p *pool, b *backend) {
	p.backends = slices.DeleteFunc(p.backends, func(other *backend) bool { return other == b })
	b.state = Down
	b.end()
}

func (p *pool) find(address string) *backend {
	for _, b := range p.backends {
		if b.address == address {
			return b
		}
	}
	return nil
}

// idlest returns the replica that is up and has the fewest requests, or nil.
func (p *pool) idlest() *backend {
	var best *backend
	n := len(p.backends)
	for i := range n {
		b := p.backends[(p.next+i)%n]
		if b.state == Up && (best == nil || b.inFlight < best.inFlight) {
			best = b
		}
	}
	p.next++
	return best
}

// take returns the replica for a delivery, which the caller gives back, and a
// context that ends when the replica stops to answer. It waits for one until ctx is done.
func (g *Gateway) take(ctx context.Context, p *pool) (*backend, context.Context, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		if b := p.idlest(); b != nil {
			b.inFlight++
			b.requests++
			return b, b.alive, nil
		}
		changed := p.changed
		p.waiting++
		g.mu.Unlock()
		var err error
		select {
		case <-changed:
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-g.closing:
			err = errors.New("the gateway is closed")
		}
		g.mu.Lock()
		p.waiting--
		if err != nil {
			return nil, nil, err
		}
	}
}

// giveBack ends a delivery to b.
func (g *Gateway) giveBack(b *backend, failed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.inFlight--
	if failed {
		b.failures++
	}
	if b.inFlight == 0 && b.state == Draining {
		close(b.idle)
	}
}

// setUp notes whether a replica is ready. One that was removed or drains stays so.
func (g *Gateway) setUp(p *pool, b *backend, ready bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case b.state == Draining || p.find(b.address) != b:
	case ready && b.state != Up:
		b.state = Up
		if b.alive.Err() != nil {
			b.alive, b.giveUp = context.WithCancel(b.life)
		}
		close(p.changed)
		p.changed = make(chan struct{})
	case !ready && b.state == Up:
		b.state = Down
	}
}
