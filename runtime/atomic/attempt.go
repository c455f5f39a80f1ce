package atomic

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
)

// attempt is what the root Tx of one attempt and its branches share. It is the
// engine of their overlays: reads go to the runner's engine at the attempt's
// version, which is taken at the first read.
type attempt struct {
	store.Engine
	ctx        context.Context
	runner     *Runner
	run        *run // nil for what the runner does of its own accord
	sequential bool // branches run one after the other
	stages     bool // Spill may commit: see Runner.Init
	caller     ID   // of the request of another process that this is a part of

	root      Tx
	instances [4]instance     // where root's begin
	tracked   [4]trackedField // where root's begin

	dead atomic.Pointer[unwinding] // why the attempt cannot commit any more

	held    atomic.Bool // version is taken
	mu      sync.Mutex
	asking  bool           // somebody takes the version
	asked   sync.Cond      // when that has ended
	refused error          // why there is no version
	records [][]byte       // keys of the request's record, if it is to be looked for
	ahead   []ahead        // what was read together with the version
	beside  []func()       // start what runs beside the body, once the version is there
	claimed chan bool      // whether other processes have claims for the key that the request lost
	looks   sync.WaitGroup // for claims and records, beside the body
	hints   [][]byte       // for the runner's watcher
	version store.Version
	lease   *lease
	own     lease     // where no other attempt has a part in lease
	taken   time.Time // when version was
}

// ahead is a key that was read together with the version.
type ahead struct {
	key []byte
	store.Found
}

// Get reads at the attempt's version.
func (a *attempt) Get(ctx context.Context, _ store.Version, key []byte) ([]byte, bool, error) {
	v, err := a.take(ctx, key, key)
	if err != nil {
		return nil, false, err
	}
	if found := a.readAhead(key); found.Read {
		return found.Value, found.OK, nil
	}
	return a.Engine.Get(ctx, v, key)
}

// readAhead returns what was read of key together with the version.
func (a *attempt) readAhead(key []byte) store.Found {
	for i := range a.ahead {
		if bytes.Equal(a.ahead[i].key, key) {
			return a.ahead[i].Found
		}
	}
	return store.Found{}
}

// Range reads at the attempt's version.
func (a *attempt) Range(ctx context.Context, _ store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	v, err := a.take(ctx, r.Begin)
	if err != nil {
		return nil, false, err
	}
	return a.Engine.Range(ctx, v, r, opts)
}

// take returns the attempt's read version. first is the key that it is to be used for;
// keys, and the request's record, are read with it, if that costs no round of its own.
func (a *attempt) take(ctx context.Context, first []byte, keys ...[]byte) (store.Version, error) {
	if a.held.Load() {
		return a.version, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.asking {
		a.asked.Wait()
	}
	if a.held.Load() {
		return a.version, nil
	}
	if a.refused != nil {
		return 0, a.refused
	}
	a.asking = true
	a.mu.Unlock()
	keys = append(keys, a.records...)
	lease, found, err := a.ask(ctx, first, keys)
	a.mu.Lock()
	a.asking = false
	a.asked.Broadcast()
	if err != nil {
		a.refused = err
		return 0, err
	}
	a.lease, a.version, a.taken = lease, lease.version, a.runner.now()
	for i := range found {
		a.ahead = append(a.ahead, ahead{bytes.Clone(keys[i]), found[i]})
	}
	a.held.Store(true)
	for _, start := range a.beside {
		start()
	}
	return a.version, nil
}

// whenHeld runs start as soon as the attempt has its version: whoever reads first
// in the body knows best what to wait for before.
func (a *attempt) whenHeld(start func()) {
	if a.held.Load() {
		start()
		return
	}
	a.beside = append(a.beside, start)
}

// ask asks for a read version, after the turns that the request has to wait for, and
// for what keys hold at it.
func (a *attempt) ask(ctx context.Context, first []byte, keys [][]byte) (*lease, []store.Found, error) {
	if a.run != nil {
		if err := a.run.wait(ctx, first); err != nil {
			return nil, nil, err
		}
	}
	return a.runner.versions.take(ctx, &a.own, keys)
}

// end makes the attempt unusable and gives its read version back. No branch may
// be running.
func (a *attempt) end() {
	a.dead.CompareAndSwap(nil, ended)
	a.looks.Wait()
	a.release()
}

// release gives the read version back.
func (a *attempt) release() {
	if a.held.Load() && a.lease != nil {
		a.lease.release()
	}
}

// kept is the read version of an attempt that starts again only because its
// branches must run in program order: the next one goes on with it.
type kept struct {
	lease *lease
	taken time.Time
}

// from takes over a's version, if it has one.
func (k *kept) from(a *attempt) {
	if a.held.Load() {
		k.lease, k.taken, a.lease = a.lease, a.taken, nil
	}
}

// to gives the version to a.
func (k *kept) to(a *attempt) {
	if k.lease != nil {
		a.lease, a.version, a.taken = k.lease, k.lease.version, k.taken
		a.held.Store(true)
		k.lease = nil
	}
}

// release gives the version back if no attempt took it.
func (k *kept) release() {
	if k.lease != nil {
		k.lease.release()
	}
}

// free has a later attempt use the overlay's memory, unless this one unwound:
// then nobody knows how far the request's body got. It has ended.
func (a *attempt) free() {
	if a.dead.Load() == ended {
		a.root.overlay.Free()
		a.root.overlay = nil
	}
}

// begin makes an attempt at something that the runner does of its own accord.
func (r *Runner) begin(ctx context.Context) *attempt {
	a := new(attempt)
	r.setUp(ctx, a)
	a.root.overlay = overlay.New(a, 0)
	return a
}

// setUp makes a an attempt, but for its overlay.
func (r *Runner) setUp(ctx context.Context, a *attempt) {
	a.Engine, a.ctx, a.runner = r.engine, ctx, r
	a.asked.L = &a.mu
	a.root.attempt = a
	a.root.instances, a.root.tracked = a.instances[:0], a.tracked[:0]
}

// begin makes the next attempt of a request.
func (r *run) begin(ctx context.Context) *attempt {
	a := &r.first
	if a.runner != nil { // it was used
		a = new(attempt)
	}
	r.Runner.setUp(ctx, a)
	a.run = r
	r.kept.to(a)
	a.sequential = r.sequential || r.opts.Sequential
	switch {
	case r.guest != nil:
		b := r.guest.batch
		a.root.overlay, a.version, a.taken = r.guest.fork, b.version, b.taken
		a.held.Store(true)
	case r.req.ReadOnly:
		a.root.overlay = overlay.NewReader(a, 0)
	default:
		a.root.overlay = overlay.New(a, 0)
	}
	return a
}

// commit asks the engine to commit c.
func (a *attempt) commit(ctx context.Context, c *store.Commit) (err error) {
	if c.Version, err = a.take(ctx, nil); err != nil {
		return err
	}
	a.runner.stats.commits.Add(1)
	_, err = a.Engine.Commit(ctx, c)
	return err
}

// settle waits until what the attempt read is durable.
func (a *attempt) settle(ctx context.Context) error {
	if !a.held.Load() {
		return nil
	}
	return a.Engine.Settle(ctx, a.version)
}

// age returns how long the attempt has had its read version.
func (a *attempt) age() time.Duration {
	if !a.held.Load() {
		return 0
	}
	return a.runner.now().Sub(a.taken)
}

func (a *attempt) versions() int {
	if a.held.Load() {
		return 1
	}
	return 0
}
