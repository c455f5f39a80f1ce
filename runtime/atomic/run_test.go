package atomic_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/sim"
)

func refuse(context.Context, *atomic.Tx) ([]byte, error) { return nil, errRefused }

func look(_ context.Context, tx *atomic.Tx) ([]byte, error) { return []byte{byte(get(tx, "x"))}, nil }

// TestCost asserts what each kind of request asks of the store, exactly.
func TestCost(t *testing.T) {
	readOnly := func() atomic.Request {
		req := keyed()
		req.ReadOnly = true
		return req
	}
	blind := func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
		tx.Add(key(tx, "x"), 1)
		return nil, nil
	}
	nothing := func(context.Context, *atomic.Tx) ([]byte, error) { return nil, nil }
	for _, test := range []struct {
		name    string
		request func() atomic.Request
		fn      atomic.Func
		want    sim.Counts
		records int
	}{
		{"fresh update", fresh, increment, sim.Counts{ReadVersions: 1, Gets: 1, Commits: 1}, 1},
		{"fresh add", fresh, blind, sim.Counts{ReadVersions: 1, Commits: 1}, 1},
		{"fresh read", fresh, look, sim.Counts{ReadVersions: 1, Gets: 1, Settles: 1}, 0},
		{"fresh error", fresh, refuse, sim.Counts{}, 0},
		{"fresh stateless", fresh, nothing, sim.Counts{}, 0},
		{"update with id", again, increment, sim.Counts{ReadVersions: 1, Gets: 2, Commits: 1}, 1},
		{"update with key", keyed, increment, sim.Counts{ReadVersions: 1, Gets: 4, Commits: 1}, 1},
		{"error with key", keyed, refuse, sim.Counts{ReadVersions: 1, Gets: 3, Commits: 1}, 1},
		{"nothing with key", keyed, nothing, sim.Counts{ReadVersions: 1, Gets: 3, Commits: 1}, 1},
		{"read-only with key", readOnly, look, sim.Counts{ReadVersions: 1, Gets: 1, Settles: 1}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, engine := newRunner(t)
			mustRun(t, r, test.request(), test.fn)
			if diff := cmp.Diff(test.want, engine.Counts()); diff != "" {
				t.Errorf("store operations (-want +got):\n%s", diff)
			}
			if got := records(t, engine); got != test.records {
				t.Errorf("%d records, want %d", got, test.records)
			}
		})
	}
}

func TestReplay(t *testing.T) {
	r, engine := newRunner(t)
	for name, req := range map[string]atomic.Request{"id": again(), "key": keyed()} {
		first := mustRun(t, r, req, increment)
		second := mustRun(t, r, req, increment)
		want := atomic.Reply{Body: first.Body, Replayed: true, Attempts: 1}
		second.Counts = atomic.Counts{}
		if diff := cmp.Diff(want, second); diff != "" {
			t.Errorf("%s: second reply (-want +got):\n%s", name, diff)
		}
	}
	if got := value(t, engine, "x"); got != 2 {
		t.Errorf("x is %d after two requests", got)
	}
}

func TestReplayOfError(t *testing.T) {
	r, _ := newRunner(t)
	req := keyed()
	req.Problem = func(err error) ([]byte, bool) { return []byte("problem: " + err.Error()), true }
	first := mustRun(t, r, req, refuse)
	if !first.Failed || !errors.Is(first.Err, errRefused) {
		t.Errorf("first reply is %+v, want a failure", first)
	}
	second := mustRun(t, r, req, increment)
	want := atomic.Reply{Body: []byte("problem: refused"), Failed: true, Replayed: true, Attempts: 1}
	second.Counts = atomic.Counts{}
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("second reply (-want +got):\n%s", diff)
	}
}

func TestErrorSaysNothingOfState(t *testing.T) {
	r, engine := newRunner(t)
	req := keyed()
	req.Problem = func(err error) ([]byte, bool) { return nil, false }
	mustRun(t, r, req, refuse)
	if got := records(t, engine); got != 0 {
		t.Errorf("%d records of malformed input", got)
	}
}

