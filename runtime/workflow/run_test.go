package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/workflow"
)

func (s *stage) expect(what string, want, got any) {
	s.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// commits returns the commits that the process asked for since the last call.
func (s *stage) commits() int {
	n := s.sim.Counts().Commits
	s.sim.Reset()
	return n
}

func TestSell(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		synctest.Wait()
		s.commits()
		o := s.run(startOf(s.id(1), "Sell", "a"))
		s.expect("result", "done charge a", result(t, o))
		s.expect("commits of 3 steps and the end", 4, s.commits())
		s.expect("accounts", map[string]int{"stock": 4, "empty": 0}, s.accounts())
		s.expect("lines", []string{"a sold, 4 left"}, s.lines())
		s.expect("effects", map[string][]string{"charge a": {s.id(1) + "/2"}}, s.out.keys())
	})
}

// A workflow that fails on its way compensates by a deferred call, and its error is
// told apart live as in a replay.
func TestCompensation(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.out.fail["charge a"] = &LimitError{"card", 3}
		s.boot()
		o := s.run(startOf(s.id(1), "Sell", "a"))
		s.expect("result", "failed: charge: card lacks 3", result(t, o))
		var limit *LimitError
		if !errors.As(o.Err, &limit) || !errors.Is(o.Err, ErrEmpty) {
			t.Errorf("error %v wraps %v", o.Err, limit)
		}
		s.expect("limit", &LimitError{"card", 3}, limit)
		s.expect("accounts", map[string]int{"stock": 5, "empty": 0}, s.accounts())
		s.expect("lines", 0, len(s.lines()))
	})
}

func TestOnboard(t *testing.T) {
	tests := []struct {
		name    string
		signal  time.Duration // after the start; 0 for none
		want    string
		lines   []string
		lasted  time.Duration
		commits int
	}{
		{"approved", 50 * time.Hour, "ann", []string{"ann approved bob", "hello bob"}, 50 * time.Hour, 6},
		{"approved early", time.Hour, "ann", []string{"ann approved bob", "hello bob"}, 48 * time.Hour, 5},
		{"forgotten", 0, "forgotten", []string{"hello bob", "nobody approved bob"}, 72 * time.Hour, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(s *stage) {
				s.boot()
				synctest.Wait()
				s.commits()
				begun := time.Now()
				if test.signal > 0 {
					time.AfterFunc(test.signal, func() {
						req := atomic.Request{ID: atomic.ID{1}, Fresh: true}
						if err := s.engine.Signal(context.Background(), req, s.id(1), "approve", []byte(`"ann"`)); err != nil {
							t.Errorf("signal: %v", err)
						}
					})
				}
				id := s.id(1)
				o, err := s.engine.Run(context.Background(), startOf(id, "Onboard", "bob"))
				if err != nil {
					t.Fatal(err)
				}
				s.expect("result", test.want, result(t, o))
				s.expect("lines", test.lines, s.lines())
				s.expect("time", test.lasted, time.Since(begun))
				// note, sleep, (await,) note, end; and the signal's own
				s.expect("commits", test.commits, s.commits())
			})
		})
	}
}

func TestFan(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		begun := time.Now()
		o := s.run(startOf(s.id(1), "Fan", "f"))
		s.expect("result", "[11 12 13]", result(t, o))
		s.expect("accounts", map[string]int{"stock": 5, "empty": 0, "f0": 11, "f1": 12, "f2": 13}, s.accounts())
		s.expect("lines", []string{"f[11 12 13]"}, s.lines())
		s.expect("time", 2*time.Hour, time.Since(begun))
	})
}

func TestChildrenAndMessages(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		o := s.run(startOf(s.id(1), "Bulk", "b"))
		s.expect("result", "done charge b1 done charge b2", result(t, o))
		synctest.Wait()
		s.expect("lines", []string{"b1 sold, 4 left", "b2 sold, 3 left", "bulk b", "later b"}, s.lines())
	})
}

// n steps cost n+1 commits.
func TestCommitsOfSteps(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		synctest.Wait()
		s.commits()
		o := s.run(startOf(s.id(1), "Count", "c"))
		s.expect("result", "55", result(t, o))
		s.expect("commits", 11, s.commits())

		err := s.engine.Start(context.Background(), startOf(s.id(2), "Count", "d"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.engine.Wait(context.Background(), s.id(2)); err != nil {
			t.Fatal(err)
		}
		s.expect("commits of a start that does not wait", 12, s.commits())
	})
}

// The same id is the same workflow, and with other arguments refused.
func TestDuplicateStart(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		id := s.id(1)
		results := make(chan string, 8)
		for range cap(results) {
			go func() {
				o, err := s.engine.Run(context.Background(), startOf(id, "Sell", "a"))
				if err != nil {
					t.Error(err)
					results <- ""
					return
				}
				results <- result(t, o)
			}()
		}
		for range cap(results) {
			s.expect("result", "done charge a", <-results)
		}
		s.expect("stock", 4, s.accounts()["stock"])
		if _, err := s.engine.Run(context.Background(), startOf(id, "Sell", "b")); !errors.Is(err, atomic.ErrMismatch) {
			t.Errorf("other arguments: %v", err)
		}
		if _, err := s.engine.Run(context.Background(), startOf(id, "Count", "a")); !errors.Is(err, atomic.ErrMismatch) {
			t.Errorf("other method: %v", err)
		}
	})
}

