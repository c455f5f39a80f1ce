// Package synth is services whose speed is known exactly, to hold profiles of live
// processes against. Mostly their cores are virtual: a request holds one for a time of
// the virtual clock, without using the processor, so that many fit on a small machine
// and none gets faster when another is paused.
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

// cores are what the requests of a service need.
type cores interface {
	// hold takes the time of a request of one core.
	hold(ctx context.Context, d time.Duration)
}

// speed makes requests take a factor of their time.
type speed struct{ scale atomic.Uint64 } // a float64

func (s *speed) set(factor float64) { s.scale.Store(math.Float64bits(factor)) }

// jitter of a request's time, relative.
const jitter = 0.05

// time returns how long a request takes; random is below 1.
func (s *speed) time(d time.Duration, random float64) time.Duration {
	return time.Duration(float64(d) * math.Float64frombits(s.scale.Load()) * (1 + jitter*(2*random-1)))
}

// processors are the cores that the kernel lets this process use.
type processors struct{ *speed }

func (p processors) hold(_ context.Context, d time.Duration) {
	precise.Burn(int64(p.time(d, rand.Float64())))
}

// virtual are cores that use no processor.
type virtual struct {
	*speed
	jobs chan job
}

type job struct {
	ctx     context.Context
	arrived time.Duration // virtual
	time    time.Duration
	done    chan<- struct{}
}

func newVirtual(n int, s *speed) *virtual {
	v := &virtual{speed: s, jobs: make(chan job, 1<<16)}
	for i := range n {
		go v.run(uint64(i))
	}
	return v
}

// hold holds a core for d, after those who came before. Nothing is done for a request
// that has been given up when its turn comes.
func (v *virtual) hold(ctx context.Context, d time.Duration) {
	done := make(chan struct{})
	v.jobs <- job{ctx, slowpoke.Now(), d, done}
	<-done
}

// run is one core. A job that was waiting begins when the last one ended, not when
// the core woke up: what the machine is late does not change the core's speed.
func (v *virtual) run(seed uint64) {
	defer precise.Thread()()
	rng := rand.New(rand.NewPCG(seed, 3))
	free := time.Duration(0)
	for j := range v.jobs {
		if j.ctx.Err() != nil {
			close(j.done)
			continue
		}
		d := v.time(j.time, rng.Float64())
		free = max(j.arrived, free) + d
		slowpoke.SleepUntil(free)
		slowpoke.AddBusy(d)
		close(j.done)
	}
}
