// Package synth is services whose speed is known exactly, to hold profiles of live
// processes against. Their cores are virtual: a request holds one for a time of the
// virtual clock, without using the processor, so that many services fit on a small
// machine and none gets faster when another is paused.
package synth

import (
	"context"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/instrument/precise"
	"github.com/onefold/onefold/instrument/slowpoke"
)

// Cores are the virtual cores of a service.
type Cores struct {
	jobs  chan job
	scale atomic.Uint64 // of all times; a float64
}

type job struct {
	ctx     context.Context
	arrived time.Duration // virtual
	time    time.Duration
	done    chan<- struct{}
}

// jitter of a request's time, relative.
const jitter = 0.05

// NewCores returns n cores.
func NewCores(n int) *Cores {
	c := &Cores{jobs: make(chan job, 1<<16)}
	c.Scale(1)
	for i := range n {
		go c.run(uint64(i))
	}
	return c
}

// Scale makes all requests take a factor of their time.
func (c *Cores) Scale(factor float64) { c.scale.Store(math.Float64bits(factor)) }

// Do holds a core for d, after those who came before. Nothing is done for a request
// that has been given up when its turn comes.
func (c *Cores) Do(ctx context.Context, d time.Duration) {
	done := make(chan struct{})
	c.jobs <- job{ctx, slowpoke.Now(), d, done}
	<-done
}

// run is one core. A job that was waiting begins when the last one ended, not when
// the core woke up: what the machine is late does not change the core's speed.
func (c *Cores) run(seed uint64) {
	defer precise.Thread()()
	rng := rand.New(rand.NewPCG(seed, 3))
	free := time.Duration(0)
	for j := range c.jobs {
		if j.ctx.Err() != nil {
			close(j.done)
			continue
		}
		scale := math.Float64frombits(c.scale.Load())
		d := time.Duration(float64(j.time) * scale * (1 + jitter*(2*rng.Float64()-1)))
		free = max(j.arrived, free) + d
		slowpoke.SleepUntil(free)
		slowpoke.AddBusy(d)
		close(j.done)
	}
}
