package atomic_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/sim"
)

// A body makes the function of one request, which leaves name 1 above what it was
// if the reply is "wrote", and alone if it is anything else.
type body struct {
	name string
	make func(name string) atomic.Func
}

// bodies end in every way that a request can, also in another way each attempt.
var bodies = []body{
	{"update", func(name string) atomic.Func {
		return func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
			set(tx, name, get(tx, name)+1)
			return []byte("wrote"), nil
		}
	}},
	{"blind", func(name string) atomic.Func {
		return func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
			tx.Add(key(tx, name), 1)
			return []byte("wrote"), nil
		}
	}},
	{"write, then nothing", func(name string) atomic.Func {
		return fickle(name, func() ([]byte, error) { return []byte("nothing"), nil })
	}},
	{"write, then error", func(name string) atomic.Func {
		return fickle(name, func() ([]byte, error) { return nil, errRefused })
	}},
	{"error, then write", func(name string) atomic.Func {
		first := true
		return func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
			tx.Add(key(tx, name), 1)
			if first {
				first = false
				return nil, errRefused
			}
			return []byte("wrote"), nil
		}
	}},
}

// fickle writes in the first attempt and does not in the others.
func fickle(name string, then func() ([]byte, error)) atomic.Func {
	first := true
	return func(_ context.Context, tx *atomic.Tx) ([]byte, error) {
		n := get(tx, name)
		if !first {
			return then()
		}
		first = false
		set(tx, name, n+1)
		return []byte("wrote"), nil
	}
}

// TestEveryFault strikes requests with each pair of faults at each store
// operation, delivers them again until they are answered, lets late commits
// land, and compares what happened with the answer.
func TestEveryFault(t *testing.T) {
	requests := map[string]func() atomic.Request{"fresh": fresh, "id": again, "key": keyed}
	for name, request := range requests {
		for _, body := range bodies {
			for _, remote := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/remote=%v", name, body.name, remote), func(t *testing.T) {
					everyFault(t, request, body, remote)
				})
			}
		}
	}
}

func everyFault(t *testing.T, request func() atomic.Request, b body, remote bool) {
	engine := openEngine(t)
	r := atomic.NewRunner(engine, atomic.Options{Remote: remote, Attempts: 6})
	n := 0
	for i := range 8 {
		for f := sim.None; f < sim.Delay; f++ {
			for _, next := range []sim.FaultKind{sim.None, sim.UnknownLate, sim.UnknownLanded, sim.CrashAfter} {
				n++
				engine.Reset()
				engine.FaultAt(i, sim.Fault{Kind: f})
				engine.FaultNth(sim.Commit, 1, sim.Fault{Kind: next, After: int(next) % 2})
				what := fmt.Sprintf("%q at operation %d, then %q", f, i, next)
				oneFault(t, engine, r, request(), b, fmt.Sprintf("x%d", n), what)
			}
		}
	}
}

func oneFault(t *testing.T, engine *sim.Engine, r *atomic.Runner, req atomic.Request, b body, name, what string) {
	t.Helper()
	fn := b.make(name)
	reply, err := deliver(engine, r, req, fn)
	engine.Reset()
	engine.Restart()
	engine.Land(context.Background())
	got := value(t, engine, name)
	switch {
	case errors.Is(err, sim.ErrCrashed) && (got == 0 || got == 1):
		return // nobody was told
	case errors.Is(err, store.ErrFull) && got == 0:
		return
	case err != nil:
		t.Fatalf("%s: value %d after error %v", what, got, err)
	}
	if want := map[bool]int64{true: 1}[string(reply.Body) == "wrote"]; got != want {
		t.Fatalf("%s: value %d after reply %q (failed %v, replayed %v)", what, got, reply.Body, reply.Failed, reply.Replayed)
	}
	if req.Fresh {
		return
	}
	next := mustRun(t, r, req, fn)
	if !next.Replayed {
		t.Fatalf("%s: delivered again, it ran again", what)
	}
	if diff := cmp.Diff(reply.Body, next.Body); diff != "" {
		t.Fatalf("%s: delivered again, another reply (-want +got):\n%s", what, diff)
	}
}

// deliver runs the request as its clients would: again, if that is allowed, until
// there is an answer. A client whose outcome is unknown may always ask again.
func deliver(engine *sim.Engine, r *atomic.Runner, req atomic.Request, fn atomic.Func) (reply atomic.Reply, err error) {
	for range 10 {
		reply, err = r.Run(context.Background(), req, fn)
		engine.Restart()
		var unknown *atomic.OutcomeUnknownError
		if err == nil || req.Fresh && (!errors.As(err, &unknown) || errors.Is(err, sim.ErrCrashed)) {
			return reply, err
		}
		req.Fresh = false
	}
	return reply, err
}

// TestRandomFaults runs many requests of several clients against a store that
// fails all the time, and wants every one that was answered to have happened once.
func TestRandomFaults(t *testing.T) {
	for _, remote := range []bool{false, true} {
		t.Run(fmt.Sprintf("remote=%v", remote), func(t *testing.T) { randomFaults(t, remote) })
	}
}
