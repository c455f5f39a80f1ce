package onefoldtest

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/store"
)

// sale is a script with a workflow that ends well, one that nobody says go to, and a request between them.
func sale(s *Simulation) {
	s.Call("Till.Take", `{"who":"ann","n":1}`)
	ann := s.Start("Desk.Sell", `{"who":"ann","n":2}`)
	bob := s.Start("Desk.Sell", `{"who":"bob","n":3}`)
	s.Skip(24 * time.Hour)
	s.Call("Till.Take", `{"who":"ann","n":-1}`)
	if err := ann.Signal("go", "!"); err != nil {
		s.Errorf("signal: %v", err)
	}
	s.Expect(ann.Wait(), `3`)
	bob.Wait()
	if err := bob.Signal("go", "!"); err == nil {
		s.Errorf("a workflow that has ended took a signal")
	}
	s.Call("Till.Note", `{"who":"end","n":0}`)
}

func TestSimulate(t *testing.T) {
	Simulate(t, New(t, newDesk, newTill), compiledDesk(), sale)
}

// What goes wrong in a script shows on both sides, and crashes do not.
func TestSimulateDisturbed(t *testing.T) {
	down := errors.New("down")
	for name, script := range map[string]func(*Simulation){
		"effect": func(s *Simulation) {
			s.FailEffect("charge", down)
			if reply := s.Call("Desk.Sell", `{"who":"ann","n":2}`); reply.Detail != "down" {
				s.Errorf("got %q, want the effect's error", reply.Detail)
			}
		},
		"crashes": func(s *Simulation) {
			s.CrashBefore("Till.Take")
			s.CrashAfter("charge")
			s.CrashAfter("Till.Note")
			sale(s)
		},
		"step": func(s *Simulation) {
			s.FailStep("Till.Take", down)
			if reply := s.Call("Desk.Sell", `{"who":"ann","n":2}`); reply.Detail != "down" {
				s.Errorf("got %q, want the step's error", reply.Detail)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			Simulate(t, New(t, newDesk, newTill), compiledDesk(), script)
		})
	}
}

func TestCrashWorkflows(t *testing.T) {
	opts := Options{Seed: 1, Runs: 400, most: 1}
	switch {
	case os.Getenv("ONEFOLD_SOAK") != "":
		opts.Runs = 0 // all
	case testing.Short():
		opts.Runs = 60
	}
	CrashWorkflows(t, New(t, newDesk, newTill), compiledDesk(), sale, opts)
}

// deskOptions are those of histories of the desk, whose messages write notes.
func deskOptions(runs int) Options {
	return Options{Seed: 1, Runs: runs, Random: []string{"Till.notes"}, Generators: Generators{"who": OneOf("ann", "bob"), "n": Between(1, 4)},
		Weights: map[string]int{"Desk.Pay": 4, "Till.Note": 0, "Till.Later": 0}}
}

func TestWorkflowHistories(t *testing.T) {
	runs := 10
	if testing.Short() {
		runs = 3
	}
	WorkflowHistories(t, New(t, newDesk, newTill), compiledDesk(), deskOptions(runs))
}

// A runtime whose commits have no read conflicts but of the records is not serialisable.
func TestWorkflowHistoriesCatchMutant(t *testing.T) {
	opts := deskOptions(200)
	opts.most = 1
	opts.wrap = func(e store.Engine) store.Engine {
		return &mutant{Engine: e, commit: withReads(func(r store.Range) bool { return part(r.Begin) != "state" })}
	}
	violations := workflowHistories(t, New(t, newDesk, newTill), compiledDesk(), opts)
	if len(violations) == 0 {
		t.Fatal("nothing tells this runtime from the real one")
	}
	t.Logf("caught: %.300s", violations[0])
}
