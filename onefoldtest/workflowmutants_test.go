package onefoldtest

import (
	"bytes"
	"context"
	"testing"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// part returns where in the store a key of the desk belongs: "out", "due", or, of what
// belongs to one workflow, "wf/step" and the like.
func part(key []byte) string {
	rest, ok := bytes.CutPrefix(key, tuple.AppendString(nil, "desk"))
	if !ok {
		return ""
	}
	family, rest, err := tuple.DecodeString(rest)
	if err != nil || family != "wf" {
		return family
	}
	if _, rest, err = tuple.DecodeString(rest); err != nil {
		return family
	}
	name, _, _ := tuple.DecodeString(rest)
	return family + "/" + name
}

// apart commits the operations for which apart holds in a commit of their own, before or after the others.
func apart(first bool, apart func(op store.Op) bool) func(store.Engine, context.Context, *store.Commit) (store.Version, error) {
	return func(e store.Engine, ctx context.Context, c *store.Commit) (store.Version, error) {
		main, other := *c, store.Commit{Version: c.Version}
		main.Ops = nil
		for _, op := range c.Ops {
			if apart(op) {
				other.Ops = append(other.Ops, op)
			} else {
				main.Ops = append(main.Ops, op)
			}
		}
		if len(other.Ops) == 0 {
			return e.Commit(ctx, c)
		}
		if first {
			if v, err := e.Commit(ctx, &other); err != nil {
				return v, err
			}
			return e.Commit(ctx, &main)
		}
		v, err := e.Commit(ctx, &main)
		if err == nil {
			v, err = e.Commit(ctx, &other)
		}
		return v, err
	}
}

// without commits without the operations for which drop holds.
func without(drop func(op store.Op) bool) func(store.Engine, context.Context, *store.Commit) (store.Version, error) {
	return func(e store.Engine, ctx context.Context, c *store.Commit) (store.Version, error) {
		fewer := *c
		fewer.Ops = nil
		for _, op := range c.Ops {
			if !drop(op) {
				fewer.Ops = append(fewer.Ops, op)
			}
		}
		return e.Commit(ctx, &fewer)
	}
}

// workflowMutants are broken engines, as mutants are, of workflows and messages.
var workflowMutants = map[string]func() *mutant{
	"the step's record is written in a second commit": func() *mutant {
		return &mutant{commit: apart(false, func(op store.Op) bool { return part(op.Key) == "wf/step" })}
	},
	"the step's record is written in a commit before": func() *mutant {
		return &mutant{commit: apart(true, func(op store.Op) bool { return part(op.Key) == "wf/step" })}
	},
	"the step's record is not written": func() *mutant {
		return &mutant{commit: without(func(op store.Op) bool { return part(op.Key) == "wf/step" })}
	},
	"a message is sent in a commit before": func() *mutant {
		return &mutant{commit: apart(true, func(op store.Op) bool { return part(op.Key) == "out" && op.Kind != store.Clear })}
	},
	"a message is sent in a second commit": func() *mutant {
		return &mutant{commit: apart(false, func(op store.Op) bool { return part(op.Key) == "out" && op.Kind != store.Clear })}
	},
	"a message's row is cleared in a second commit": func() *mutant {
		return &mutant{commit: apart(false, func(op store.Op) bool { return part(op.Key) == "out" && op.Kind == store.Clear })}
	},
	"a timer is not in the due index": func() *mutant {
		return &mutant{commit: without(func(op store.Op) bool { return part(op.Key) == "due" && op.Kind == store.Set })}
	},
	"the state of a workflow is written in a second commit": func() *mutant {
		return &mutant{commit: apart(false, func(op store.Op) bool { return part(op.Key) == "wf/state" })}
	},
	"a signal is cleared in a commit before its step's record": func() *mutant {
		return &mutant{commit: apart(true, func(op store.Op) bool { return part(op.Key) == "wf/in" && op.Kind == store.Clear })}
	},
}

func TestSuitesCatchWorkflowMutants(t *testing.T) {
	for name, make := range workflowMutants {
		t.Run(name, func(t *testing.T) {
			opts := Options{Seed: 1, most: 1, wrap: func(e store.Engine) store.Engine {
				m := make()
				m.Engine = e
				return m
			}}
			runs, violations := crashWorkflows(t, New(t, newDesk, newTill), compiledDesk(), sale, opts)
			if len(violations) == 0 {
				t.Fatal("nothing tells this runtime from the real one")
			}
			t.Logf("caught in run %d: %.300s", runs, violations[0])
		})
	}
}
