package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// setupAtOnce is how many requests of one kind are under way in a setup.
const setupAtOnce = 8

// Setup sends what the mix has to be sent before anything is measured. It ends at the
// first request that is not answered well.
func Setup(ctx context.Context, m *Mix, opts Options) error {
	if err := m.check(); err != nil {
		return err
	}
	if err := opts.check(); err != nil {
		return err
	}
	first := *m
	first.Requests = m.Setup
	senders, closeAll, err := newSenders(ctx, &first, opts)
	if err != nil {
		return err
	}
	defer closeAll()
	for i := range m.Setup {
		if err := setup(ctx, senders[i], &m.Setup[i], opts.Seed); err != nil {
			return fmt.Errorf("setup: %s: %w", m.Setup[i].Name, err)
		}
	}
	return nil
}

// setup sends all requests of one kind.
func setup(ctx context.Context, s sender, r *Request, seed uint64) error {
	left := atomic.Int64{}
	left.Store(int64(r.Times))
	g, ctx := errgroup.WithContext(ctx)
	for i := range setupAtOnce {
		g.Go(func() error {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			for left.Add(-1) >= 0 {
				if err := s.send(ctx, rng); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}
