package atomic

import (
	"sync"
	"sync/atomic"
)

// sequences remembers methods whose branches had to run in program order, so that
// the next requests begin that way instead of finding it out again.
type sequences struct {
	known atomic.Bool
	mu    sync.Mutex
	left  map[uint64]int // by method: requests to come that begin that way
}

// remembered is how many requests a restart is remembered for. After them one
// tries again in parallel: what the branches touch may depend on the arguments.
const remembered = 64

func (s *sequences) learn(method uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == nil {
		s.left = map[uint64]int{}
	}
	s.left[method] = remembered
	s.known.Store(true)
}

// applies reports whether a request of method should begin in program order.
func (s *sequences) applies(method uint64) bool {
	if !s.known.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left[method] == 0 {
		return false
	}
	s.left[method]--
	return true
}
