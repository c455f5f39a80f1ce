package bench_test

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/store"
)

// cell is one measurement of the sweep: clients in a closed loop, each of which adds
// 1 to one key at a time.
type cell struct {
	Plain   bool          // transactions retried on conflict, and no record of the request
	Skew    float64       // exponent of Zipf's law over keys; 0 is uniform, hottest one key alone
	Clients int           // of one process
	For     time.Duration // how long
	Seed    uint64
}

const (
	keys    = 10_000
	hottest = 100 // an exponent at which the first key is all that is chosen
)

// outcome is what the clients of one process saw.
type outcome struct {
	Latencies    []time.Duration // of requests
	PerClient    []int           // requests
	Attempts     int             // of all requests
	MostAttempts int             // of one
}

// doer makes a request that adds 1 to a key, and returns how many attempts it took.
type doer func(ctx context.Context, key []byte) (attempts int, err error)

// run is what the cell measures, over engine.
func (c *cell) run(ctx context.Context, runner *atomic.Runner, engine store.Engine) (*outcome, error) {
	do := onefold(runner)
	if c.Plain {
		do = plain(engine)
	}
	pick := zipf(c.Skew)
	all := make([]outcome, c.Clients)
	errs := make([]error, c.Clients)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range all {
		rng := rand.New(rand.NewPCG(c.Seed, uint64(i)))
		wg.Go(func() {
			for errs[i] == nil && (time.Since(start) < c.For || len(all[i].Latencies) == 0) {
				sent := time.Now()
				var n int
				n, errs[i] = do(ctx, benchKey(pick(rng)))
				all[i].Latencies = append(all[i].Latencies, time.Since(sent))
				all[i].Attempts += n
				all[i].MostAttempts = max(all[i].MostAttempts, n)
			}
			all[i].PerClient = []int{len(all[i].Latencies)}
		})
	}
	wg.Wait()
	sum := &outcome{}
	for i := range all {
		sum.add(&all[i])
	}
	return sum, errors.Join(errs...)
}

func (o *outcome) add(other *outcome) {
	o.Latencies = append(o.Latencies, other.Latencies...)
	o.PerClient = append(o.PerClient, other.PerClient...)
	o.Attempts += other.Attempts
	o.MostAttempts = max(o.MostAttempts, other.MostAttempts)
}

// quantile returns the q-quantile of the latencies.
func quantile(latencies []time.Duration, q float64) time.Duration {
	slices.Sort(latencies)
	return latencies[int(q*float64(len(latencies)-1))].Round(time.Microsecond)
}

// zipf returns a function that draws a number of a key, 0 being the most likely.
func zipf(skew float64) func(*rand.Rand) int {
	if skew == hottest {
		return func(*rand.Rand) int { return 0 }
	}
	upTo := make([]float64, keys)
	sum := 0.0
	for i := range upTo {
		sum += math.Pow(float64(i+1), -skew)
		upTo[i] = sum
	}
	return func(rng *rand.Rand) int {
		i, _ := slices.BinarySearchFunc(upTo, rng.Float64()*sum, cmp.Compare[float64])
		return min(i, keys-1)
	}
}

// state begins the keys that are added to.
const state = "\x02bench\x00\x02state\x00"

func benchKey(i int) []byte { return fmt.Appendf(nil, "%s%06d", state, i) }

// number is the value of a key, 8 bytes little-endian.
func number(value []byte) uint64 {
	if len(value) != 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(value)
}

func plusOne(value []byte) []byte {
	return binary.LittleEndian.AppendUint64(make([]byte, 0, 8), number(value)+1)
}

// onefold makes requests of a runner.
func onefold(runner *atomic.Runner) doer {
	return func(ctx context.Context, key []byte) (int, error) {
		req := atomic.Request{ID: atomic.ID(invoke.NewID(time.Now())), Fresh: true, Method: "Bench.Add", MethodHash: 1, ArgsHash: crc(key)}
		reply, err := runner.Run(ctx, req, func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
			value, _ := tx.Get(key)
			tx.Set(key, plusOne(value))
			return nil, nil
		})
		return reply.Attempts, err
	}
}

func crc(key []byte) (h uint64) {
	for _, b := range key {
		h = h*31 + uint64(b)
	}
	return h
}

// plain makes optimistic transactions and tries them again until they do not
// conflict, with a random pause that doubles each time: what one writes who has no
// queue.
func plain(engine store.Engine) doer {
	try := func(ctx context.Context, key []byte) error {
		version, err := engine.ReadVersion(ctx)
		if err != nil {
			return err
		}
		defer engine.Release(version)
		value, _, err := engine.Get(ctx, version, key)
		if err != nil {
			return err
		}
		_, err = engine.Commit(ctx, &store.Commit{Version: version, Reads: []store.Range{store.Point(key)},
			Ops: []store.Op{{Kind: store.Set, Key: key, Value: plusOne(value)}}})
		return err
	}
	return func(ctx context.Context, key []byte) (int, error) {
		for n := 1; ; n++ {
			err := try(ctx, key)
			if !errors.Is(err, store.ErrConflict) {
				return n, err
			}
			time.Sleep(rand.N(500 * time.Microsecond << min(n-1, 8)))
		}
	}
}

// total adds up all keys.
func total(ctx context.Context, engine store.Engine) (sum uint64, err error) {
	version, err := engine.ReadVersion(ctx)
	if err != nil {
		return 0, err
	}
	defer engine.Release(version)
	kvs, _, err := engine.Range(ctx, version, store.Range{Begin: []byte(state), End: []byte(state + "\xff")}, store.RangeOptions{})
	for _, kv := range kvs {
		sum += number(kv.Value)
	}
	return sum, err
}

func seed() uint64 {
	var b [8]byte
	crand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}
