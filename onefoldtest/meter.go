package onefoldtest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// meter counts what goes to an engine.
type meter struct {
	store.Engine
	*counters
	slow bool // reads and commits take one nanosecond, so that time counts those that wait for each other
}

// round takes the time of one round. A read version takes none: it may be asked for with a mutex
// held, and a virtual clock does not move while anybody waits for one.
func (m *meter) round() {
	if m.slow {
		time.Sleep(time.Nanosecond)
	}
}

// counters are what meters of one store count together.
type counters struct {
	records  []byte // the prefix of the records of requests
	versions atomic.Int64
	reads    atomic.Int64
	commits  atomic.Int64
	written  atomic.Int64 // records
	others   atomic.Int64 // operations that write something else
}

func newCounters(app *runtime.App) *counters { return &counters{records: recordsPrefix(app)} }

// recordsPrefix returns the beginning of the keys of an application's records.
func recordsPrefix(app *runtime.App) []byte {
	return tuple.AppendString(tuple.AppendString(nil, app.Name), "inv")
}

// ReadVersion implements store.Engine.
func (m *meter) ReadVersion(ctx context.Context) (store.Version, error) {
	m.versions.Add(1)
	return m.Engine.ReadVersion(ctx)
}

// Get implements store.Engine.
func (m *meter) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	m.reads.Add(1)
	m.round()
	return m.Engine.Get(ctx, v, key)
}

// Range implements store.Engine.
func (m *meter) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	m.reads.Add(1)
	m.round()
	return m.Engine.Range(ctx, v, r, opts)
}

// Commit implements store.Engine.
func (m *meter) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	m.commits.Add(1)
	m.round()
	for _, op := range c.Ops {
		if bytes.HasPrefix(op.Key, m.records) {
			m.written.Add(1)
		} else {
			m.others.Add(1)
		}
	}
	return m.Engine.Commit(ctx, c)
}

// Usage is what one request asked of the store, on all attempts at it.
type Usage struct {
	Versions int // read versions taken
	Reads    int // point and range reads
	Commits  int
	Records  int // written to make the request happen once
	Writes   int // all other operations committed
	Calls    int // between processes, if there are several
	Rounds   int // of all these at the store, those that waited for the one before; see Options.Rounds
}

// reset returns what was counted since the last reset.
func (m *counters) reset() Usage {
	take := func(n *atomic.Int64) int { return int(n.Swap(0)) }
	return Usage{Versions: take(&m.versions), Reads: take(&m.reads), Commits: take(&m.commits), Records: take(&m.written), Writes: take(&m.others)}
}

// check returns what is wrong with what a request used, "" if nothing. changed
// is whether it changed the state.
func (u Usage) check(kind runtime.Kind, req Request, reply Reply, changed bool) string {
	want := Usage{Versions: min(u.Versions, 1), Reads: u.Reads, Calls: u.Calls, Rounds: u.Rounds}
	switch {
	case kind != runtime.Atomic || reply.Replayed:
	case reply.Status == http.StatusOK && (changed || u.Writes > 0):
		want.Commits, want.Records, want.Writes = 1, 1, max(u.Writes, 1)
	case reply.Status == http.StatusOK && req.Key != "", reply.Type == invoke.TypeApplication && req.Key != "":
		want.Commits, want.Records = 1, 1
	}
	if u == want {
		return ""
	}
	return fmt.Sprintf("a request of a %s method with status %d, replayed %t, state changed %t used %+v, want %+v", kind, reply.Status, reply.Replayed, changed, u, want)
}
