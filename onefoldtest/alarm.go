package onefoldtest

import (
	"bytes"
	"context"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// alarm is the engine of a process: it tells when the process has crashed.
type alarm struct {
	store.Engine
	process *process
}

func (a *alarm) ring() {
	if a.process.engine.Crashed() {
		a.process.end()
	}
}

// ReadVersion implements store.Engine.
func (a *alarm) ReadVersion(ctx context.Context) (store.Version, error) {
	defer a.ring()
	return a.Engine.ReadVersion(ctx)
}

// Get implements store.Engine.
func (a *alarm) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	defer a.ring()
	return a.Engine.Get(ctx, v, key)
}

// Range implements store.Engine.
func (a *alarm) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	defer a.ring()
	return a.Engine.Range(ctx, v, r, opts)
}

// Commit implements store.Engine.
func (a *alarm) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	defer a.ring()
	return a.Engine.Commit(ctx, c)
}

// Settle implements store.Engine.
func (a *alarm) Settle(ctx context.Context, v store.Version) error {
	defer a.ring()
	return a.Engine.Settle(ctx, v)
}

// flowMeter counts the commits of workflows.
type flowMeter struct {
	store.Engine
	stage *stage
}

// Commit implements store.Engine.
func (m *flowMeter) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	v, err := m.Engine.Commit(ctx, c)
	if err != nil {
		return v, err
	}
	for id := range flowsIn(c, m.stage.compiled.Name) {
		m.stage.counting.Lock()
		m.stage.commits[id]++
		m.stage.counting.Unlock()
	}
	return v, nil
}

// flowsIn returns the ids of the workflows whose own commit c is: which writes their
// state or their log, and not just what was sent to them.
func flowsIn(c *store.Commit, app string) map[string]bool {
	prefix := tuple.AppendString(tuple.AppendString(nil, app), "wf")
	ids := map[string]bool{}
	for _, op := range c.Ops {
		rest, ok := bytes.CutPrefix(op.Key, prefix)
		if !ok || op.Kind == store.ClearRange {
			continue
		}
		id, rest, err := tuple.DecodeString(rest)
		if err != nil {
			continue
		}
		switch part, _, _ := tuple.DecodeString(rest); part {
		case "state", "step":
			ids[id] = true
		}
	}
	return ids
}
