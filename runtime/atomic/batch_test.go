package atomic_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store/memory"
)

// together makes requests that want x at the same time: while the first is under way
// the others queue for it, so that they are in one batch.
func together(t *testing.T, r *atomic.Runner, n int, request func(i int)) {
	t.Helper()
	var wg sync.WaitGroup
	for range 4 { // who lose to each other, so that there is a queue
		wg.Go(func() { mustRun(t, r, again(), increment) })
	}
	time.Sleep(time.Millisecond)
	for i := range n {
		wg.Go(func() { request(i) })
	}
	wg.Wait()
}

// TestBatch wants requests that queue for a key to commit together, each exactly once.
func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memory.New()
		r := process(engine)
		seen := map[byte]int{}
		var mu sync.Mutex
		together(t, r, 100, func(int) {
			reply := mustRun(t, r, again(), increment)
			mu.Lock()
			defer mu.Unlock()
			seen[reply.Body[0]]++
		})
		if got := value(t, engine, "x"); got != 104 || len(seen) != 100 {
			t.Errorf("x is %d, want 104; %d different replies, want 100", got, len(seen))
		}
		if s := r.Stats(); s.Joined < 90 {
			t.Errorf("%d of 104 requests joined the commit of another: %+v", s.Joined, s)
		}
	})
}

// TestBatchOfOthers has requests in a batch that end in an error, or are
// deliveries of one request.
func TestBatchOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memory.New()
		r := process(engine)
		twice := again()
		together(t, r, 40, func(i int) {
			switch i % 4 {
			case 0:
				if reply := mustRun(t, r, twice, increment); len(reply.Body) != 1 {
					t.Errorf("reply %q", reply.Body)
				}
			case 1:
				reply := mustRun(t, r, again(), func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
					set(tx, "x", get(tx, "x")+1000)
					return nil, errRefused
				})
				if !errors.Is(reply.Err, errRefused) {
					t.Errorf("error %v", reply.Err)
				}
			case 2:
				_, err := r.Run(t.Context(), again(), func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
					panic(fmt.Sprint(get(tx, "x")))
				})
				if p := (*atomic.PanicError)(nil); !errors.As(err, &p) {
					t.Errorf("error %v, want a panic", err)
				}
			default:
				mustRun(t, r, again(), increment)
			}
		})
		if got := value(t, engine, "x"); got != 4+1+10 {
			t.Errorf("x is %d, want %d: two of the ten deliveries of one request happened, or what was refused did", got, 4+1+10)
		}
	})
}

// TestBatchLeaderGone has clients go away whose requests are in a batch. The
// requests of the others must not suffer.
func TestBatchLeaderGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memory.New()
		r := process(engine)
		gone := 0
		var mu sync.Mutex
		together(t, r, 60, func(i int) {
			if i%3 > 0 {
				mustRun(t, r, again(), increment)
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*50*time.Microsecond)
			defer cancel()
			req := again()
			if _, err := r.Run(ctx, req, increment); err != nil {
				mustRun(t, r, req, increment) // as a client does that does not know
				mu.Lock()
				gone++
				mu.Unlock()
			}
		})
		if got := value(t, engine, "x"); got != 64 || gone == 0 {
			t.Errorf("x is %d, want 64; %d clients went away, want some", got, gone)
		}
	})
}

// TestBatchSlowGuest has one in a batch take very long. The others must not wait for it.
func TestBatchSlowGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memory.New()
		r := process(engine)
		start := time.Now()
		together(t, r, 30, func(i int) {
			if i == 10 {
				mustRun(t, r, again(), func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
					n := get(tx, "x")
					time.Sleep(300 * time.Millisecond)
					set(tx, "x", n+1)
					return nil, nil
				})
				return
			}
			mustRun(t, r, again(), increment)
			if i < 10 && time.Since(start) > 100*time.Millisecond {
				t.Errorf("request %d had its reply after %s", i, time.Since(start))
			}
		})
		if got := value(t, engine, "x"); got != 34 {
			t.Errorf("x is %d, want 34", got)
		}
	})
}
