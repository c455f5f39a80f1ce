package onefoldtest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/store/sim"
)

// stormy weather lasts so long; then all that is begun comes to an end.
const storm = 40 * time.Second

// begin starts what makes the weather, until the swarm's life ends.
func (s *swarm) begin() *sync.WaitGroup {
	var agents sync.WaitGroup
	agents.Go(func() {
		if s.pass(storm) {
			s.clear()
		}
	})
	agents.Go(func() { s.landing(s.fate.of("landing")) })
	for _, p := range s.places {
		agents.Go(func() { p.reboot(s.fate.of("boot " + p.name)) })
		if every := s.plan.weather.crash; every > 0 {
			agents.Go(func() { p.strike(s.fate.of("crash "+p.name), every, func(m *machine, _ time.Duration) { m.crash("") }) })
		}
		if every := s.plan.weather.pause; every > 0 {
			agents.Go(func() { p.strike(s.fate.of("pause "+p.name), every, p.hold) })
		}
	}
	return &agents
}

// pass lets d pass, and reports whether the swarm still lives.
func (s *swarm) pass(d time.Duration) bool { return sleepUntil(s.life, d) == nil }

// clear makes the weather good for the rest of the run. Workflows may sleep for days
// then: who looks around often is replaced.
func (s *swarm) clear() {
	if s.isCalm() {
		return
	}
	s.mu.Lock()
	s.calm = true
	for _, e := range s.engines {
		e.Random(0, sim.Rates{})
	}
	s.mu.Unlock()
	for _, p := range s.places {
		switch m := p.current(); {
		case m == nil:
		case isDurable(s.compiled):
			m.crash("in favour of one that looks around seldom")
		default:
			m.resume()
		}
	}
	if isDurable(s.compiled) {
		s.balance(10 * time.Minute)
	}
}

func (s *swarm) isCalm() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calm
}

// landing lets commits with unknown results arrive now and then, and in the end the
// rest of them.
func (s *swarm) landing(r *rand.Rand) {
	for s.pass(within(r, time.Second)) && !s.isCalm() {
		s.mu.Lock()
		e := s.engines[r.IntN(len(s.engines))]
		s.mu.Unlock()
		e.Land(context.Background())
	}
	s.land()
}

// strike does something to the processes at a place, again and again.
func (p *place) strike(r *rand.Rand, every time.Duration, what func(m *machine, length time.Duration)) {
	for p.swarm.pass(within(r, 2*every)) && !p.swarm.isCalm() {
		length := within(r, mostSlow)
		if m := p.current(); m != nil {
			what(m, length)
		}
	}
}

// hold pauses a process for a while.
func (p *place) hold(m *machine, length time.Duration) {
	p.swarm.note("%s pauses for %s", p.name, length.Round(time.Millisecond))
	m.pause()
	p.swarm.pass(length)
	m.resume()
}

// reboot starts a process where one has crashed, after a while.
func (p *place) reboot(r *rand.Rand) {
	for {
		m := p.current()
		if m != nil {
			<-m.life.Done() // with the swarm's life at the latest
		}
		if !p.swarm.pass(within(r, 2*time.Second)) {
			return
		}
		if err := p.boot(); err != nil && p.swarm.life.Err() == nil {
			p.swarm.fail("start " + p.name + ": " + err.Error())
			return
		}
	}
}
