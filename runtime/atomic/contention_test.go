package atomic_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
)

// TestHotKey has many clients change one key, and wants few attempts wasted and
// nobody left behind.
func TestHotKey(t *testing.T) {
	const clients, requests = 64, 20
	r, engine := newRunner(t)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range requests {
				if reply := mustRun(t, r, fresh(), increment); reply.Attempts > 20 {
					t.Errorf("a request took %d attempts", reply.Attempts)
				}
			}
		})
	}
	wg.Wait()
	if got := value(t, engine, "x"); got != clients*requests {
		t.Errorf("x is %d, want %d", got, clients*requests)
	}
	if s := r.Stats(); s.Attempts > 3*s.Requests {
		t.Errorf("%d attempts for %d requests: %+v", s.Attempts, s.Requests, s)
	}
}

// TestHotKeys has requests that change several hot keys in different orders.
func TestHotKeys(t *testing.T) {
	const clients, requests, keys = 16, 25, 3
	r, engine := newRunner(t)
	var wg sync.WaitGroup
	for c := range clients {
		rng := rand.New(rand.NewPCG(uint64(c), 1))
		wg.Go(func() {
			for range requests {
				order := rng.Perm(keys)
				mustRun(t, r, again(), func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
					for _, k := range order {
						set(tx, fmt.Sprint(k), get(tx, fmt.Sprint(k))+1)
					}
					return nil, nil
				})
			}
		})
	}
	wg.Wait()
	for k := range keys {
		if got := value(t, engine, fmt.Sprint(k)); got != clients*requests {
			t.Errorf("key %d is %d, want %d", k, got, clients*requests)
		}
	}
}

// transfer is a request of the bank: it moves n from one account to another, or
// tells the balances if n is 0.
type transfer struct{ from, to, n int64 }

const accounts = 4

// bank is the sequential specification.
var bank = porcupine.Model{
	Init: func() any { return [accounts]int64{100, 100, 100, 100} },
	Step: func(state, input, output any) (bool, any) {
		balances, in := state.([accounts]int64), input.(transfer)
		if in.n == 0 {
			return output == fmt.Sprint(balances), balances
		}
		if balances[in.from] < in.n {
			return output == "refused", balances
		}
		balances[in.from] -= in.n
		balances[in.to] += in.n
		return output == "moved", balances
	},
}

func account(i int64) string { return fmt.Sprint("account", i) }

// run is the request on the store; an account that was never written holds 100.
func (in transfer) run(_ context.Context, tx *atomic.Tx) ([]byte, error) {
	if in.n == 0 {
		var balances [accounts]int64
		for i := range balances {
			balances[i] = 100 + get(tx, account(int64(i)))
		}
		return []byte(fmt.Sprint(balances)), nil
	}
	from := get(tx, account(in.from))
	if 100+from < in.n {
		return nil, errRefused
	}
	set(tx, account(in.from), from-in.n)
	set(tx, account(in.to), get(tx, account(in.to))+in.n)
	return []byte("moved"), nil
}

// TestLinearizable checks concurrent histories against the specification.
func TestLinearizable(t *testing.T) {
	for _, remote := range []bool{false, true} {
		r := atomic.NewRunner(openEngine(t), atomic.Options{Remote: remote})
		seed := seedOf(t)
		var mu sync.Mutex
		var history []porcupine.Operation
		start := time.Now()
		var wg sync.WaitGroup
		for c := range 6 {
			rng := rand.New(rand.NewPCG(seed, uint64(c)))
			wg.Go(func() {
				for range 40 {
					in := transfer{from: rng.Int64N(accounts), n: rng.Int64N(80)}
					in.to = (in.from + 1 + rng.Int64N(accounts-1)) % accounts
					req := fresh()
					if in.n%4 == 0 {
						in.n = 0
						req.ReadOnly = rng.IntN(2) == 0
					} else if rng.IntN(2) == 0 {
						req = keyed()
					}
					op := porcupine.Operation{ClientId: c, Input: in, Call: int64(time.Since(start))}
					reply := mustRun(t, r, req, in.run)
					op.Output, op.Return = string(reply.Body), int64(time.Since(start))
					mu.Lock()
					history = append(history, op)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if result := porcupine.CheckOperationsTimeout(bank, history, 10*time.Second); result != porcupine.Ok {
			t.Errorf("remote=%v: history is not linearizable: %s", remote, result)
		}
	}
}

// slowVersions is an engine whose read versions take until they are let go.
type slowVersions struct {
	store.Engine
	asked chan struct{}
	let   chan struct{}
}

func (e *slowVersions) ReadVersion(ctx context.Context) (store.Version, error) {
	e.asked <- struct{}{}
	<-e.let
	return e.Engine.ReadVersion(ctx)
}

// TestSharedVersions wants requests that wait together to share a version, but
// none to get one that was asked for before it arrived.
func TestSharedVersions(t *testing.T) {
	engine := &slowVersions{openEngine(t), make(chan struct{}), make(chan struct{})}
	r := atomic.NewRunner(engine, atomic.Options{Remote: true})
	var wg sync.WaitGroup
	arrive := func() {
		wg.Go(func() { mustRun(t, r, atomic.Request{ReadOnly: true, Fresh: true}, look) })
	}
	arrive()
	<-engine.asked // for the first
	for range 5 {
		arrive()
	}
	time.Sleep(5 * time.Millisecond) // let them wait
	engine.let <- struct{}{}
	<-engine.asked // for the five
	engine.let <- struct{}{}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for calls := 2; ; {
		select {
		case <-done:
			if calls > 3 {
				t.Errorf("%d versions asked for, want one for the first and one for those who came meanwhile", calls)
			}
			return
		case <-engine.asked: // for one that came late
			calls++
			engine.let <- struct{}{}
		}
	}
}
