package onefoldtest

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// fate decides by the seed what happens to whom. It is asked about something that
// has a name, and answers the same in every run, whatever goroutine asks first and
// whatever else is asked about: a run is the same again, and a run with fewer
// requests is much the same.
type fate struct {
	seed uint64
	mu   sync.Mutex
	met  map[string]uint64 // how often it was asked about a name
}

func newFate(seed uint64) *fate { return &fate{seed: seed, met: map[string]uint64{}} }

// number returns how many things with a name there were before.
func (f *fate) number(name string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.met[name]
	f.met[name]++
	return n
}

// of returns the chance of the next thing with a name.
func (f *fate) of(name string) *rand.Rand {
	n := f.number(name)
	h := fnv.New64a()
	h.Write([]byte(name)) // never fails
	return rand.New(rand.NewPCG(mix(f.seed+n), mix(h.Sum64()^mix(n))))
}

// mix is the finaliser of splitmix64: near inputs have far outputs.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// within returns a time below d.
func within(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }
