package atomic_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store/sim"
)

func seedOf(t *testing.T) uint64 {
	seed := rand.Uint64()
	if s := os.Getenv("ONEFOLD_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("seed %d (set ONEFOLD_SEED to repeat)", seed)
	return seed
}

// randomFaults has clients add to a total and to a counter of their own. No client
// crashes here, so every request is answered in the end.
func randomFaults(t *testing.T, remote bool) {
	const clients, requests = 6, 25
	engine := openEngine(t)
	r := atomic.NewRunner(engine, atomic.Options{Remote: remote, Attempts: 8})
	seed := seedOf(t)
	engine.Random(seed, sim.Rates{
		Conflict: 0.05, UnknownLanded: 0.1, UnknownLost: 0.1, UnknownLate: 0.1, MaxLate: 4,
		TooOld: 0.02, Delay: 0.05, MaxDelay: 200 * time.Microsecond,
	})
	var wg sync.WaitGroup
	for c := range clients {
		rng := rand.New(rand.NewPCG(seed, uint64(c)))
		name := "own" + strconv.Itoa(c)
		wg.Go(func() {
			for i := range requests {
				req := again()
				if rng.IntN(2) == 0 {
					req = keyed()
				}
				if err := insist(r, req, int64(i), name, rng); err != nil {
					t.Errorf("client %d: %v", c, err)
					return
				}
			}
		})
	}
	wg.Wait()
	engine.Reset()
	engine.Land(context.Background())
	if got := value(t, engine, "total"); got != clients*requests {
		t.Errorf("total is %d after %d requests", got, clients*requests)
	}
	for c := range clients {
		if got := value(t, engine, "own"+strconv.Itoa(c)); got != requests {
			t.Errorf("counter of client %d is %d after %d requests", c, got, requests)
		}
	}
}

// insist delivers a request until it is answered, and now and then once more.
func insist(r *atomic.Runner, req atomic.Request, want int64, name string, rng *rand.Rand) error {
	extra := rng.IntN(2)
	for {
		reply, err := r.Run(context.Background(), req, func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
			set(tx, "total", get(tx, "total")+1)
			n := get(tx, name)
			set(tx, name, n+1)
			return strconv.AppendInt(nil, n, 10), nil
		})
		var unknown *atomic.OutcomeUnknownError
		switch {
		case errors.As(err, &unknown), errors.Is(err, atomic.ErrContention):
			continue
		case err != nil:
			return err
		case string(reply.Body) != strconv.FormatInt(want, 10):
			return errors.New("reply " + string(reply.Body) + ", want " + strconv.FormatInt(want, 10))
		case extra == 0:
			return nil
		}
		extra--
	}
}