func TestErrorLeavesNoTrace(t *testing.T) {
	r, engine := newRunner(t)
	mustRun(t, r, keyed(), func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
		set(tx, "x", 7)
		return nil, errRefused
	})
	if got := value(t, engine, "x"); got != 0 {
		t.Errorf("x is %d after an error", got)
	}
}

func TestMismatch(t *testing.T) {
	r, _ := newRunner(t)
	for _, req := range []atomic.Request{again(), keyed()} {
		mustRun(t, r, req, increment)
		other := req
		other.MethodHash++
		if _, err := r.Run(t.Context(), other, increment); !errors.Is(err, atomic.ErrMismatch) {
			t.Errorf("another method: error %v, want %v", err, atomic.ErrMismatch)
		}
		other = req
		other.ArgsHash++
		if _, err := r.Run(t.Context(), other, increment); !errors.Is(err, atomic.ErrMismatch) {
			t.Errorf("other arguments: error %v, want %v", err, atomic.ErrMismatch)
		}
	}
}

func TestLargeReply(t *testing.T) {
	r, _ := newRunner(t)
	req := again()
	body := []byte(strings.Repeat("large ", 3*store.MaxValueSize/6))
	large := func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
		set(tx, "x", 1)
		return body, nil
	}
	mustRun(t, r, req, large)
	if reply := mustRun(t, r, req, large); !reply.Replayed || string(reply.Body) != string(body) {
		t.Errorf("replayed %v with %d bytes, want %d", reply.Replayed, len(reply.Body), len(body))
	}
}

func TestPanic(t *testing.T) {
	r, engine := newRunner(t)
	_, err := r.Run(t.Context(), keyed(), func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
		set(tx, "x", 1)
		explode()
		return nil, nil
	})
	var panicked *atomic.PanicError
	if !errors.As(err, &panicked) {
		t.Fatalf("error %v, want a *PanicError", err)
	}
	stack := string(panicked.Stack)
	if !strings.HasPrefix(stack, "github.com/onefold/onefold/runtime/atomic_test.explode") || strings.Contains(stack, "atomic.(*run)") {
		t.Errorf("stack begins or ends elsewhere than the user's code:\n%s", stack)
	}
	if value(t, engine, "x") != 0 || records(t, engine) != 0 {
		t.Error("a panic left a trace")
	}
}

func explode() { panic("explosion") }

func TestUseAfterEnd(t *testing.T) {
	r, _ := newRunner(t)
	var kept *atomic.Tx
	mustRun(t, r, fresh(), func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
		kept = tx
		return nil, nil
	})
	if err := catch(func() { get(kept, "x") }); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("use of a Tx after its request: panic %v", err)
	}
}

// TestUnwinding recovers a store failure in user code, which must not help.
func TestUnwinding(t *testing.T) {
	r, engine := newRunner(t)
	engine.FaultNth(sim.Get, 0, sim.Fault{Kind: sim.TooOld})
	attempts, deferred := 0, 0
	reply := mustRun(t, r, fresh(), func(_ context.Context, tx *atomic.Tx) (body []byte, err error) {
		attempts++
		defer func() {
			if recover() != nil {
				body, err = []byte("swallowed"), nil
			}
		}()
		defer func() {
			get(tx, "y")
			deferred++
		}()
		return increment(t.Context(), tx)
	})
	if attempts != 2 || deferred != 1 {
		t.Errorf("%d attempts and %d calls in defers, want 2 and 1", attempts, deferred)
	}
	if string(reply.Body) == "swallowed" || value(t, engine, "x") != 1 {
		t.Errorf("reply %q and x = %d, want those of the second attempt", reply.Body, value(t, engine, "x"))
	}
}

func TestReadOnlyMustNotWrite(t *testing.T) {
	r, engine := newRunner(t)
	req := fresh()
	req.ReadOnly = true
	if _, err := r.Run(t.Context(), req, increment); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("error %v, want one about a read-only method", err)
	}
	if value(t, engine, "x") != 0 {
		t.Error("a read-only method wrote")
	}
}

