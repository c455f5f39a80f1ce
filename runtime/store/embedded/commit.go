package embedded

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onefold/onefold/runtime/store"
)

// Limits of one group of commits and of the groups that wait for the disk.
const (
	maxGroupBytes = 4 << 20 // beyond this a group takes no further commit
	maxInFlight   = 64
)

// request is one commit on its way.
type request struct {
	commit  *store.Commit // not looked at unless taken, nor once the group is built
	applied func()        // of the commit
	size    int
	adds    bool // the commit has an addition
	state   atomic.Int32
	group   *group // set before state becomes taken
	version store.Version
	done    chan result
}

func newRequest() any { return &request{done: make(chan result, 1)} }

// What has become of a request.
const (
	queued int32 = iota
	taken        // by the committer
	withdrawn
)

type result struct {
	version store.Version
	err     error
}

// group is the commits that are applied as one batch.
type group struct {
	batch    *pebble.Batch
	accepted []*request
	built    sync.WaitGroup // done when the requests' slices are read no more
}

// queue holds the requests that the committer has not taken.
type queue struct {
	mu       sync.Mutex
	requests []*request
	closed   bool
	wake     chan struct{} // has a token if there may be requests
}

// put adds a request; it reports false if the queue is closed.
func (q *queue) put(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.requests = append(q.requests, r)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// take removes as many requests as fit one group.
func (q *queue) take() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for n < len(q.requests) && (n == 0 || size+q.requests[n].size <= maxGroupBytes) {
		size += q.requests[n].size
		n++
	}
	group := q.requests[:n:n]
	q.requests = q.requests[n:]
	if len(q.requests) == 0 {
		q.requests = nil
	}
	return group
}

// close lets no further request in; it reports false if it was closed before.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := q.closed
	q.closed = true
	return !was
}

// Commit applies c and returns when it is on disk.
func (e *Engine) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	if err := e.usable(ctx); err != nil {
		return 0, err
	}
	if err := c.Check(); err != nil {
		return 0, err
	}
	if len(c.Ops) == 0 {
		return c.Version, nil
	}
	r := e.pool.Get().(*request)
	r.commit, r.applied, r.size, r.adds = c, c.Applied, c.Size(), hasAdd(c.Ops)
	r.state.Store(queued)
	if !e.queue.put(r) {
		return 0, store.ErrClosed
	}
	select {
	case res := <-r.done:
		r.commit, r.applied, r.group = nil, nil, nil
		e.pool.Put(r) // whoever sent the result was done with it
		return res.version, res.err
	case <-ctx.Done():
		return e.withdraw(r, context.Cause(ctx))
	case <-e.failed:
		return e.withdraw(r, e.err())
	}
}

// withdraw gives up waiting for r because of cause.
func (e *Engine) withdraw(r *request, cause error) (store.Version, error) {
	if r.state.CompareAndSwap(queued, withdrawn) {
		return 0, cause
	}
	r.group.built.Wait()
	select {
	case res := <-r.done:
		return res.version, res.err
	default:
		return 0, fmt.Errorf("%w: %w", store.ErrUnknown, cause)
	}
}

// runCommitter validates and applies what is queued until the engine closes.
func (e *Engine) runCommitter() {
	defer e.stopped.Done()
	defer close(e.acks)
	for {
		select {
		case <-e.queue.wake:
			e.commitQueued()
		case <-e.closing:
			e.commitQueued()
			return
		case <-e.failed:
			return
		}
	}
}

// commitQueued commits group after group until nothing is queued.
func (e *Engine) commitQueued() {
	// Pebble panics where its log cannot be written.
	defer func() {
		if r := recover(); r != nil {
			e.wedged.Store(true)
			e.fail(asError(r))
		}
	}()
	for {
		requests := e.queue.take()
		if len(requests) == 0 || e.failure.Load() != nil {
			return
		}
		e.commitGroup(requests)
	}
}

func asError(r any) error {
	if err, ok := r.(error); ok {
		return err
	}
	return fmt.Errorf("%v", r)
}

// commitGroup validates requests and applies those that pass as one batch,
// which is readable from then on and acknowledged once it is on disk.
func (e *Engine) commitGroup(requests []*request) {
	g := e.buildGroup(requests)
	if len(g.accepted) == 0 {
		g.batch.Close()
		return
	}
	if err := e.applyGroup(g); err != nil {
		e.fail(err)
		return
	}
	e.snapshots.publish(e.version, e.db.NewSnapshot())
	for _, r := range g.accepted {
		if r.applied != nil {
			r.applied()
		}
	}
	e.recent.expire(e.opts.Now())
	select {
	case e.acks <- g:
	case <-e.failed:
	}
}

