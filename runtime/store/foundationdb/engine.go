//go:build foundationdb

package foundationdb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/onefold/onefold/runtime/store"
)

// apiVersion is the version of FoundationDB's interface that the engine is
// written for.
const apiVersion = 730

// Engine is a store on a FoundationDB cluster.
type Engine struct {
	db       fdb.Database
	opts     Options
	versions versions
	readers  readers

	mu     sync.Mutex
	closed bool
	busy   sync.WaitGroup // operations under way
}

var _ store.Engine = (*Engine)(nil)

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return o
}

// Open connects to the cluster. The engines of a process that name the same
// cluster file share one connection.
func Open(ctx context.Context, opts Options) (store.Engine, error) {
	opts = opts.withDefaults()
	db, err := handles.acquire(opts.ClusterFile)
	if err != nil {
		return nil, fmt.Errorf("foundationdb: open cluster file %q: %w", opts.ClusterFile, err)
	}
	e := &Engine{db: db, opts: opts}
	e.readers.byVersion = map[store.Version]*reader{}
	// The client refuses to read at a version below every one that it was given
	// itself; before the first, that is any. A process that is only ever handed
	// the versions of others has to ask once.
	if err := e.reach(ctx); err != nil {
		handles.release(opts.ClusterFile)
		return nil, fmt.Errorf("foundationdb: reach the cluster of %q: %w", opts.ClusterFile, err)
	}
	return e, nil
}

// reach asks for a read version until the cluster gives one: a process may start while
// the cluster is busy or lags behind.
func (e *Engine) reach(ctx context.Context) error {
	begun := time.Now()
	for {
		_, err := e.askVersion(ctx)
		if !errors.Is(err, store.ErrTooOld) || time.Since(begun) > e.opts.Timeout {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Settle returns at once: what FoundationDB lets anyone read is durable.
func (e *Engine) Settle(ctx context.Context, _ store.Version) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	e.busy.Done()
	return nil
}

// Close waits for the operations under way and gives up the connection.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return store.ErrClosed
	}
	e.closed = true
	e.mu.Unlock()
	e.busy.Wait()
	e.readers.clear()
	handles.release(e.opts.ClusterFile)
	return nil
}

// begin starts an operation, which ends with e.busy.Done.
func (e *Engine) begin(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return store.ErrClosed
	}
	e.busy.Add(1)
	return nil
}

// transaction returns a transaction that sees no writes of its own, at version
// v unless that is 0.
func (e *Engine) transaction(v store.Version) (fdb.Transaction, error) {
	if v > math.MaxInt64 {
		return fdb.Transaction{}, fmt.Errorf("foundationdb: read version %d is not of this store", v)
	}
	tr, err := e.db.CreateTransaction()
	if err != nil {
		return fdb.Transaction{}, err
	}
	if err := tr.Options().SetReadYourWritesDisable(); err != nil {
		return fdb.Transaction{}, err
	}
	// 0 would be none.
	if err := tr.Options().SetTimeout(max(e.opts.Timeout.Milliseconds(), 1)); err != nil {
		return fdb.Transaction{}, err
	}
	if v != 0 {
		tr.SetReadVersion(int64(v))
	}
	return tr, nil
}

// handles are the connections of this process.
var handles = registry{open: map[string]*handle{}}

// registry shares one connection per cluster file. The binding has such a table
// too, but neither locks it nor counts its users.
type registry struct {
	mu   sync.Mutex
	open map[string]*handle
}

type handle struct {
	db    fdb.Database
	users int
}

// acquire returns the connection for a cluster file, for as long as release is
// not called.
func (r *registry) acquire(clusterFile string) (fdb.Database, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.open[clusterFile]
	if h == nil {
		if err := fdb.APIVersion(apiVersion); err != nil {
			return fdb.Database{}, err
		}
		db, err := fdb.OpenDatabase(clusterFile)
		if err != nil {
			return fdb.Database{}, err
		}
		if err := db.Options().SetTransactionSizeLimit(store.MaxCommitSize); err != nil {
			db.Close()
			return fdb.Database{}, err
		}
		h = &handle{db: db}
		r.open[clusterFile] = h
	}
	h.users++
	return h.db, nil
}

// release gives up the use of a connection; the last one closes it.
func (r *registry) release(clusterFile string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.open[clusterFile]
	h.users--
	if h.users == 0 {
		delete(r.open, clusterFile)
		h.db.Close()
	}
}
