package onefoldtest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/store/memory"
	"github.com/onefold/onefold/runtime/store/sim"
	"github.com/onefold/onefold/runtime/workflow"
)

// payment is a start of the workflow Desk.Pay.
func payment(t *testing.T) workflow.Start {
	args, err := deskArgsCodec.Append(nil, &deskArgs{"ann", 1})
	if err != nil {
		t.Fatal(err)
	}
	return workflow.Start{ID: mintID(), Method: "Desk.Pay", Args: args}
}

// While a process has an effect that takes long, another one keeps away from the workflow.
func TestEffectsUnderALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		hooks := workflow.Hooks{Effect: func(_, _ string, fn func() error) error {
			if calls++; calls == 1 {
				time.Sleep(time.Hour)
			}
			return fn()
		}}
		s, err := tryStage(compiledDesk(), storeOf(memory.New()), Options{shared: true}, hooks)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		second, err := s.another()
		if err != nil {
			t.Fatal(err)
		}
		defer second.stop()
		if _, err := s.process().system.flows().Run(t.Context(), payment(t)); err != nil {
			t.Fatal(err)
		}
		if calls != 1 {
			t.Errorf("the effect took place %d times", calls)
		}
	})
}

// A workflow that has had an effect goes on after a crash, also if nobody asks for it again.
func TestEffectsHaveAnIntent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		var s *stage
		hooks := workflow.Hooks{Effect: func(_, _ string, fn func() error) error {
			if calls++; calls == 1 {
				engine := s.process().engine
				engine.FaultNth(sim.Commit, engine.Counts().Commits, sim.Fault{Kind: sim.CrashBefore})
			}
			return fn()
		}}
		var err error
		if s, err = tryStage(compiledDesk(), storeOf(memory.New()), Options{}, hooks); err != nil {
			t.Fatal(err)
		}
		defer s.close()
		start := payment(t)
		if _, err := s.process().system.flows().Run(t.Context(), start); err == nil {
			t.Error("the process did not crash")
		}
		time.Sleep(time.Hour)
		o, err := s.process().system.flows().Wait(context.Background(), start.ID)
		if err != nil || o.Err != nil || calls != 2 {
			t.Errorf("after the crash: outcome %+v, %v; the effect took place %d times, want 2", o, err, calls)
		}
	})
}