// buildGroup validates requests in order and collects the operations of those
// that pass.
func (e *Engine) buildGroup(requests []*request) *group {
	g := &group{batch: e.newBatch(requests), accepted: requests[:0]}
	g.built.Add(1)
	defer g.built.Done()
	for _, r := range requests {
		r.group = g
		if !r.state.CompareAndSwap(queued, taken) {
			continue
		}
		if err := e.validate(r); err != nil {
			r.done <- result{err: err}
			continue
		}
		e.version++
		if err := e.write(g.batch, r.commit.Ops); err != nil {
			// The batch holds a part of the commit: it must not be applied.
			e.fail(err)
			g.accepted = nil
			return g
		}
		r.version = e.version
		g.accepted = append(g.accepted, r)
	}
	return g
}

// newBatch returns a batch for the requests: one that can be read where an
// addition may need to see what was written before it.
func (e *Engine) newBatch(requests []*request) *pebble.Batch {
	for _, r := range requests {
		if r.adds {
			return e.db.NewIndexedBatch()
		}
	}
	return e.db.NewBatch()
}

func hasAdd(ops []store.Op) bool {
	for i := range ops {
		if ops[i].Kind == store.Add {
			return true
		}
	}
	return false
}

// validate reports why a commit cannot be applied, if so.
func (e *Engine) validate(r *request) error {
	c := r.commit
	if err := e.disk.check(r.size); err != nil {
		return err
	}
	if len(c.Reads) == 0 {
		return nil
	}
	switch {
	case c.Version > e.version:
		return fmt.Errorf("embedded: read version %d is not of this store", c.Version)
	case c.Version < e.recent.floor || e.snapshots.expired(c.Version):
		return store.ErrTooOld
	}
	for _, read := range c.Reads {
		if e.recent.overlaps(read, c.Version) {
			return &store.ConflictError{Range: read}
		}
	}
	return nil
}

// write adds the operations of the commit at e.version to the batch and to the
// recent writes.
func (e *Engine) write(batch *pebble.Batch, ops []store.Op) error {
	stamps := uint16(0)
	for i := range ops {
		op := &ops[i]
		key := op.Key
		var err error
		switch op.Kind {
		case store.Set:
			err = batch.Set(key, op.Value, nil)
		case store.Clear:
			err = batch.Delete(key, nil)
		case store.ClearRange:
			err = e.clearRange(batch, store.Range{Begin: key, End: op.Value})
		case store.Add:
			err = add(batch, key, op.Value)
		case store.SetStamped:
			key = stamped(key, e.version, stamps)
			stamps++
			err = batch.Set(key, op.Value, nil)
		case store.Touch:
			err = batch.LogData(nil, nil) // so that the batch is not empty
		}
		if err != nil {
			return err
		}
		if op.Kind != store.ClearRange {
			e.recent.addPoint(key, e.version)
		}
	}
	return nil
}

// clearRange adds a range clear of the commit at e.version to the batch and to
// the recent writes.
func (e *Engine) clearRange(batch *pebble.Batch, r store.Range) error {
	if len(r.Begin) == 0 {
		r.Begin = store.KeyBegin // pebble does not take empty bounds
	}
	if store.Compare(r.Begin, r.End) >= 0 {
		return nil
	}
	e.recent.addRange(r, e.version)
	return batch.DeleteRange(r.Begin, r.End, nil)
}

// add resolves an addition against the value before it.
func add(batch *pebble.Batch, key, operand []byte) error {
	old, closer, err := batch.Get(key)
	if err == pebble.ErrNotFound {
		return batch.Set(key, operand, nil)
	}
	if err != nil {
		return err
	}
	sum := store.AddLittleEndian(old, operand)
	if err := closer.Close(); err != nil {
		return err
	}
	return batch.Set(key, sum, nil)
}

// stamped returns key with its last bytes replaced by the versionstamp.
func stamped(key []byte, v store.Version, index uint16) []byte {
	prefix := key[:len(key)-store.StampSize]
	key = append(make([]byte, 0, len(key)), prefix...)
	key = binary.BigEndian.AppendUint64(key, uint64(v))
	key = append(key, 0, 0)
	return binary.BigEndian.AppendUint16(key, index)
}

// applyGroup makes the group's writes readable and has them written to disk.
func (e *Engine) applyGroup(g *group) error {
	if e.version > e.reserved {
		e.reserved = e.version + versionBlock
		if err := g.batch.Set(versionKey, binary.BigEndian.AppendUint64(nil, uint64(e.reserved)), nil); err != nil {
			return err
		}
	}
	if e.opts.NoSync {
		return e.db.Apply(g.batch, pebble.NoSync)
	}
	return e.db.ApplyNoSyncWait(g.batch, pebble.Sync)
}

// runAcknowledger answers the commits whose group is on disk.
func (e *Engine) runAcknowledger() {
	defer e.stopped.Done()
	for g := range e.acks {
		if !e.opts.NoSync {
			if err := g.batch.SyncWait(); err != nil {
				e.fail(err)
				return
			}
		}
		e.durable.advance(g.accepted[len(g.accepted)-1].version)
		for _, r := range g.accepted {
			r.done <- result{version: r.version}
		}
		g.batch.Close()
	}
}
