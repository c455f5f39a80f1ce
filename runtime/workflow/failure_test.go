package workflow_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/workflow"
)

var background = context.Background()

type shopBody = func(s *Shop, ctx context.Context, name string) (string, error)

// with adds a workflow to the program, from the next process on.
func (s *stage) with(name string, body shopBody) {
	s.extra = append(s.extra, shopMethod(s.out, name, body))
}

// status returns what is known of workflow 1.
func (s *stage) status() workflow.Info {
	s.t.Helper()
	info, err := s.engine.Status(background, s.id(1))
	if err != nil {
		s.t.Fatal(err)
	}
	return info
}

func (s *stage) start(method, name string) {
	s.t.Helper()
	if err := s.engine.Start(background, startOf(s.id(1), method, name)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) dead() []workflow.DeadLetter {
	s.t.Helper()
	list, _, err := s.engine.DeadLetters(background, "", 0)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// A step that always panics parks the workflow after some tries, with the reason, and
// it can be tried again from where it was.
func TestPoison(t *testing.T) {
	inBubble(t, func(s *stage) {
		line := "panic"
		tries := 0
		s.with("Poison", func(sh *Shop, ctx context.Context, name string) (string, error) {
			if _, err := sh.ledger.Add(ctx, "poison", 1); err != nil {
				return "", err
			}
			tries++
			defer sh.ledger.Note(ctx, "deferred") // does nothing while the execution unwinds
			return "fine", sh.ledger.Note(ctx, line)
		})
		s.opts.MaxFailures = 4
		s.boot()
		s.start("Poison", "x")
		synctest.Wait()
		if got := s.status(); got.Status != workflow.Suspended || got.Failures != 1 || !strings.Contains(got.Reason, "cannot note that") {
			t.Errorf("after the first failure: %+v", got)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		s.expect("status", workflow.Parked, s.status().Status)
		s.expect("tries", 4, tries)
		list := s.dead()
		if len(list) != 1 || list[0].ID != s.id(1) || list[0].Failures != 4 || list[0].Method != "Shop.Poison" {
			t.Fatalf("dead letters: %+v", list)
		}
		line = "good"
		if err := s.engine.Retry(background, s.id(1)); err != nil {
			t.Fatal(err)
		}
		o, err := s.engine.Wait(background, s.id(1))
		if err != nil {
			t.Fatal(err)
		}
		s.expect("result", "fine", result(t, o))
		s.expect("lines", []string{"deferred", "good"}, s.lines())
		s.expect("account", 1, s.accounts()["poison"])
		s.expect("dead letters", 0, len(s.dead()))
	})
}

// A workflow that always panics does not slow others.
func TestPoisonDoesNotSlowOthers(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Bad", func(sh *Shop, ctx context.Context, name string) (string, error) { panic(name) })
		s.boot()
		for i := range 200 {
			if err := s.engine.Start(background, startOf(s.id(100+i), "Bad", "bad")); err != nil {
				t.Fatal(err)
			}
		}
		begun := time.Now()
		for i := range 20 {
			o := s.run(startOf(s.id(i), "Count", "good"))
			s.expect("status", workflow.Completed, o.Status)
		}
		s.expect("time of the good ones", time.Duration(0), time.Since(begun))
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		list, next, err := s.engine.DeadLetters(background, "", 150)
		if err != nil || len(list) != 150 || next == "" {
			t.Fatalf("%d dead letters, %v", len(list), err)
		}
		list, next, err = s.engine.DeadLetters(background, next, 150)
		if err != nil || len(list) != 50 || next != "" {
			t.Errorf("%d more dead letters, then %q, %v", len(list), next, err)
		}
	})
}

// A panic of the body stops the workflow where it is: deferred steps do not run.
func TestPanicInBody(t *testing.T) {
	inBubble(t, func(s *stage) {
		broken := true
		s.with("Broken", func(sh *Shop, ctx context.Context, name string) (string, error) {
			if _, err := sh.ledger.Add(ctx, "a", 1); err != nil {
				return "", err
			}
			defer func() { sh.ledger.Add(ctx, "a", 100) }()
			if broken {
				var list []int
				list[len(name)] = 1
			}
			return "mended", nil
		})
		s.opts.MaxFailures = 2
		s.boot()
		s.start("Broken", "x")
		time.Sleep(time.Hour)
		s.expect("status", workflow.Parked, s.status().Status)
		s.expect("account", 1, s.accounts()["a"])
		broken = false
		if err := s.engine.Retry(background, s.id(1)); err != nil {
			t.Fatal(err)
		}
		o, err := s.engine.Wait(background, s.id(1))
		if err != nil {
			t.Fatal(err)
		}
		s.expect("result", "mended", result(t, o))
		s.expect("account", 101, s.accounts()["a"])
	})
}

// A message whose method panics is tried again, then parked; one that ends in an
// error has run.
func TestMessageFailures(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Send", func(sh *Shop, ctx context.Context, name string) (string, error) {
			workflow.Go(ctx, sh.run, ledgerNoteMethod, ledgerNoteArgs{name})
			return "", nil
		})
		s.opts.MaxFailures = 3
		s.boot()
		s.run(startOf(s.id(1), "Send", "refuse"))
		time.Sleep(time.Hour)
		s.expect("dead letters after an error", 0, len(s.dead()))
		s.expect("messages left", 0, s.rows()["out"])
		s.run(startOf(s.id(2), "Send", "panic"))
		time.Sleep(time.Hour)
		list := s.dead()
		if len(list) != 1 || !list[0].Message || list[0].Failures != 3 || list[0].From != s.id(2)+"/1" {
			t.Fatalf("dead letters after panics: %+v", list)
		}
		if err := s.engine.Retry(background, list[0].ID); err != nil {
			t.Fatal(err)
		}
		s.expect("dead letters while it is tried again", 0, len(s.dead()))
		time.Sleep(time.Hour)
		list = s.dead()
		if len(list) != 1 {
			t.Fatalf("dead letters after the retry: %+v", list)
		}
		if err := s.engine.Cancel(background, list[0].ID); err != nil {
			t.Fatal(err)
		}
		s.expect("dead letters after it was thrown away", 0, len(s.dead()))
	})
}

