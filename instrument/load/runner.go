package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how to send. Exactly one of Clients and Rate is set.
type Options struct {
	Clients     int           // closed loop: so many at a time
	Rate        float64       // open loop: so many a second
	Poisson     bool          // open loop: random gaps, as of many independent users
	Duration    time.Duration // zero: until Requests, or until the context ends
	Requests    int64         // stop after so many; zero: no limit
	Warmup      time.Duration // before anything is measured
	Timeout     time.Duration // of one request; default 30 s
	MaxInFlight int           // open loop: at most so many at a time; default 10,000
	// IdempotencyKeys sends a new Idempotency-Key with each request.
	IdempotencyKeys bool
	Seed            uint64
}

// Runner sends a mix. It runs once.
type Runner struct {
	mix     *Mix
	opts    Options
	senders []sender
	close   func()
	pick    *picker
	rec     *recorder

	sent, completed, failed atomic.Int64
}

// New prepares a run. With gRPC it asks the server for its types.
func New(ctx context.Context, m *Mix, opts Options) (*Runner, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	senders, closeAll, err := newSenders(ctx, m, opts)
	if err != nil {
		return nil, err
	}
	return &Runner{
		mix: m, opts: opts, senders: senders, close: closeAll,
		pick: newPicker(m.Requests, opts.Seed), rec: newRecorder(m.Requests),
	}, nil
}

func (o *Options) check() error {
	switch {
	case (o.Clients > 0) == (o.Rate > 0):
		return errors.New("want either a number of clients (closed loop) or a rate (open loop)")
	case o.Poisson && o.Rate == 0:
		return errors.New("random gaps need a rate")
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 10_000
	}
	return nil
}

// Completed returns the requests that were answered well so far. It may be called
// at any time, as may Failed and Sent.
func (r *Runner) Completed() int64 { return r.completed.Load() }

// Failed returns the requests that failed so far.
func (r *Runner) Failed() int64 { return r.failed.Load() }

// Sent returns the requests that were sent so far.
func (r *Runner) Sent() int64 { return r.sent.Load() }

// Clients returns how many requests are under way at a time, in a closed loop.
func (r *Runner) Clients() int { return r.opts.Clients }

// Run sends until the duration or the number of requests is reached, or the context
// ends, and returns what was measured. Requests that a context's end cuts off count
// neither as answered nor as errors.
func (r *Runner) Run(ctx context.Context) (*Result, error) {
	defer r.close()
	sending, stop := context.WithCancel(ctx)
	defer stop()
	r.rec.begin()
	if r.opts.Duration > 0 {
		end := time.AfterFunc(r.opts.Warmup+r.opts.Duration, stop)
		defer end.Stop()
	}
	if r.opts.Warmup > 0 {
		warm := time.AfterFunc(r.opts.Warmup, r.rec.begin)
		defer warm.Stop()
	}
	if r.opts.Clients > 0 {
		r.closed(ctx, sending)
	} else {
		r.open(ctx, sending)
	}
	res := r.rec.result()
	res.describe(r.mix, r.opts)
	if res.Requests+res.Errors == 0 && ctx.Err() == nil {
		return nil, fmt.Errorf("no request to %s was answered", r.mix.Target)
	}
	return res, nil
}

// closed runs the clients, each with one request at a time.
func (r *Runner) closed(ctx, sending context.Context) {
	var wg sync.WaitGroup
	for i := range r.opts.Clients {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(r.opts.Seed, uint64(i)))
			for sending.Err() == nil && r.take() {
				r.one(sending, rng, i, time.Now())
			}
		})
	}
	wg.Wait()
	r.rec.end()
}

// take counts one more request, and reports whether it may still be sent.
func (r *Runner) take() bool {
	if n := r.sent.Add(1); r.opts.Requests == 0 || n <= r.opts.Requests {
		return true
	}
	r.sent.Add(-1)
	return false
}

// one sends a request that was due at a time, and records how it went. A request
// that was under way when the run ended is not counted.
func (r *Runner) one(ctx context.Context, rng *rand.Rand, worker int, due time.Time) {
	kind := r.pick.next()
	err := r.senders[kind].send(ctx, rng)
	latency := time.Since(due)
	switch {
	case err == nil:
		r.completed.Add(1)
		r.rec.answer(worker, kind, latency)
	case ctx.Err() != nil:
	default:
		r.failed.Add(1)
		r.rec.error(worker, kind, how(err))
	}
	if err != nil && ctx.Err() == nil {
		backOff(ctx)
	}
}

// backOff keeps a client of a dead server from spinning.
func backOff(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Millisecond):
	}
}

// picker chooses requests by their weights, in turns that keep the weights as exactly as
// can be at any moment: a mix that is drawn at random has now more and now less of the
// costly requests, and that alone would be most of the noise of a short measurement.
type picker struct {
	upTo []float64
	n    atomic.Uint64
}

func newPicker(requests []Request, seed uint64) *picker {
	p := &picker{}
	p.n.Store(seed % 1000)
	sum := 0.0
	for _, r := range requests {
		sum += r.Weight
		p.upTo = append(p.upTo, sum)
	}
	return p
}

// golden is the fractional part of the golden ratio: its multiples fill the unit
// interval evenly.
const golden = 0.6180339887498949

func (p *picker) next() int {
	_, x := math.Modf(float64(p.n.Add(1)) * golden)
	x *= p.upTo[len(p.upTo)-1]
	for i, limit := range p.upTo {
		if x < limit {
			return i
		}
	}
	return len(p.upTo) - 1
}