func TestLimits(t *testing.T) {
	now := time.Now()
	engine := openEngine(t)
	r := atomic.NewRunner(engine, atomic.Options{Now: func() time.Time { return now }})
	var limit *atomic.LimitError
	_, err := r.Run(t.Context(), fresh(), func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
		for i := range 110 {
			tx.Set(key(tx, string(rune('a'+i))), make([]byte, store.MaxValueSize))
		}
		return nil, nil
	})
	if !errors.As(err, &limit) || !strings.Contains(err.Error(), "Test.Do") || !strings.Contains(err.Error(), "workflow") {
		t.Errorf("too much to commit: error %v", err)
	}
	engine.Reset()
	engine.FaultNth(sim.Commit, 0, sim.Fault{Kind: sim.TooOld})
	_, err = r.Run(t.Context(), fresh(), func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
		body, err := increment(t.Context(), tx)
		now = now.Add(store.MaxAge)
		return body, err
	})
	if !errors.As(err, &limit) {
		t.Errorf("too slow: error %v", err)
	}
}

func TestBudget(t *testing.T) {
	engine := openEngine(t)
	r := atomic.NewRunner(engine, atomic.Options{Attempts: 4})
	engine.Random(1, sim.Rates{Conflict: 1})
	if _, err := r.Run(t.Context(), fresh(), increment); !errors.Is(err, atomic.ErrContention) {
		t.Errorf("always a conflict: error %v, want %v", err, atomic.ErrContention)
	}
	if got := engine.Counts().Commits; got != 4 {
		t.Errorf("%d commits, want 4", got)
	}
	engine.Reset()
	engine.Random(1, sim.Rates{UnknownLost: 1})
	req := fresh()
	_, err := r.Run(t.Context(), req, increment)
	var unknown *atomic.OutcomeUnknownError
	if !errors.As(err, &unknown) || unknown.ID != req.ID {
		t.Errorf("always unknown: error %v, want an *OutcomeUnknownError with the id", err)
	}
	engine.Reset()
	engine.Random(1, sim.Rates{Conflict: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Millisecond)
	defer cancel()
	r = atomic.NewRunner(engine, atomic.Options{Attempts: 1 << 30})
	if _, err := r.Run(ctx, fresh(), increment); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no time left: error %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestSavepoint(t *testing.T) {
	r, engine := newRunner(t)
	errUndo := errors.New("undo")
	mustRun(t, r, fresh(), func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
		set(tx, "x", 1)
		err := tx.Savepoint(ctx, func(ctx context.Context) error {
			set(tx, "x", 2)
			kept := tx.Savepoint(ctx, func(context.Context) error {
				set(tx, "y", get(tx, "x"))
				return nil
			})
			if kept != nil || get(tx, "y") != 2 {
				t.Errorf("inner savepoint: error %v and y = %d", kept, get(tx, "y"))
			}
			return errUndo
		})
		if err != errUndo || get(tx, "x") != 1 || get(tx, "y") != 0 {
			t.Errorf("after the rollback: error %v, x = %d, y = %d", err, get(tx, "x"), get(tx, "y"))
		}
		func() {
			defer func() { recover() }()
			tx.Savepoint(ctx, func(context.Context) error {
				set(tx, "x", 3)
				panic("undo")
			})
		}()
		return nil, tx.Savepoint(ctx, func(context.Context) error {
			set(tx, "z", 1)
			return nil
		})
	})
	got := map[string]int64{"x": value(t, engine, "x"), "y": value(t, engine, "y"), "z": value(t, engine, "z")}
	if diff := cmp.Diff(map[string]int64{"x": 1, "y": 0, "z": 1}, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

// TestRolledBackReadsConflict reads x in a savepoint that is rolled back, and has
// somebody else change x before the commit.
func TestRolledBackReadsConflict(t *testing.T) {
	r, _ := newRunner(t)
	attempts := 0
	mustRun(t, r, fresh(), func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
		attempts++
		n := int64(0)
		tx.Savepoint(ctx, func(context.Context) error {
			n = get(tx, "x")
			return errRefused
		})
		if attempts == 1 {
			mustRun(t, r, fresh(), increment)
		}
		set(tx, "y", n)
		return nil, nil
	})
	if attempts != 2 {
		t.Errorf("%d attempts, want 2: what a rolled back savepoint read must conflict", attempts)
	}
}
