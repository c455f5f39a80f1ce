package atomic

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// Options configure a [Runner]; the zero value works.
type Options struct {
	// App is the first element of every key. Default "app".
	App string
	// Now is the clock that ids, retention and [Tx.Now] go by. Default time.Now.
	Now func() time.Time
	// Retention is how long replies are kept. Default 24 hours.
	Retention time.Duration
	// Rand draws a number from 0 up to n, without n: pauses between attempts, ids.
	// Default rand.Int64N.
	Rand func(n int64) int64
	// Attempts is the most attempts made for one delivery. Default 100.
	Attempts int
	// Timeout is the most time spent on one delivery, waiting included. Default 10 s.
	Timeout time.Duration
	// Remote says that a read of the engine is a network round: the record is then
	// read beside the method's first read, and read versions are shared.
	Remote bool
	// Elsewhere is the way to services that this process does not host. Default: it hosts all.
	Elsewhere Elsewhere
	// Sequential runs the branches of every group one after the other.
	Sequential bool
	// StrictAliases fails requests that leave slices or maps with common memory in
	// two persistent places, as those that leave an object in two always fail.
	StrictAliases bool
}

// A Runner runs requests against one engine. It is safe for concurrent use.
type Runner struct {
	engine   store.Engine
	opts     Options
	prefix   []byte // of every key
	records  []byte // prefix of the records
	versions versions
	queue    queue
	stats    counters
	inOrder  sequences
	watcher  atomic.Pointer[func(hint []byte)]
}

// NewRunner returns a Runner over engine.
func NewRunner(engine store.Engine, opts Options) *Runner {
	opts.App = cmp.Or(opts.App, "app")
	opts.Retention = cmp.Or(opts.Retention, 24*time.Hour)
	opts.Attempts = cmp.Or(opts.Attempts, 100)
	opts.Timeout = cmp.Or(opts.Timeout, 10*time.Second)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Rand == nil {
		opts.Rand = rand.Int64N
	}
	prefix := tuple.AppendString(nil, opts.App)
	return &Runner{
		engine:   engine,
		opts:     opts,
		prefix:   prefix[:len(prefix):len(prefix)],
		records:  tuple.AppendString(prefix[:len(prefix):len(prefix)], "inv"),
		versions: versions{engine: engine, share: opts.Remote},
		queue:    queue{rand: opts.Rand},
	}
}

// Rand returns a random number below n.
func (r *Runner) Rand(n int64) int64 { return r.opts.Rand(n) }

// Rand returns a random number below n.
func (tx *Tx) Rand(n int64) int64 { return tx.attempt.runner.opts.Rand(n) }

func (r *Runner) now() time.Time { return r.opts.Now() }

// Run makes attempts at req until its outcome is known. An application error is
// part of the reply; an error is one of those that this package defines, the
// context's, or wraps one of the store's.
func (r *Runner) Run(ctx context.Context, req Request, fn Func) (Reply, error) {
	r.stats.requests.Add(1)
	if err := r.admit(&req); err != nil {
		return Reply{}, err
	}
	run := run{Runner: r, req: req, fn: fn, sequential: r.inOrder.applies(req.MethodHash)}
	run.ticket.queue = &r.queue
	defer run.dropClaim(ctx)
	defer run.ticket.release()
	reply, err := run.attempts(ctx)
	if reply.Replayed {
		r.stats.replayed.Add(1)
	}
	return reply, err
}

// Read runs fn as a request that only reads and keeps no record, for tests and
// tools. What fn writes is dropped.
func (r *Runner) Read(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	errRollback := errors.New("rollback")
	var appErr error
	_, err := r.Run(ctx, Request{ReadOnly: true, Fresh: true, Method: "read"}, func(ctx context.Context, tx *Tx) ([]byte, error) {
		appErr = fn(ctx, tx)
		return nil, errRollback
	})
	return cmp.Or(err, appErr)
}
