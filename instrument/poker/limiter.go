package poker

import (
	"runtime"
	"sync"
	"time"

	"github.com/onefold/onefold/instrument/precise"
)

// Limiter lets a service use so many cores and no more: it stops the service for
// moments when that has used what it may. Many services then have cores of their own,
// slow ones, on a machine with few. Unlike under the kernel's quotas a pause costs the
// service what it would cost on real cores, because time that is paused gives it
// nothing. And if the meter has a gauge, the service's processor is a steady one, whoever
// uses the other threads of this machine's cores.
type Limiter struct {
	cores float64
	gate  *Gate
	meter *Meter
	end   chan struct{}
	ended chan struct{}
	once  sync.Once
}

// The processor time that a service uses before it is stopped, and that one that has
// been idle may use at once.
const (
	slice = int64(time.Millisecond)
	burst = 2 * slice
)

// How often the service is looked at, at most and at least.
const (
	shortestLook = int64(250 * time.Microsecond)
	longestLook  = int64(20 * time.Millisecond)
)

// NewLimiter starts a limiter of the processes that a meter reads. Close ends it.
func NewLimiter(g *Gate, m *Meter, cores float64) *Limiter {
	// One is kept by naps.
	runtime.GOMAXPROCS(max(3, runtime.GOMAXPROCS(0)))
	l := &Limiter{cores: cores, gate: g, meter: m, end: make(chan struct{}), ended: make(chan struct{})}
	go l.run()
	return l
}

// Close lets the service go on, without a limit.
func (l *Limiter) Close() {
	l.once.Do(func() { close(l.end) })
	<-l.ended
}

func (l *Limiter) run() {
	defer close(l.ended)
	defer precise.Thread()()
	stopper := l.gate.limits()
	b := budget{cores: l.cores, credit: burst, clock: l.gate.clock(), used: l.meter.Used()}
	for {
		select {
		case <-l.end:
			_ = stopper.Continue() // it may have ended, too
			return
		default:
		}
		wait, stop := b.next(l.gate.clock(), l.meter.Used())
		if stop != b.stopped {
			b.stopped = stop
			if stop {
				_ = stopper.Stop() // a service that has ended uses nothing
			} else {
				_ = stopper.Continue()
			}
		}
		precise.Nap(precise.Now() + wait)
	}
}

// budget is the processor time that a service has left. All times are nanoseconds.
type budget struct {
	cores       float64
	credit      int64
	clock, used int64 // when it was looked at last
	stopped     bool
}

// next accounts for what has passed, and returns whether the service is to be stopped
// now, and when to look again.
func (b *budget) next(clock, used int64) (wait int64, stop bool) {
	earned := int64(b.cores * float64(clock-b.clock))
	b.credit = min(b.credit+earned-max(0, used-b.used), burst)
	b.clock, b.used = clock, used
	if b.credit <= 0 || b.stopped && b.credit < slice {
		return within(float64(slice-b.credit) / b.cores), true
	}
	return within(float64(b.credit) / float64(runtime.NumCPU())), false
}

func within(wait float64) int64 { return min(max(int64(wait), shortestLook), longestLook) }
