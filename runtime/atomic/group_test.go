package atomic_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	sync_atomic "sync/atomic"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
)

// self binds a "service" that is the Tx itself.
func self(tx *atomic.Tx) *atomic.Tx { return tx }

// within runs fn in a request that must succeed, and returns how often it ran.
func within(t *testing.T, r *atomic.Runner, fn func(ctx context.Context, tx *atomic.Tx) error) (attempts int) {
	t.Helper()
	reply := mustRun(t, r, fresh(), func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
		attempts++
		return nil, fn(ctx, tx)
	})
	if reply.Err != nil {
		t.Errorf("request failed: %v", reply.Err)
	}
	return attempts
}

func TestGroupParallel(t *testing.T) {
	r, engine := newRunner(t)
	attempts := within(t, r, func(_ context.Context, tx *atomic.Tx) error {
		set(tx, "before", 5)
		g := atomic.NewGroup(tx, self)
		var meet sync.WaitGroup // all branches must run at the same time to get past it
		meet.Add(3)
		for i := range 3 {
			g.Go(func(tx *atomic.Tx) error {
				meet.Done()
				meet.Wait()
				set(tx, fmt.Sprint(i), get(tx, "before")+int64(i))
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		set(tx, "sum", get(tx, "0")+get(tx, "1")+get(tx, "2"))
		return nil
	})
	if attempts != 1 || value(t, engine, "sum") != 18 {
		t.Errorf("%d attempts and sum %d, want 1 and 18", attempts, value(t, engine, "sum"))
	}
}

// TestGroupInOrder has each branch read what the one before wrote.
func TestGroupInOrder(t *testing.T) {
	r, engine := newRunner(t)
	body := func(_ context.Context, tx *atomic.Tx) error {
		set(tx, "x", 1)
		g := atomic.NewGroup(tx, self)
		for range 5 {
			g.Go(func(tx *atomic.Tx) error {
				set(tx, "x", 3*get(tx, "x")+1)
				return nil
			})
		}
		return g.Wait()
	}
	if attempts := within(t, r, body); attempts != 2 {
		t.Errorf("%d attempts, want a second one in program order", attempts)
	}
	if got := value(t, engine, "x"); got != 364 {
		t.Errorf("x is %d, want 364", got)
	}
	if attempts := within(t, r, body); attempts != 1 {
		t.Errorf("%d attempts the next time, want 1: the method is known", attempts)
	}
}

// TestGroupWritesInOrder has branches that only write end in the reverse order.
func TestGroupWritesInOrder(t *testing.T) {
	r, engine := newRunner(t)
	within(t, r, func(_ context.Context, tx *atomic.Tx) error {
		g := atomic.NewGroup(tx, self)
		turn := make([]chan struct{}, 4)
		for i := range turn {
			turn[i] = make(chan struct{})
		}
		for i := range 3 {
			g.Go(func(tx *atomic.Tx) error {
				<-turn[i+1]
				set(tx, "x", int64(i))
				close(turn[i])
				return nil
			})
		}
		close(turn[3])
		return g.Wait()
	})
	if got := value(t, engine, "x"); got != 2 {
		t.Errorf("x is %d, want what the last branch wrote, 2", got)
	}
}

// TestGroupAndParent has a branch read what the parent writes between Go and Wait.
func TestGroupAndParent(t *testing.T) {
	r, engine := newRunner(t)
	within(t, r, func(_ context.Context, tx *atomic.Tx) error {
		g := atomic.NewGroup(tx, self)
		g.Go(func(tx *atomic.Tx) error {
			set(tx, "copy", get(tx, "x"))
			return nil
		})
		set(tx, "x", 1)
		return g.Wait()
	})
	if got := value(t, engine, "copy"); got != 0 {
		t.Errorf("copy is %d, want what x was when the branch began, 0", got)
	}
}

func TestGroupErrors(t *testing.T) {
	for _, sequential := range []bool{false, true} {
		r := atomic.NewRunner(openEngine(t), atomic.Options{Sequential: sequential})
		first, second := errors.New("first"), errors.New("second")
		var err error
		var cause [3]error
		within(t, r, func(ctx context.Context, tx *atomic.Tx) error {
			g, ctx := atomic.WithContext(ctx, tx, self)
			released := make(chan struct{})
			g.Go(func(*atomic.Tx) error {
				if !sequential {
					<-released
				}
				cause[0] = context.Cause(ctx)
				return nil
			})
			g.Go(func(tx *atomic.Tx) error {
				set(tx, "kept", 1)
				close(released)
				return first
			})
			g.Go(func(*atomic.Tx) error {
				<-ctx.Done() // cancelled since all before it have ended, one in an error
				cause[1] = context.Cause(ctx)
				return second
			})
			err = g.Wait()
			cause[2] = context.Cause(ctx)
			if get(tx, "kept") != 1 {
				t.Error("an error of a branch undid what it wrote")
			}
			return nil
		})
		if err != first {
			t.Errorf("Wait returned %v, want the first error in program order", err)
		}
		if cause[0] != nil || cause[1] != first || cause[2] != first {
			t.Errorf("branches saw the context cancelled by %v, want nil, first, first", cause)
		}
	}
}

func TestGroupLimit(t *testing.T) {
	r, _ := newRunner(t)
	within(t, r, func(_ context.Context, tx *atomic.Tx) error {
		g := atomic.NewGroup(tx, self)
		g.SetLimit(2)
		var running, most sync_atomic.Int32
		release := make(chan struct{})
		branch := func(*atomic.Tx) error {
			most.Store(max(most.Load(), running.Add(1)))
			<-release
			running.Add(-1)
			return nil
		}
		g.Go(branch)
		g.Go(branch)
		if g.TryGo(branch) {
			t.Error("TryGo began a third branch, the limit is 2")
		}
		if err := catch(func() { g.SetLimit(3) }); err == nil || !strings.Contains(err.Error(), "modify limit") {
			t.Errorf("SetLimit while branches run: panic %v", err)
		}
		close(release)
		for range 4 {
			g.Go(branch)
		}
		err := g.Wait()
		if most.Load() > 2 {
			t.Errorf("%d branches ran at a time, the limit is 2", most.Load())
		}
		if !g.TryGo(branch) {
			t.Error("TryGo began no branch, and none is running")
		}
		g.SetLimit(-1)
		return errors.Join(err, g.Wait())
	})
}

func catch(fn func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	fn()
	return nil
}

// TestGroupFailures has branches end in ways that fail the request, and wants no
// goroutine left.
func TestGroupFailures(t *testing.T) {
	for name, test := range map[string]struct {
		body     func(ctx context.Context, tx *atomic.Tx) error
		want     string
		parallel bool // only if branches run beside their parent
	}{
		"panic": {func(_ context.Context, tx *atomic.Tx) error {
			g := atomic.NewGroup(tx, self)
			g.Go(func(*atomic.Tx) error { explode(); return nil })
			defer func() { recover() }()
			return g.Wait()
		}, "panic: explosion", false},
		"goexit": {func(_ context.Context, tx *atomic.Tx) error {
			g := atomic.NewGroup(tx, self)
			g.Go(func(*atomic.Tx) error { runtime.Goexit(); return nil })
			return g.Wait()
		}, "Goexit", true},
		"not waited": {func(ctx context.Context, tx *atomic.Tx) error {
			g, ctx := atomic.WithContext(ctx, tx, self)
			g.Go(func(*atomic.Tx) error { <-ctx.Done(); return nil })
			return nil
		}, "without waiting", true},
		"not waited in a branch": {func(_ context.Context, tx *atomic.Tx) error {
			g := atomic.NewGroup(tx, self)
			g.Go(func(tx *atomic.Tx) error {
				atomic.NewGroup(tx, self).Go(func(*atomic.Tx) error { return nil })
				return nil
			})
			return g.Wait()
		}, "without waiting", true},
		"panic beside branches": {func(ctx context.Context, tx *atomic.Tx) error {
			g, ctx := atomic.WithContext(ctx, tx, self)
			g.Go(func(*atomic.Tx) error { <-ctx.Done(); return nil })
			panic("main")
		}, "panic: main", true},
		"limit of zero": {func(_ context.Context, tx *atomic.Tx) error {
			g := atomic.NewGroup(tx, self)
			g.SetLimit(0)
			if g.TryGo(func(*atomic.Tx) error { return nil }) {
				t.Error("TryGo began a branch, the limit is 0")
			}
			g.Go(func(*atomic.Tx) error { return nil })
			return nil
		}, "limit of zero", false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, sequential := range []bool{false, true} {
				if sequential && test.parallel {
					continue
				}
				r := atomic.NewRunner(openEngine(t), atomic.Options{Sequential: sequential})
				before := runtime.NumGoroutine()
				_, err := r.Run(t.Context(), fresh(), func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
					set(tx, "x", 1)
					return nil, test.body(ctx, tx)
				})
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("sequential=%v: error %v, want %q", sequential, err, test.want)
				}
				for end := time.Now().Add(time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("%d goroutines left", runtime.NumGoroutine()-before)
					}
				}
			}
		})
	}
}

func TestGroupNested(t *testing.T) {
	r, engine := newRunner(t)
	attempts := within(t, r, func(_ context.Context, tx *atomic.Tx) error {
		g := atomic.NewGroup(tx, self)
		for i := range 3 {
			g.Go(func(tx *atomic.Tx) error {
				set(tx, fmt.Sprint("a", i), 1)
				inner := atomic.NewGroup(tx, self)
				for j := range 3 {
					inner.Go(func(tx *atomic.Tx) error {
						set(tx, fmt.Sprint("b", i, j), 10*get(tx, fmt.Sprint("a", i))+int64(j))
						return nil
					})
				}
				return inner.Wait()
			})
		}
		return g.Wait()
	})
	if attempts != 1 {
		t.Errorf("%d attempts, want 1", attempts)
	}
	for i := range 3 {
		for j := range 3 {
			if got := value(t, engine, fmt.Sprint("b", i, j)); got != int64(10+j) {
				t.Errorf("b%d%d is %d, want %d", i, j, got, 10+j)
			}
		}
	}
}
