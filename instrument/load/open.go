package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/onefold/onefold/instrument/precise"
)

// drain is how long answers are waited for when an open loop has sent everything.
// They are the slow ones: a result without them would look too good.
const drain = 5 * time.Second

// open sends at the rate. Requests wait in a queue when too many are under way, and
// their latency counts from when they were due all the same.
func (r *Runner) open(ctx, sending context.Context) {
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	due := make(chan time.Time)
	var wg sync.WaitGroup
	workers := 0
	r.schedule(sending, func(at time.Time) {
		select {
		case due <- at:
			return
		default:
		}
		if workers < r.opts.MaxInFlight {
			id := workers
			workers++
			wg.Go(func() { r.work(ctx, id, at, due) })
			return
		}
		select {
		case due <- at:
		case <-sending.Done():
		}
	})
	r.rec.end()
	close(due)
	late := time.AfterFunc(min(drain, r.opts.Timeout), cut)
	defer late.Stop()
	wg.Wait()
}

// work sends requests as they become due.
func (r *Runner) work(ctx context.Context, id int, first time.Time, due <-chan time.Time) {
	rng := rand.New(rand.NewPCG(r.opts.Seed, uint64(id)+1))
	r.one(ctx, rng, id, first)
	for at := range due {
		r.one(ctx, rng, id, at)
	}
}

// schedule calls send at the time of each arrival, or as soon after as it can.
func (r *Runner) schedule(ctx context.Context, send func(time.Time)) {
	defer precise.Thread()()
	rng := rand.New(rand.NewPCG(r.opts.Seed, 0))
	wall, mono := time.Now(), precise.Now()
	at := 0.0 // seconds since the start
	for i := 0; ; i++ {
		if !r.sleep(ctx, mono+int64(at*1e9)) || !r.take() {
			return
		}
		send(wall.Add(time.Duration(at * 1e9)))
		if r.opts.Poisson {
			at += rng.ExpFloat64() / r.opts.Rate
		} else {
			at = float64(i+1) / r.opts.Rate
		}
	}
}

// sleep sleeps until t, and reports whether the context is still alive. It looks
// often enough for an interrupt to be answered at once.
func (r *Runner) sleep(ctx context.Context, t int64) bool {
	const look = int64(50 * time.Millisecond)
	for ctx.Err() == nil {
		now := precise.Now()
		if now >= t {
			return true
		}
		precise.SleepUntil(min(t, now+look))
	}
	return false
}
