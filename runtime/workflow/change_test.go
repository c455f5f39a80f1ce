package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/workflow"
)

// newCode replaces the workflow called name by other code and starts a process with it.
func (s *stage) newCode(name, code string, body shopBody) {
	d := shopMethod(s.out, name, body)
	d.Code = code
	s.extra = []workflow.Method{d}
	s.crash()
	synctest.Wait()
}

func twoNotes(first, second string) shopBody {
	return func(sh *Shop, ctx context.Context, name string) (string, error) {
		if err := sh.ledger.Note(ctx, first); err != nil {
			return "", err
		}
		sh.run.Sleep(time.Hour)
		return "end", sh.ledger.Note(ctx, second)
	}
}

// Code that does not fit the log stops the workflow, with a diagnosis that names the step,
// and changes nothing; with code that fits it goes on by itself.
func TestCodeChange(t *testing.T) {
	add := func(sh *Shop, ctx context.Context) error {
		_, err := sh.ledger.Add(ctx, "x", 1)
		return err
	}
	tests := []struct {
		name string
		body shopBody
		want string
	}{
		{
			"other step first", func(sh *Shop, ctx context.Context, name string) (string, error) {
				return "", add(sh, ctx)
			},
			`step 1 is recorded as "call Ledger.Note", but the code now does "call Ledger.Add" there`,
		},
		{
			"a step more before the sleep", func(sh *Shop, ctx context.Context, name string) (string, error) {
				sh.ledger.Note(ctx, "one")
				return "", add(sh, ctx)
			},
			`step 2 is recorded as "sleep", but the code now does "call Ledger.Add" there`,
		},
		{
			"no sleep", func(sh *Shop, ctx context.Context, name string) (string, error) {
				return "", sh.ledger.Note(ctx, "one")
			},
			`step 2 is recorded as "sleep": the code now returns without it`,
		},
		{
			"a group", func(sh *Shop, ctx context.Context, name string) (string, error) {
				g := workflow.NewGroup(sh.run, bindShop(sh.world))
				g.Go(func(sh *Shop) error { return add(sh, ctx) })
				return "", g.Wait()
			},
			`step 1 is recorded as "call Ledger.Note", but the code now does "group" there`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(s *stage) {
				s.with("Change", twoNotes("one", "two"))
				s.boot()
				s.start("Change", "x")
				synctest.Wait()
				s.newCode("Change", "2", test.body)
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				info := s.status()
				s.expect("status", workflow.Parked, info.Status)
				want := test.want + "; bring the code back, or let onefold.Version tell old runs from new ones"
				s.expect("diagnosis", want, info.Reason)
				s.expect("dead letters", "2", s.dead()[0].Stopped)
				s.expect("accounts", map[string]int{"stock": 5, "empty": 0}, s.accounts())
				s.expect("lines", []string{"one"}, s.lines())

				s.newCode("Change", "3", twoNotes("one", "three"))
				o, err := s.engine.Wait(background, s.id(1))
				if err != nil {
					t.Fatal(err)
				}
				s.expect("result", "end", result(t, o))
				s.expect("lines", []string{"one", "three"}, s.lines())
			})
		})
	}
}

// Arguments that differ in a replay by the same code show that it is not deterministic.
func TestNotDeterministic(t *testing.T) {
	inBubble(t, func(s *stage) {
		n := 0
		s.with("Random", func(sh *Shop, ctx context.Context, name string) (string, error) {
			n++
			if _, err := sh.ledger.Add(ctx, "x", n); err != nil {
				return "", err
			}
			sh.run.Sleep(time.Hour)
			return "", nil
		})
		s.boot()
		s.start("Random", "x")
		time.Sleep(2 * time.Hour)
		info := s.status()
		s.expect("status", workflow.Parked, info.Status)
		s.expect("diagnosis", `step 1 is recorded as "call Ledger.Add": the code is the same, but its arguments differ, so it is not deterministic; bring the code back, or let onefold.Version tell old runs from new ones`, info.Reason)
	})
}

// Version lets runs that had passed a change go on in the old way, and all others in the new.
func TestVersion(t *testing.T) {
	versioned := func(sh *Shop, ctx context.Context, name string) (string, error) {
		if err := sh.ledger.Note(ctx, "one"); err != nil {
			return "", err
		}
		way := "old"
		if sh.run.Version("extra note") {
			way = "new"
			if err := sh.ledger.Note(ctx, "extra"); err != nil {
				return "", err
			}
		}
		sh.run.Sleep(time.Hour)
		if sh.run.Version("extra note") != (way == "new") {
			return "", errors.New("Version changes its mind")
		}
		late := sh.run.Version("late")
		if late {
			way += " late"
		}
		sh.run.Sleep(time.Hour)
		return way, nil
	}
	inBubble(t, func(s *stage) {
		s.with("Change", twoNotes("one", "two"))
		s.boot()
		s.start("Change", "x")
		synctest.Wait()
		s.newCode("Change", "2", versioned)
		o, err := s.engine.Wait(background, s.id(1))
		if err != nil {
			t.Fatal(err)
		}
		s.expect("old run", "old late", result(t, o))
		s.expect("new run", "new late", result(t, s.run(startOf(s.id(2), "Change", "x"))))
		s.expect("lines", []string{"extra", "one", "one"}, s.lines())
	})
}

