package onefoldtest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/sim"
)

// A suite that finds nothing proves something only if it would find what can be
// wrong. Each mutant below is a runtime that breaks the protocol in one way; the
// suites must tell it from the real one. Those that only break what goes to the store
// and comes from it are engines between the two; the others are mutants of the source, in
// sourcemutants_test.go.

// mutant is an engine that breaks the protocol.
type mutant struct {
	store.Engine
	get    func(e store.Engine, ctx context.Context, v store.Version, key []byte) ([]byte, bool, error)
	commit func(e store.Engine, ctx context.Context, c *store.Commit) (store.Version, error)
}

func (m *mutant) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	if m.get == nil {
		return m.Engine.Get(ctx, v, key)
	}
	return m.get(m.Engine, ctx, v, key)
}

func (m *mutant) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	if m.commit == nil {
		return m.Engine.Commit(ctx, c)
	}
	return m.commit(m.Engine, ctx, c)
}

// ledgerRecords is the prefix of the records of the ledger's requests.
var ledgerRecords = recordsPrefix(compiledLedger())

func isRecord(key []byte) bool { return bytes.HasPrefix(key, ledgerRecords) }

// mutants are the broken engines by what they do wrong.
var mutants = map[string]func() *mutant{
	"no dedup read": func() *mutant {
		return &mutant{
			get: func(e store.Engine, ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
				if isRecord(key) {
					return nil, false, nil
				}
				return e.Get(ctx, v, key)
			},
			commit: withReads(func(r store.Range) bool { return !isRecord(r.Begin) }),
		}
	},
	"the record is read without conflict": func() *mutant {
		return &mutant{commit: withReads(func(r store.Range) bool { return !isRecord(r.Begin) })}
	},
	"the record is written in a second transaction": func() *mutant { return &mutant{commit: recordLater} },
	"writes of a failed attempt are kept":           func() *mutant { return &mutant{commit: keepWrites()} },
	"unknown treated as failure":                    func() *mutant { return &mutant{commit: unknownIs(errors.New("store: failed"))} },
	"unknown treated as success":                    func() *mutant { return &mutant{commit: unknownIs(nil)} },
	"a range read without its conflict range": func() *mutant {
		return &mutant{commit: withReads(func(r store.Range) bool { return bytes.Equal(r.End, append(bytes.Clone(r.Begin), 0)) })}
	},
	"no reads are conflicts but of the record": func() *mutant {
		return &mutant{commit: withReads(func(r store.Range) bool { return isRecord(r.Begin) })}
	},
}

// withReads commits with those read conflicts only for which keep holds.
func withReads(keep func(store.Range) bool) func(store.Engine, context.Context, *store.Commit) (store.Version, error) {
	return func(e store.Engine, ctx context.Context, c *store.Commit) (store.Version, error) {
		fewer := *c
		fewer.Reads = nil
		for _, r := range c.Reads {
			if keep(r) {
				fewer.Reads = append(fewer.Reads, r)
			}
		}
		return e.Commit(ctx, &fewer)
	}
}

// recordLater commits the record after everything else.
func recordLater(e store.Engine, ctx context.Context, c *store.Commit) (store.Version, error) {
	first, second := *c, store.Commit{Version: c.Version}
	first.Ops = nil
	for _, op := range c.Ops {
		if isRecord(op.Key) {
			second.Ops = append(second.Ops, op)
		} else {
			first.Ops = append(first.Ops, op)
		}
	}
	v, err := e.Commit(ctx, &first)
	if err == nil && len(second.Ops) > 0 {
		v, err = e.Commit(ctx, &second)
	}
	return v, err
}