// A message of an atomic method that ends in an error is not sent.
func TestMessageOfFailedRequest(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Later", func(sh *Shop, ctx context.Context, name string) (string, error) {
			return "", sh.ledger.NoteLater(ctx, name)
		})
		s.boot()
		o := s.run(startOf(s.id(1), "Later", "refuse"))
		if !errors.Is(o.Err, ErrEmpty) {
			t.Errorf("error: %v", o.Err)
		}
		synctest.Wait()
		s.expect("messages", 0, s.rows()["out"])
		s.run(startOf(s.id(2), "Later", "note"))
		synctest.Wait()
		s.expect("lines", []string{"note"}, s.lines())
	})
}

// Cancelling a workflow stops it and its children, whatever they are at.
func TestCancel(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Nap", func(sh *Shop, ctx context.Context, name string) (string, error) {
			defer sh.ledger.Note(ctx, "woke "+name)
			sh.run.Sleep(time.Hour)
			return "rested", nil
		})
		s.with("Parent", func(sh *Shop, ctx context.Context, name string) (string, error) {
			return workflow.Child(ctx, sh.run, shopMethod(sh.world, "Middle", nil), shopArgs{name})
		})
		s.with("Middle", func(sh *Shop, ctx context.Context, name string) (string, error) {
			return workflow.Child(ctx, sh.run, shopMethod(sh.world, "Nap", nil), shopArgs{name})
		})
		s.boot()
		s.start("Parent", "p")
		time.Sleep(time.Minute)
		grandchild := s.id(1) + "/1/1"
		if info, err := s.engine.Status(background, grandchild); err != nil || info.Status != workflow.Suspended {
			t.Fatalf("grandchild: %+v, %v", info, err)
		}
		if err := s.engine.Cancel(background, s.id(1)); err != nil {
			t.Fatal(err)
		}
		if err := s.engine.Cancel(background, s.id(1)); err != nil {
			t.Errorf("again: %v", err)
		}
		synctest.Wait()
		for _, id := range []string{s.id(1), s.id(1) + "/1", grandchild} {
			info, err := s.engine.Status(background, id)
			if err != nil || info.Status != workflow.Cancelled {
				t.Errorf("%s: %+v, %v", id, info, err)
			}
		}
		o, err := s.engine.Wait(background, s.id(1))
		if err != nil || !errors.Is(o.Err, workflow.ErrCancelled) {
			t.Errorf("outcome %+v, %v", o, err)
		}
		time.Sleep(2 * time.Hour)
		s.expect("lines", 0, len(s.lines()))
	})
}

