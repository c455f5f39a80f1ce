package poker

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/instrument/precise"
	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// Interval is a pause as it was. Times are the machine's monotonic clock in
// nanoseconds.
type Interval struct {
	Phase    uint64 `json:"phase"`
	Ordered  int64  `json:"ordered"`
	Stop     int64  `json:"stop"`
	Continue int64  `json:"continue"`
	// What the service had sent before goes on leaving in a pause. Sent is bytes over
	// the network in this one, GapSent those since the last one, which was Gap ago. All
	// are 0 where nobody knows, and for short pauses.
	Sent    int64 `json:"sent,omitempty"`
	Gap     int64 `json:"gap,omitempty"`
	GapSent int64 `json:"gapSent,omitempty"`
}

// order is a pause to make.
type order struct {
	phase uint64
	nanos int64
	done  func(Interval, error)
}

// Pauser makes pauses one after the other. What a pause was too long or too short
// is carried over to the next, so that their sum is exact.
type Pauser struct {
	stopper  Stopper
	page     *page.Page
	max      time.Duration
	watchdog *Watchdog    // may be nil
	sent     func() int64 // bytes over the network so far; may be nil

	orders  chan order
	ended   chan struct{}
	once    sync.Once
	release atomic.Bool // end the pause under way, and those that are waiting
	owed    int64
	looked  struct{ at, sent int64 } // at the end of the last pause that was looked at
}

// NewPauser starts a pauser. Close ends it. sent returns the bytes that the service has
// sent over the network; it may be nil.
func NewPauser(s Stopper, p *page.Page, maximum time.Duration, w *Watchdog, sent func() int64) *Pauser {
	pauser := &Pauser{
		stopper: s, page: p, max: maximum, watchdog: w, sent: sent,
		orders: make(chan order, 64), ended: make(chan struct{}),
	}
	go pauser.run()
	return pauser
}

// Pause orders a pause; of length zero, it stops and continues at once. It does not
// wait: done is called with what came of it.
func (p *Pauser) Pause(phase uint64, d time.Duration, done func(Interval, error)) {
	if d < 0 || d > p.max {
		done(Interval{Phase: phase}, fmt.Errorf("a pause of %v: want 0 to %v", d, p.max))
		return
	}
	select {
	case p.orders <- order{phase, int64(d), done}:
	case <-p.ended:
		done(Interval{Phase: phase}, fmt.Errorf("the poker is ending"))
	default:
		done(Interval{Phase: phase}, fmt.Errorf("%d pauses are waiting already", cap(p.orders)))
	}
}

// Release continues the service and forgets the pauses that wait.
func (p *Pauser) Release() {
	p.release.Store(true)
	done := make(chan struct{})
	// The order behind all others clears the flag.
	select {
	case p.orders <- order{done: func(Interval, error) { close(done) }, nanos: -1}:
		<-done
	case <-p.ended:
	}
}

// Close continues the service and ends the pauser.
func (p *Pauser) Close() {
	p.once.Do(func() {
		p.Release()
		close(p.ended)
	})
}

func (p *Pauser) run() {
	defer precise.Thread()()
	for {
		select {
		case o := <-p.orders:
			p.obey(o)
		case <-p.ended:
			return
		}
	}
}

func (p *Pauser) obey(o order) {
	switch {
	case o.nanos < 0:
		p.owed = 0
		p.release.Store(false)
		o.done(Interval{}, nil)
	case p.release.Load():
		o.done(Interval{Phase: o.phase}, fmt.Errorf("released"))
	default:
		p.owed = min(p.owed+o.nanos, int64(p.max))
		o.done(p.pause(o))
	}
}

// pause makes one pause of the time that is owed.
func (p *Pauser) pause(o order) (Interval, error) {
	p.watchdog.stopping()
	if err := p.stopper.Stop(); err != nil {
		return Interval{Phase: o.phase}, fmt.Errorf("stop the service: %w", err)
	}
	in := Interval{Phase: o.phase, Ordered: o.nanos, Stop: precise.Now()}
	p.last(&in, in.Stop+p.owed)
	in.Continue = precise.Now()
	paused := in.Continue - in.Stop
	p.owed -= paused
	p.page.Continue(paused)
	if err := p.stopper.Continue(); err != nil {
		return in, fmt.Errorf("continue the service: %w", err)
	}
	p.watchdog.continued()
	return in, nil
}

// worthLooking is the shortest pause in which it is looked what is sent, since that takes
// its time.
const worthLooking = int64(2 * time.Millisecond)

// last lets a pause last until end, and looks at its begin and its end at what the
// service has sent.
func (p *Pauser) last(in *Interval, end int64) {
	if p.sent == nil || end-in.Stop < worthLooking {
		p.sleep(end)
		return
	}
	before := p.sent()
	looking := precise.Now() - in.Stop
	p.sleep(end - looking)
	after := p.sent()
	in.Sent = after - before
	if p.looked.at > 0 {
		in.Gap, in.GapSent = in.Stop-p.looked.at, before-p.looked.sent
	}
	p.sleep(end)
	p.looked.at, p.looked.sent = precise.Now(), after
}

// sleep sleeps until t, or until the service is released. It looks for that every
// 20 ms.
func (p *Pauser) sleep(t int64) {
	const look = int64(20 * time.Millisecond)
	for !p.release.Load() {
		now := precise.Now()
		if now >= t {
			return
		}
		precise.SleepUntil(min(t, now+look))
	}
}