// A history that was exported tells whether other code can go on with it.
func TestCheck(t *testing.T) {
	inBubble(t, func(s *stage) {
		body := twoNotes("one", "two")
		s.with("Change", func(sh *Shop, ctx context.Context, name string) (string, error) { return body(sh, ctx, name) })
		s.boot()
		s.start("Change", "x")
		synctest.Wait()
		export := func() *workflow.History {
			h, err := s.engine.History(background, s.id(1))
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(h)
			if err != nil {
				t.Fatal(err)
			}
			back := new(workflow.History)
			if err := json.Unmarshal(b, back); err != nil {
				t.Fatal(err)
			}
			s.expect("history out of JSON", h, back)
			return back
		}
		running := export()
		time.Sleep(2 * time.Hour)
		finished := export()

		check := func(what string, h *workflow.History, fits bool) {
			t.Helper()
			err := s.engine.Check(h)
			var diverged *workflow.DivergedError
			if fits && err != nil || !fits && !errors.As(err, &diverged) {
				t.Errorf("%s: %v", what, err)
			}
		}
		check("running", running, true)
		check("finished", finished, true)
		finished.Code, running.Code = "0", "0"
		body = twoNotes("one", "three")
		check("running, other end", running, true)
		check("finished, other arguments", finished, true)
		body = func(sh *Shop, ctx context.Context, name string) (string, error) {
			_, err := twoNotes("one", "two")(sh, ctx, name)
			return "other", err
		}
		check("running, other result", running, true)
		check("finished, other result", finished, false)
		body = func(sh *Shop, ctx context.Context, name string) (string, error) {
			return "end", sh.ledger.Note(ctx, "one")
		}
		check("running, without the sleep", running, false)
		s.expect("lines", []string{"one", "two"}, s.lines())
	})
}

func TestHistoryAndList(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		begun := time.Now().UTC()
		id := s.id(1)
		s.run(startOf(id, "Bulk", "b"))
		time.Sleep(time.Minute)
		s.start2("Onboard", "o")
		synctest.Wait()

		h, err := s.engine.History(background, id)
		if err != nil {
			t.Fatal(err)
		}
		type row struct{ Path, Kind, Name string }
		var rows []row
		for _, step := range h.Steps {
			rows = append(rows, row{step.Path, step.Kind, step.Name})
			if !step.Begun.Equal(begun) || !step.Done.Equal(begun) {
				t.Errorf("step %s took from %s to %s", step.Path, step.Begun, step.Done)
			}
		}
		s.expect("steps", []row{
			{"1", "child", "Shop.Sell"}, {"2", "message", "Ledger.Note"},
			{"3", "child", "Shop.Sell"}, {"4", "call", "Ledger.NoteLater"},
		}, rows)
		child := h.Steps[0].Child
		if child == nil || child.ID != id+"/1" || child.Parent != id || len(child.Steps) != 3 || child.Steps[1].Kind != "effect" {
			t.Fatalf("history of the child: %+v", child)
		}
		var receipt string
		if err := codec.String.Parse(child.Result, &receipt); err != nil || receipt != "done charge b1" {
			t.Errorf("result of the child: %q, %v", receipt, err)
		}

		list, next, err := s.engine.List(background, workflow.Filter{})
		if err != nil || next != "" {
			t.Fatalf("list: %q, %v", next, err)
		}
		var ids []string
		for _, info := range list {
			ids = append(ids, info.ID+" "+info.Status.String())
		}
		s.expect("list", []string{s.id(2) + " suspended", id + "/3 completed", id + "/1 completed", id + " completed"}, ids)
		list, _, err = s.engine.List(background, workflow.Filter{Method: "Shop.Sell", Status: workflow.Completed})
		if err != nil || len(list) != 2 {
			t.Errorf("filtered list: %+v, %v", list, err)
		}
		seen := 0
		for cursor, more := "", true; more; more = cursor != "" {
			list, cursor, err = s.engine.List(background, workflow.Filter{Limit: 3, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			seen += len(list)
		}
		s.expect("list in pages", 4, seen)

		time.Sleep(49 * time.Hour)
		synctest.Wait()
		info, err := s.engine.Status(background, s.id(2))
		if err != nil {
			t.Fatal(err)
		}
		s.expect("awaits", []string{"signal approve"}, info.Awaits)
		if !info.Due.Equal(begun.Add(time.Minute + 72*time.Hour)) {
			t.Errorf("due at %s", info.Due)
		}
	})
}

// start2 starts workflow 2.
func (s *stage) start2(method, name string) {
	s.t.Helper()
	if err := s.engine.Start(background, startOf(s.id(2), method, name)); err != nil {
		s.t.Fatal(err)
	}
}
