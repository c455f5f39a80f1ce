package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/workflow"
)

// The first error in program order counts, and all branches run to their end.
func TestGroupError(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Errors", func(sh *Shop, ctx context.Context, name string) (string, error) {
			g := workflow.NewGroup(sh.run, bindShop(sh.world))
			for i := range 3 {
				g.Go(func(sh *Shop) error {
					sh.run.Sleep(time.Duration(3-i) * time.Hour)
					if err := sh.ledger.Note(ctx, fmt.Sprint(i)); err != nil {
						return err
					}
					if i > 0 {
						return fmt.Errorf("branch %d", i)
					}
					return nil
				})
			}
			return "", g.Wait()
		})
		s.boot()
		o := s.run(startOf(s.id(1), "Errors", ""))
		s.expect("result", "failed: branch 1", result(t, o))
		s.expect("lines", []string{"0", "1", "2"}, s.lines())
	})
}

// A branch that waits keeps its place below the limit.
func TestGroupLimit(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Limited", func(sh *Shop, ctx context.Context, name string) (string, error) {
			g := workflow.NewGroup(sh.run, bindShop(sh.world))
			g.SetLimit(2)
			for i := range 4 {
				g.Go(func(sh *Shop) error {
					sh.run.Sleep(time.Hour)
					return sh.ledger.Note(ctx, fmt.Sprint(i, " at ", sh.run.Now().Format("15:04")))
				})
			}
			if err := g.Wait(); err != nil {
				return "", err
			}
			return sh.run.Now().Format("15:04"), nil
		})
		s.boot()
		o := s.run(startOf(s.id(1), "Limited", ""))
		s.expect("result", "02:00", result(t, o))
		s.expect("lines", []string{"0 at 01:00", "1 at 01:00", "2 at 02:00", "3 at 02:00"}, s.lines())
	})
}

// Branches wait for different things; groups nest.
func TestNestedGroups(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Nested", func(sh *Shop, ctx context.Context, name string) (string, error) {
			var approved string
			outer := workflow.NewGroup(sh.run, bindShop(sh.world))
			outer.Go(func(sh *Shop) (err error) {
				approved, _, err = workflow.Await(ctx, sh.run, "approve", 0, codec.String)
				return err
			})
			outer.Go(func(sh *Shop) error {
				inner := workflow.NewGroup(sh.run, bindShop(sh.world))
				for i := range 2 {
					inner.Go(func(sh *Shop) error {
						sh.run.Sleep(time.Duration(i+1) * time.Hour)
						_, err := sh.ledger.Add(ctx, "nested", 1)
						return err
					})
				}
				if err := inner.Wait(); err != nil {
					return err
				}
				return workflow.Signal(ctx, sh.run, sh.run.ID(), "approve", codec.String, "myself")
			})
			if err := outer.Wait(); err != nil {
				return "", err
			}
			return approved, nil
		})
		s.boot()
		begun := time.Now()
		o := s.run(startOf(s.id(1), "Nested", ""))
		s.expect("result", "myself", result(t, o))
		s.expect("time", 2*time.Hour, time.Since(begun))
		s.expect("account", 2, s.accounts()["nested"])
	})
}

// A branch goes on while another one waits.
func TestBranchWaits(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Waits", func(sh *Shop, ctx context.Context, name string) (string, error) {
			g := workflow.NewGroup(sh.run, bindShop(sh.world))
			g.Go(func(sh *Shop) error {
				sh.run.Sleep(time.Hour)
				return nil
			})
			g.Go(func(sh *Shop) error {
				for i := range 5 {
					if err := sh.ledger.Note(ctx, fmt.Sprint(i)); err != nil {
						return err
					}
				}
				return nil
			})
			return "", g.Wait()
		})
		s.boot()
		s.start("Waits", "")
		synctest.Wait()
		s.expect("lines", 5, len(s.lines()))
		s.expect("status", workflow.Suspended, s.status().Status)
	})
}

// What a branch panics with fails the workflow, and the others end where they are.
func TestBranchPanics(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Panics", func(sh *Shop, ctx context.Context, name string) (string, error) {
			sh.ledger.Note(ctx, "begun")
			g := workflow.NewGroup(sh.run, bindShop(sh.world))
			g.Go(func(*Shop) error { panic("branch") })
			g.Go(func(sh *Shop) error {
				defer sh.ledger.Note(ctx, "deferred")
				sh.run.Sleep(time.Hour)
				return nil
			})
			return "", g.Wait()
		})
		s.opts.MaxFailures = 1
		s.boot()
		s.start("Panics", "")
		synctest.Wait()
		s.expect("status", workflow.Parked, s.status().Status)
		s.expect("reason", "panic: branch", s.status().Reason)
		s.expect("lines", []string{"begun"}, s.lines())
	})
}

// A workflow that returns without waiting for its group is stopped.
func TestNotWaited(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Forgets", func(sh *Shop, ctx context.Context, name string) (string, error) {
			sh.ledger.Note(ctx, "begun")
			g := workflow.NewGroup(sh.run, bindShop(sh.world))
			g.Go(func(sh *Shop) error {
				sh.run.Sleep(time.Hour)
				return nil
			})
			return "", nil
		})
		s.opts.MaxFailures = 1
		s.boot()
		s.start("Forgets", "")
		synctest.Wait()
		s.expect("reason", "errgroup: a workflow returned without waiting for its group", s.status().Reason)
	})
}

// User code cannot keep a workflow from unwinding.
func TestRecoverIsNoUse(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Recovers", func(sh *Shop, ctx context.Context, name string) (result string, err error) {
			func() {
				defer func() { recover() }()
				sh.run.Sleep(time.Hour)
			}()
			return "woke", sh.ledger.Note(ctx, "after")
		})
		s.boot()
		begun := time.Now()
		o := s.run(startOf(s.id(1), "Recovers", ""))
		s.expect("result", "woke", result(t, o))
		s.expect("time", time.Hour, time.Since(begun))
		s.expect("lines", []string{"after"}, s.lines())
	})
}

// A workflow may not call services within an effect.
func TestStepInEffect(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Mixes", func(sh *Shop, ctx context.Context, name string) (string, error) {
			return workflow.Do(ctx, sh.run, "mix", codec.String, func(ctx context.Context, key string) (string, error) {
				return "", sh.ledger.Note(ctx, "inside")
			})
		})
		s.opts.MaxFailures = 1
		s.boot()
		s.start("Mixes", "")
		synctest.Wait()
		s.expect("reason", "step 1: a service or the runtime was called inside the function of onefold.Do", s.status().Reason)
		s.expect("lines", 0, len(s.lines()))
	})
}

// Many clients on several goroutines, for the race detector.
func TestConcurrentRuns(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		begun := time.Now()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				o, err := s.engine.Run(background, startOf(s.id(i), "Bulk", fmt.Sprint(i, "-")))
				if err != nil {
					t.Error(err)
				} else if o.Err != nil && !errors.Is(o.Err, ErrEmpty) {
					t.Error(o.Err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); took > 10*time.Second { // back-off under contention; a row that is overlooked takes longer
			t.Errorf("took %s", took)
		}
		if stock := s.accounts()["stock"]; stock != 0 {
			t.Errorf("stock: %d", stock)
		}
	})
}
