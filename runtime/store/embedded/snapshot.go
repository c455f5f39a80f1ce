package embedded

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onefold/onefold/runtime/store"
)

// snapshot is the store at one version, shared by all who read there.
type snapshot struct {
	version store.Version
	at      *pebble.Snapshot
	held    time.Time // when ReadVersion last returned it
	holds   int       // ReadVersion less Release
	reads   int       // reads under way
	expired bool      // older than store.MaxAge; closed when the last read ends
}

// snapshots are the versions that can be read. The current one is always among
// them; others stay while they are held, for store.MaxAge at most.
type snapshots struct {
	mu        sync.Mutex
	byVersion map[store.Version]*snapshot
	current   *snapshot
	closed    bool
	idle      sync.WaitGroup // reads under way
	now       func() time.Time
}

// publish makes at, the store at version, the current snapshot.
func (s *snapshots) publish(version store.Version, at *pebble.Snapshot) {
	s.mu.Lock()
	last := s.current
	s.current = &snapshot{version: version, at: at}
	s.byVersion[version] = s.current
	unused := s.drop(last)
	s.mu.Unlock()
	closeSnapshot(unused)
}

// drop forgets snap if nobody can use it any more and returns what has to be
// closed, outside the lock.
func (s *snapshots) drop(snap *snapshot) *pebble.Snapshot {
	if snap == nil || snap == s.current || snap.reads > 0 {
		return nil
	}
	if snap.holds == 0 {
		delete(s.byVersion, snap.version)
	} else if !snap.expired {
		return nil
	}
	at := snap.at
	snap.at = nil
	return at
}

func closeSnapshot(at *pebble.Snapshot) {
	if at != nil {
		// It fails only if it was closed before.
		_ = at.Close()
	}
}

// hold returns the current version, held until release.
func (s *snapshots) hold() (store.Version, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, store.ErrClosed
	}
	s.current.holds++
	s.current.held = now
	s.current.expired = false
	return s.current.version, nil
}

// release undoes one hold.
func (s *snapshots) release(v store.Version) {
	s.mu.Lock()
	snap := s.byVersion[v]
	if snap == nil || snap.holds == 0 {
		s.mu.Unlock()
		return
	}
	snap.holds--
	unused := s.drop(snap)
	s.mu.Unlock()
	closeSnapshot(unused)
}

// acquire returns the snapshot of v for one read, which ends with done.
func (s *snapshots) acquire(v store.Version) (*snapshot, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, store.ErrClosed
	}
	snap := s.byVersion[v]
	if snap == nil || snap.holds == 0 || snap.tooOld(now) {
		return nil, store.ErrTooOld
	}
	snap.reads++
	s.idle.Add(1)
	return snap, nil
}

// tooOld reports whether snap, which is held, may not be read at any more.
func (snap *snapshot) tooOld(now time.Time) bool {
	if now.Sub(snap.held) > store.MaxAge {
		snap.expired = true
	}
	return snap.expired
}

// done ends a read.
func (s *snapshots) done(snap *snapshot) {
	s.mu.Lock()
	snap.reads--
	unused := s.drop(snap)
	s.mu.Unlock()
	closeSnapshot(unused)
	s.idle.Done()
}

// expired reports whether v is held but too old.
func (s *snapshots) expired(v store.Version) bool {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := s.byVersion[v]
	return snap != nil && snap.holds > 0 && snap.tooOld(now)
}

// reap closes the snapshots that are held for too long.
func (s *snapshots) reap() {
	now := s.now()
	var unused []*pebble.Snapshot
	s.mu.Lock()
	for _, snap := range s.byVersion {
		if snap.holds > 0 && snap.tooOld(now) {
			unused = append(unused, s.drop(snap))
		}
	}
	s.mu.Unlock()
	for _, at := range unused {
		closeSnapshot(at)
	}
}

// refuse lets no further read begin.
func (s *snapshots) refuse() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
}

// close waits for the reads under way and closes all snapshots.
func (s *snapshots) close() {
	s.refuse()
	s.idle.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, snap := range s.byVersion {
		closeSnapshot(snap.at)
		snap.at = nil
	}
}

// moveAnchor makes the present the engine's anchor: a snapshot that nobody reads
// and that is older than nearly all that are read. Whenever its oldest snapshot is
// closed pebble looks for compactions, which costs more than a commit: so it finds an
// older one.
func (e *Engine) moveAnchor() {
	last := e.anchor
	e.anchor = e.db.NewSnapshot()
	closeSnapshot(last)
}

// reapInterval is how often versions that are held for too long are closed, and
// the anchor moves.
const reapInterval = time.Second

func (e *Engine) runReaper() {
	defer e.stopped.Done()
	tick := time.NewTicker(reapInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.snapshots.reap()
			e.moveAnchor()
		case <-e.closing:
			return
		case <-e.failed:
			return
		}
	}
}

// Get returns the value of key at v.
func (e *Engine) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	if err := e.usable(ctx); err != nil {
		return nil, false, err
	}
	snap, err := e.snapshots.acquire(v)
	if err != nil {
		return nil, false, err
	}
	defer e.snapshots.done(snap)
	if len(key) == 0 || store.Compare(key, store.KeyEnd) >= 0 {
		return nil, false, nil
	}
	value, closer, err := snap.at.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer closer.Close()
	return append([]byte{}, value...), true, nil
}

// checkEvery is how many keys a range read takes between looks at its context.
const checkEvery = 1024

// Range returns the keys of r at v.
func (e *Engine) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	if err := e.usable(ctx); err != nil {
		return nil, false, err
	}
	snap, err := e.snapshots.acquire(v)
	if err != nil {
		return nil, false, err
	}
	defer e.snapshots.done(snap)
	if len(r.Begin) == 0 {
		r.Begin = store.KeyBegin // pebble does not take empty bounds
	}
	if store.Compare(r.End, store.KeyEnd) > 0 {
		r.End = store.KeyEnd
	}
	if store.Compare(r.Begin, r.End) >= 0 {
		return nil, false, nil
	}
	it, err := snap.at.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: r.Begin, UpperBound: r.End})
	if err != nil {
		return nil, false, err
	}
	kvs, more, err := collect(ctx, it, opts)
	if closeErr := it.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, false, err
	}
	return kvs, more, nil
}

// collect copies what the iterator yields, up to the limit.
func collect(ctx context.Context, it *pebble.Iterator, opts store.RangeOptions) ([]store.KV, bool, error) {
	var kvs []store.KV
	first, next := it.First, it.Next
	if opts.Reverse {
		first, next = it.Last, it.Prev
	}
	for ok := first(); ok; ok = next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, false, err
		}
		kvs = append(kvs, copyKV(it.Key(), value))
		if len(kvs) == opts.Limit {
			return kvs, true, nil
		}
		if len(kvs)%checkEvery == 0 && ctx.Err() != nil {
			return nil, false, context.Cause(ctx)
		}
	}
	return kvs, false, nil
}

// copyKV copies a key and its value, into one piece of memory.
func copyKV(key, value []byte) store.KV {
	n := len(key)
	b := make([]byte, n+len(value))
	copy(b, key)
	copy(b[n:], value)
	return store.KV{Key: b[:n:n], Value: b[n:]}
}
