package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// watch checks a replica's health until it is removed: often until it is ready,
// then now and then.
func (g *Gateway) watch(p *pool, b *backend) {
	const impatient = 20 * time.Millisecond
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-b.life.Done():
			return
		case <-timer.C:
		case <-b.check:
		}
		ready := g.healthy(p, b)
		g.setUp(p, b, ready)
		next := g.opts.HealthEvery
		if !ready {
			next = min(next, impatient)
		}
		timer.Reset(next)
	}
}

// healthy asks a replica whether it is ready. If it does not answer at all, what
// was delivered to it is given up.
func (g *Gateway) healthy(p *pool, b *backend) bool {
	ctx, cancel := context.WithTimeout(b.life, g.opts.HealthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := g.opts.Transport.RoundTrip(req)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			g.hangs(p, b)
		}
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// hangs ends the deliveries to a replica that hangs, so that others get them.
func (g *Gateway) hangs(p *pool, b *backend) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b.state == Up {
		g.opts.Log.Warn("a replica does not answer; its requests go to others", "service", p.service, "address", b.address)
		b.state = Down
	}
	b.giveUp()
}

// suspect has a replica checked soon, after a delivery failed.
func (b *backend) suspect() {
	select {
	case b.check <- struct{}{}:
	default: // asked for already
	}
}