// The parent of a cancelled child gets an error, and can compensate.
func TestChildCancelled(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Nap", func(sh *Shop, ctx context.Context, name string) (string, error) {
			sh.run.Sleep(time.Hour)
			return "rested", nil
		})
		s.with("Parent", func(sh *Shop, ctx context.Context, name string) (string, error) {
			_, err := workflow.Child(ctx, sh.run, shopMethod(sh.world, "Nap", nil), shopArgs{name})
			if errors.Is(err, workflow.ErrCancelled) {
				return "compensated", sh.ledger.Note(ctx, "undone")
			}
			return "", err
		})
		s.boot()
		s.start("Parent", "p")
		time.Sleep(time.Minute)
		if err := s.engine.Cancel(background, s.id(1)+"/1"); err != nil {
			t.Fatal(err)
		}
		o, err := s.engine.Wait(background, s.id(1))
		if err != nil {
			t.Fatal(err)
		}
		s.expect("result", "compensated", result(t, o))
	})
}

// A cancelled workflow commits nothing more, not even the step it is at.
func TestCancelDuringEffect(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		s.out.hook = func(string) {
			if err := s.engine.Cancel(background, s.id(1)); err != nil {
				t.Error(err)
			}
		}
		o := s.run(startOf(s.id(1), "Sell", "x"))
		s.expect("status", workflow.Cancelled, o.Status)
		s.expect("accounts", map[string]int{"stock": 4, "empty": 0}, s.accounts())
		h, err := s.engine.History(background, s.id(1))
		if err != nil {
			t.Fatal(err)
		}
		s.expect("steps", 1, len(h.Steps))
	})
}

func TestErrorsOfTheEngine(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.boot()
		s.run(startOf(s.id(1), "Count", "x"))
		fresh := func() atomic.Request { return atomic.Request{ID: atomicID(time.Now(), 1), Fresh: true} }
		check := func(what string, want, got error) {
			t.Helper()
			if !errors.Is(got, want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		check("cancel after the end", workflow.ErrEnded, s.engine.Cancel(background, s.id(1)))
		check("cancel of nothing", workflow.ErrNotFound, s.engine.Cancel(background, "x"))
		check("retry of nothing", workflow.ErrNotFound, s.engine.Retry(background, "x"))
		check("signal after the end", workflow.ErrEnded, s.engine.Signal(background, fresh(), s.id(1), "approve", []byte(`"x"`)))
		check("signal to nothing", workflow.ErrNotFound, s.engine.Signal(background, fresh(), "x", "approve", []byte(`"x"`)))
		req := fresh()
		req.Fresh = false
		check("signal to nothing", workflow.ErrNotFound, s.engine.Signal(background, req, "x", "approve", []byte(`"x"`)))
		check("the same again, from the record", workflow.ErrNotFound, s.engine.Signal(background, req, "x", "approve", []byte(`"x"`)))
		_, err := s.engine.Wait(background, "x")
		check("wait for nothing", workflow.ErrNotFound, err)
		_, err = s.engine.Run(background, startOf(s.id(9), "Nothing", ""))
		check("start of nothing", workflow.ErrNoMethod, err)

		var input *codec.InputError
		for name, value := range map[string]string{"approve": "3", "aprove": `"x"`} {
			if err := s.engine.Signal(background, fresh(), s.id(1), name, []byte(value)); !errors.As(err, &input) {
				t.Errorf("signal %s=%s: %v", name, value, err)
			}
		}
	})
}

// Errors are told apart in a replay as they were when they came.
func TestErrorsInReplay(t *testing.T) {
	inBubble(t, func(s *stage) {
		plays := 0
		s.with("Errors", func(sh *Shop, ctx context.Context, name string) (string, error) {
			plays++
			_, sentinel := sh.ledger.Add(ctx, "empty", -1)
			if sentinel != ErrEmpty {
				t.Errorf("play %d: %v is not ErrEmpty itself", plays, sentinel)
			}
			_, wrapped := sh.ledger.Add(ctx, "other", -3)
			var limit *LimitError
			if !errors.As(wrapped, &limit) || *limit != (LimitError{"other", 3}) || !errors.Is(wrapped, ErrEmpty) {
				t.Errorf("play %d: %v wraps %+v", plays, wrapped, limit)
			}
			if wrapped == nil || wrapped.Error() != "add: other lacks 3" {
				t.Errorf("play %d: text of %v", plays, wrapped)
			}
			_, top := workflow.Do(ctx, sh.run, "fail", codec.String, func(context.Context, string) (string, error) {
				return "", &LimitError{"top", 1}
			})
			if got, ok := top.(*LimitError); !ok || *got != (LimitError{"top", 1}) {
				t.Errorf("play %d: %T %v", plays, top, top)
			}
			sh.run.Sleep(time.Hour)
			return "", errors.Join(sentinel, wrapped)
		})
		s.boot()
		o := s.run(startOf(s.id(1), "Errors", ""))
		s.expect("plays", 2, plays)
		if !errors.Is(o.Err, ErrEmpty) {
			t.Errorf("outcome: %v", o.Err)
		}
	})
}