// keepWrites adds the writes of attempts that failed to the next attempt's of the
// same request, as memory would do that survives an attempt.
func keepWrites() func(store.Engine, context.Context, *store.Commit) (store.Version, error) {
	var mu sync.Mutex
	kept := map[string][]store.Op{}
	return func(e store.Engine, ctx context.Context, c *store.Commit) (store.Version, error) {
		record, more := "", *c
		for _, op := range c.Ops {
			if isRecord(op.Key) {
				record = string(op.Key)
			}
		}
		mu.Lock()
		more.Ops = append(append([]store.Op(nil), kept[record]...), c.Ops...)
		mu.Unlock()
		v, err := e.Commit(ctx, &more)
		if errors.Is(err, store.ErrConflict) {
			mu.Lock()
			defer mu.Unlock()
			for _, op := range c.Ops {
				if !isRecord(op.Key) {
					kept[record] = append(kept[record], store.Op{Kind: op.Kind, Key: bytes.Clone(op.Key), Value: bytes.Clone(op.Value)})
				}
			}
		}
		return v, err
	}
}

// unknownIs reports an unknown result as err.
func unknownIs(err error) func(store.Engine, context.Context, *store.Commit) (store.Version, error) {
	return func(e store.Engine, ctx context.Context, c *store.Commit) (store.Version, error) {
		v, failure := e.Commit(ctx, c)
		if errors.Is(failure, store.ErrUnknown) {
			return v, err
		}
		return v, failure
	}
}

// concurrent are the mutants that only requests that run at the same time can tell from the
// real runtime. The others must be caught at some crash point of a lone request.
var concurrent = map[string]bool{
	"a range read without its conflict range":  true,
	"no reads are conflicts but of the record": true,
}

func TestSuitesCatchMutants(t *testing.T) {
	for name, make := range mutants {
		t.Run(name, func(t *testing.T) {
			opts := Options{Seed: 1, most: 1, wrap: func(e store.Engine) store.Engine {
				m := make()
				m.Engine = e
				return m
			}}
			var violations []string
			if concurrent[name] {
				opts.Runs = 1000
				violations = histories(t, New(t, newLedger), compiledLedger(), opts)
			} else {
				_, violations = crashPoints(t, New(t, newLedger), compiledLedger(), opts)
			}
			if len(violations) == 0 {
				t.Fatal("nothing tells this runtime from the real one")
			}
			t.Logf("caught: %s", violations[0])
		})
	}
}

// TestLateCommitOfAnAttemptThatDecidedOtherwise lets the commit of a first attempt
// land after the second one has replied: the reply must tell what is in the store. The
// suites have no such request, since its outcome is up to a coin.
func TestLateCommitOfAnAttemptThatDecidedOtherwise(t *testing.T) {
	if reply, hits := lateFlip(t, nil); (reply == "true") != (hits == 1) {
		t.Errorf("reply %s, counted %d times", reply, hits)
	}
	forgetful := func(e store.Engine) store.Engine { return &mutant{Engine: e, commit: unknownIs(store.ErrConflict)} }
	if reply, hits := lateFlip(t, forgetful); (reply == "true") == (hits == 1) {
		t.Error("a runtime that forgets that a commit was unknown, and replies without writing, was not caught")
	}
}

// lateFlip sends a request whose first attempt writes and later ones do not, and
// whose first commit lands last. It returns the reply and what was written.
func lateFlip(t *testing.T, wrap func(store.Engine) store.Engine) (reply string, hits int64) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, compiledLedger(), Options{Seed: 1, wrap: wrap})
		defer s.close()
		flips := 0
		flip = func() bool {
			flips++
			return flips == 1
		}
		s.process().engine.FaultNth(sim.Commit, 0, sim.Fault{Kind: sim.UnknownLate})
		r, err := newClient(s, Request{Method: "Ledger.Flip", Args: "{}"}, byNothing, 0).deliver()
		if err != nil {
			t.Fatal(err)
		}
		state, err := s.state()
		if err != nil {
			t.Fatal(err)
		}
		reply, hits = string(r.Value), state["Ledger.hits"].(int64)
	})
	return reply, hits
}
