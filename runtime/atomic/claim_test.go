package atomic_test

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/memory"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// away is an engine that takes a while for everything, as over a network.
type away struct {
	store.Engine
	round time.Duration
}

func (e *away) ReadVersion(ctx context.Context) (store.Version, error) {
	time.Sleep(e.round)
	return e.Engine.ReadVersion(ctx)
}

func (e *away) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	time.Sleep(e.round)
	return e.Engine.Get(ctx, v, key)
}

func (e *away) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	time.Sleep(e.round)
	return e.Engine.Range(ctx, v, r, opts)
}

func (e *away) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	time.Sleep(e.round)
	return e.Engine.Commit(ctx, c)
}

// process is a process of an application whose store is elsewhere.
func process(engine store.Engine) *atomic.Runner {
	return atomic.NewRunner(&away{engine, 200 * time.Microsecond}, atomic.Options{Remote: true})
}

// clients makes requests of r, each client one after the other.
func clients(t *testing.T, wg *sync.WaitGroup, r *atomic.Runner, n, requests int, fn atomic.Func) {
	for range n {
		wg.Go(func() {
			for range requests {
				mustRun(t, r, again(), fn)
			}
		})
	}
}

// TestManyProcesses has many processes change one key. In virtual time, so that
// it tells what the protocol costs, whatever the machine does.
func TestManyProcesses(t *testing.T) {
	const processes, each, requests = 4, 16, 25
	synctest.Test(t, func(t *testing.T) {
		engine := memory.New()
		start := time.Now()
		var wg sync.WaitGroup
		var runners []*atomic.Runner
		var ends []time.Duration
		var mu sync.Mutex
		for range processes {
			r := process(engine)
			runners = append(runners, r)
			wg.Go(func() {
				var mine sync.WaitGroup
				clients(t, &mine, r, each, requests, increment)
				mine.Wait()
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, time.Since(start))
			})
		}
		wg.Wait()
		if got := value(t, engine, "x"); got != processes*each*requests {
			t.Errorf("x is %d, want %d", got, processes*each*requests)
		}
		for _, r := range runners {
			s := r.Stats()
			t.Logf("%+v", s)
			if s.Attempts > 3*s.Requests {
				t.Errorf("%d attempts for %d requests", s.Attempts, s.Requests)
			}
		}
		t.Logf("ends at %v", ends)
		if first, last := ends[0], ends[processes-1]; first < last/2 {
			t.Errorf("the first process had its requests done after %s, the last after %s", first, last)
		}
		// One transaction after the other would take three rounds each.
		if alone := 3 * 200 * time.Microsecond * processes * each * requests; ends[processes-1] > alone {
			t.Errorf("%d requests took %s; one after the other they take %s", processes*each*requests, ends[processes-1], alone)
		}
	})
}

// TestQuickAndSlow has requests that take long want the same key as others, in
// another process, that are quick. They must get their turn.
func TestQuickAndSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memory.New()
		quick, slow := process(engine), process(engine)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for ctx.Err() == nil {
					mustRun(t, quick, again(), increment)
				}
			})
		}
		for range 10 {
			reply := mustRun(t, slow, again(), func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
				n := get(tx, "x")
				time.Sleep(10 * time.Millisecond)
				set(tx, "x", n+1)
				return nil, nil
			})
			if reply.Attempts > 12 {
				t.Errorf("a slow request took %d attempts", reply.Attempts)
			}
		}
		stop()
		wg.Wait()
		q, s := quick.Stats(), slow.Stats()
		t.Logf("quick %+v, slow %+v", q, s)
		if got := value(t, engine, "x"); got != int64(q.Requests+s.Requests) {
			t.Errorf("x is %d, want %d", got, q.Requests+s.Requests)
		}
		if q.Requests < 100 {
			t.Errorf("%d quick requests while 10 slow ones were served", q.Requests)
		}
	})
}

// TestClaimsAreCollected wants nothing to be left of a claim whose process died, for
// a key that nobody wants any more.
func TestClaimsAreCollected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memory.New()
		r := process(engine)
		turns := deadClaims(t, engine, r, 3)
		for _, at := range []struct {
			after time.Duration
			want  int
		}{{time.Second, 3}, {time.Hour, 0}} {
			time.Sleep(at.after)
			if _, err := r.Collect(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
			if left := rows(t, engine, turns); len(left) != at.want {
				t.Errorf("after %s %d claims are left, want %d", at.after, len(left), at.want)
			}
		}
	})
}

// deadClaims makes claims for x that nobody has, and returns where all claims are.
func deadClaims(t *testing.T, engine store.Engine, r *atomic.Runner, n int) (turns []byte) {
	err := r.Read(t.Context(), func(_ context.Context, tx *atomic.Tx) error {
		turns = tuple.AppendString(append(turns, tx.Prefix()...), "turn")
		row := append(tuple.AppendBytes(turns[:len(turns):len(turns)], key(tx, "x")), make([]byte, store.StampSize)...)
		for i := range n {
			made := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(i)), uint64(time.Now().UnixMilli()))
			if _, err := engine.Commit(t.Context(), &store.Commit{Ops: []store.Op{{Kind: store.SetStamped, Key: row, Value: made}}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return turns
}

// rows returns what is below a prefix.
func rows(t *testing.T, engine store.Engine, prefix []byte) []store.KV {
	v, err := engine.ReadVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Release(v)
	kvs, _, err := engine.Range(t.Context(), v, tuple.Range(prefix), store.RangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return kvs
}

// TestDeadClaims has the claims of processes that died before two that want the key.
// They may cost a tenth of a second each, and nothing may be left of them.
func TestDeadClaims(t *testing.T) {
	const dead = 2
	synctest.Test(t, func(t *testing.T) {
		engine := memory.New()
		turns := deadClaims(t, engine, process(engine), dead)
		start := time.Now()
		var wg sync.WaitGroup
		runners := []*atomic.Runner{process(engine), process(engine)}
		for _, r := range runners {
			clients(t, &wg, r, 8, 20, increment)
		}
		wg.Wait()
		t.Logf("%s, %+v", time.Since(start), runners[0].Stats())
		if took := time.Since(start); took > dead*100*time.Millisecond+200*time.Millisecond {
			t.Errorf("requests behind %d dead claims took %s", dead, took)
		}
		if left := rows(t, engine, turns); len(left) > 0 {
			t.Errorf("claims are left: %q", left)
		}
	})
}
