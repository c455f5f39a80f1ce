package workflow_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/onefold/onefold/runtime/workflow"
)

// A hook can make a step or an effect end in an error, which then is in the log like any other.
func TestHooks(t *testing.T) {
	down := errors.New("down")
	for kind, want := range map[string]string{"call": "failed: down", "effect": "failed: charge: down"} {
		t.Run(kind, func(t *testing.T) {
			inBubble(t, func(s *stage) {
				s.opts.Hooks.Call = func(c workflow.Call) error {
					if kind == "call" && c.Method == "Ledger.Note" {
						return down
					}
					return nil
				}
				s.opts.Hooks.Effect = func(name, key string, fn func() error) error {
					if kind == "effect" && name == "charge" {
						return down
					}
					return fn()
				}
				s.boot()
				s.expect("result", want, result(t, s.run(startOf(s.id(1), "Sell", "x"))))
				s.expect("accounts", map[string]int{"stock": 5, "empty": 0}, s.accounts())
				if len(s.out.keys()) != map[string]int{"call": 1, "effect": 0}[kind] {
					t.Errorf("effects: %v", s.out.keys())
				}
			})
		})
	}
}

// An engine is idle while its workflows sleep, and not while they can go on.
func TestIdle(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		idle := func() bool {
			synctest.Wait()
			idle, err := s.engine.Idle(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return idle
		}
		if !idle() {
			t.Error("a new engine is not idle")
		}
		if err := s.engine.Start(context.Background(), startOf(s.id(1), "Onboard", "x")); err != nil {
			t.Fatal(err)
		}
		if !idle() {
			t.Error("not idle while the workflow sleeps")
		}
		s.kill()
		s.bootIdle()
		if err := s.engine.Start(context.Background(), startOf(s.id(2), "Bulk", "x")); err != nil {
			t.Fatal(err)
		}
		if idle() {
			t.Error("idle though a child is to be run, and nobody does")
		}
	})
}
