package onefoldtest

import (
	"slices"
	"testing"
)

// shortest makes a run that failed shorter, as long as it fails: without kinds of
// faults, then without requests. It returns the last run that failed.
func shortest(t *testing.T, s *swarm) *swarm {
	runs := 0
	fails := func(p plan) bool {
		if runs++; runs > mostSwarms {
			return false
		}
		shorter := runSwarm(t, s.plain, s.compiled, s.opts, &p)
		if len(shorter.failures) == 0 {
			return false
		}
		s = shorter
		return true
	}
	for again := true; again; {
		again = false
		for _, w := range s.plan.weather.without() {
			p := *s.plan
			p.weather = w
			if fails(p) {
				again = true
				break
			}
		}
	}
	for i := range s.plan.clients {
		for at := 0; at < len(s.plan.clients[i]); {
			p := *s.plan
			p.clients = slices.Clone(p.clients)
			p.clients[i] = slices.Delete(slices.Clone(p.clients[i]), at, at+1)
			if !fails(p) {
				at++
			}
		}
	}
	return s
}

// mostSwarms bounds how often a swarm that failed is run to make it shorter.
const mostSwarms = 60
