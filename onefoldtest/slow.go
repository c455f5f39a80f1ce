package onefoldtest

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/store"
)

// slow is an engine whose operations take a random time, so that those of
// concurrent requests mix in many ways. ReadVersion only yields: the runtime calls
// it with a mutex held, and a virtual clock does not move while anybody waits for one.
type slow struct {
	store.Engine
	*pace
}

// pace is how long the operations of engines take.
type pace struct {
	mu  sync.Mutex
	rng *rand.Rand // nil: nothing waits yet
}

// longest is the longest time an operation takes.
const longest = time.Millisecond

// begin lets operations take their time from now on.
func (s *pace) begin(seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rng = rand.New(rand.NewPCG(seed, 0))
}

func (s *pace) wait() {
	s.mu.Lock()
	d := time.Duration(0)
	if s.rng != nil && s.rng.IntN(3) == 0 {
		d = time.Duration(s.rng.Int64N(int64(longest)))
	}
	s.mu.Unlock()
	if d > 0 {
		time.Sleep(d)
	}
}

// ReadVersion implements store.Engine.
func (s *slow) ReadVersion(ctx context.Context) (store.Version, error) {
	runtime.Gosched()
	return s.Engine.ReadVersion(ctx)
}

// Get implements store.Engine.
func (s *slow) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	s.wait()
	return s.Engine.Get(ctx, v, key)
}

// Range implements store.Engine.
func (s *slow) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	s.wait()
	return s.Engine.Range(ctx, v, r, opts)
}

// Commit implements store.Engine.
func (s *slow) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	s.wait()
	return s.Engine.Commit(ctx, c)
}