// After its retention a workflow leaves nothing, and its id is refused.
func TestRetention(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		before := s.rows()
		id := s.id(1)
		s.run(startOf(id, "Bulk", "b"))
		synctest.Wait()
		if rows := s.rows(); rows["wf"] == 0 || rows["wfi"] != 3 {
			t.Errorf("rows after the end: %v", rows)
		}
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		after := s.rows()
		delete(after, "state")
		delete(before, "state")
		delete(after, "inv")
		s.expect("rows after the retention", before, after)
		if _, err := s.engine.Run(context.Background(), startOf(id, "Bulk", "b")); !errors.Is(err, atomic.ErrExpired) {
			t.Errorf("start after the retention: %v", err)
		}
		if _, err := s.engine.Status(context.Background(), id); !errors.Is(err, workflow.ErrNotFound) {
			t.Errorf("status after the retention: %v", err)
		}
	})
}

// A method whose first execution panics before anything is stored leaves nothing.
func TestPanicBeforeFirstCommit(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.extra = append(s.extra, shopMethod(s.out, "Boom", func(*Shop, context.Context, string) (string, error) { panic("boom") }))
		s.boot()
		_, err := s.engine.Run(context.Background(), startOf(s.id(1), "Boom", ""))
		if !errors.Is(err, workflow.ErrNotStarted) || !strings.HasSuffix(err.Error(), ": panic: boom") {
			t.Errorf("error: %v", err)
		}
		s.expect("rows", 0, s.rows()["wf"])
	})
}

// Start returns when the workflow is sure to run, also if it is another call that has
// started it and nothing is stored yet.
func TestStartWaitsForTheIntent(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.extra = append(s.extra, shopMethod(s.out, "Think", func(sh *Shop, ctx context.Context, name string) (string, error) {
			time.Sleep(time.Minute)
			if name == "wrong" {
				panic("wrong")
			}
			return name, sh.ledger.Note(ctx, name)
		}))
		s.boot()
		begun := time.Now()
		for i, name := range []string{"right", "wrong"} {
			s.clients.Go(func() { s.engine.Run(context.Background(), startOf(s.id(i), "Think", name)) })
			time.Sleep(time.Second)
			if err := s.engine.Start(context.Background(), startOf(s.id(i), "Think", name)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		// The second fails after a minute. That start is made again by Start, whose intent comes first.
		s.expect("time", 2*time.Minute, time.Since(begun))
		s.expect("intents", 2, s.rows()["wfi"])
		far := s.begun.Add(48 * time.Hour).UnixMilli()
		id := fmt.Sprintf("%08x-%04x-7000-8000-%012x", far>>16, far&0xffff, 1)
		if err := s.engine.Start(context.Background(), startOf(id, "Think", "x")); !errors.Is(err, atomic.ErrFuture) {
			t.Errorf("id of the future: %v", err)
		}
	})
}

// Random numbers, ids and the clock are the same in every replay.
func TestDerivedValues(t *testing.T) {
	inBubble(t, func(s *stage) {
		var seen []string
		s.extra = append(s.extra, shopMethod(s.out, "Derive", func(sh *Shop, ctx context.Context, name string) (string, error) {
			var text string
			for range 3 {
				text += fmt.Sprint(sh.run.Rand().Uint64(), sh.run.UUID(), sh.run.Now().UnixNano(), " ")
				if err := sh.ledger.Note(ctx, name); err != nil {
					return "", err
				}
				sh.run.Sleep(time.Minute)
			}
			seen = append(seen, text)
			return text, nil
		}))
		s.boot()
		o := s.run(startOf(s.id(1), "Derive", "x"))
		h, err := s.engine.History(context.Background(), s.id(1))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.engine.Check(h); err != nil {
			t.Errorf("replay: %v", err)
		}
		s.expect("replays", []string{result(t, o), result(t, o)}, seen)
	})
}

// A workflow that waits has no goroutine, and nothing of it is in memory.
func TestSleepersAreFree(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1_000
	}
	inBubble(t, func(s *stage) {
		s.boot()
		synctest.Wait()
		before := usage()
		for i := range n {
			if err := s.engine.Start(context.Background(), startOf(s.id(i), "Onboard", "x")); err != nil {
				t.Fatal(err)
			}
		}
		// The first commits of the workflows queue for turns, in the time of the bubble.
		time.Sleep(time.Minute)
		synctest.Wait()
		after := usage()
		if after.goroutines != before.goroutines {
			t.Errorf("%d goroutines for %d sleepers", after.goroutines-before.goroutines, n)
		}
		if perSleeper := (after.heap - before.heap) / int64(n); perSleeper > 6000 { // nearly all of it is the rows in the store
			t.Errorf("%d bytes for each of %d sleepers", perSleeper, n)
		}
	})
}
