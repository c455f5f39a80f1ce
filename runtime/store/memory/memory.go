// Package memory is a store engine that forgets everything when it is closed. It
// has no goroutines and no timers, so that in a testing/synctest bubble virtual
// time passes as fast as the program under test lets it.
package memory

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/RaduBerinde/btreemap"

	"github.com/onefold/onefold/runtime/store"
)

// tree is the keys at one version. Copying it costs nothing until one copy changes.
type tree = btreemap.BTreeMap[[]byte, []byte]

// degree of the tree's nodes.
const degree = 16

// Engine is a store in memory.
type Engine struct {
	mu      sync.Mutex
	closed  bool
	version store.Version
	tree    *tree
	held    map[store.Version]*snapshot
	recent  []writes // of commits after the oldest version that can be read
}

// snapshot is a version that somebody holds.
type snapshot struct {
	tree    *tree
	holders int
	since   time.Time
}

// writes is what one commit wrote.
type writes struct {
	version store.Version
	ranges  []store.Range
}

// New returns an empty store.
func New() *Engine {
	return &Engine{version: 1, tree: btreemap.New[[]byte, []byte](degree, bytes.Compare), held: map[store.Version]*snapshot{}}
}

// usable returns why the engine cannot be used. The lock is held.
func (e *Engine) usable(ctx context.Context) error {
	if e.closed {
		return store.ErrClosed
	}
	return ctx.Err()
}

// ReadVersion returns the newest version.
func (e *Engine) ReadVersion(ctx context.Context) (store.Version, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.usable(ctx); err != nil {
		return 0, err
	}
	s := e.held[e.version]
	if s == nil {
		s = &snapshot{tree: e.tree.Clone()}
		e.held[e.version] = s
	}
	s.holders++
	s.since = time.Now()
	return e.version, nil
}

// Release gives back a version that ReadVersion returned.
func (e *Engine) Release(v store.Version) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.held[v]
	if s == nil {
		return
	}
	if s.holders--; s.holders == 0 {
		delete(e.held, v)
	}
}

// at returns the keys at v.
func (e *Engine) at(ctx context.Context, v store.Version) (*tree, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.usable(ctx); err != nil {
		return nil, err
	}
	s := e.held[v]
	if s == nil || time.Since(s.since) > store.MaxAge {
		return nil, store.ErrTooOld
	}
	return s.tree, nil
}

// Get returns the value of key at v.
func (e *Engine) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	t, err := e.at(ctx, v)
	if err != nil {
		return nil, false, err
	}
	_, value, ok := t.Get(key)
	return bytes.Clone(value), ok, nil
}

// Range returns the keys of r at v.
func (e *Engine) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) (kvs []store.KV, more bool, err error) {
	t, err := e.at(ctx, v)
	if err != nil || bytes.Compare(r.Begin, r.End) >= 0 {
		return nil, false, err
	}
	take := func(key, value []byte) bool {
		kvs = append(kvs, store.KV{Key: bytes.Clone(key), Value: bytes.Clone(value)})
		more = opts.Limit > 0 && len(kvs) == opts.Limit
		return !more
	}
	if !opts.Reverse {
		t.AscendFunc(btreemap.GE(r.Begin), btreemap.LT(r.End), take)
		return kvs, more, nil
	}
	t.DescendFunc(btreemap.LT(r.End), btreemap.GE(r.Begin), take)
	return kvs, more, nil
}

// Commit applies c.
func (e *Engine) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	if err := c.Check(); err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.usable(ctx); err != nil {
		return 0, err
	}
	if len(c.Ops) == 0 {
		return c.Version, nil
	}
	if err := e.validate(c); err != nil {
		return 0, err
	}
	e.version++
	w := writes{version: e.version}
	stamps := 0
	for i := range c.Ops {
		w.ranges = append(w.ranges, e.apply(&c.Ops[i], &stamps))
	}
	e.recent = append(e.recent, w)
	e.trim()
	if c.Applied != nil {
		c.Applied()
	}
	return e.version, nil
}

// validate returns why c cannot be committed.
func (e *Engine) validate(c *store.Commit) error {
	if len(c.Reads) == 0 {
		return nil
	}
	s := e.held[c.Version]
	if s == nil && c.Version != e.version || s != nil && time.Since(s.since) > store.MaxAge {
		return store.ErrTooOld
	}
	for _, w := range e.recent {
		if w.version <= c.Version {
			continue
		}
		for _, written := range w.ranges {
			for _, read := range c.Reads {
				if overlap(written, read) {
					return &store.ConflictError{Range: read}
				}
			}
		}
	}
	return nil
}

// overlap reports whether there can be a key in both ranges.
func overlap(a, b store.Range) bool {
	begin, end := store.KeyBegin, a.End
	for _, from := range [][]byte{a.Begin, b.Begin} {
		if bytes.Compare(from, begin) > 0 {
			begin = from
		}
	}
	if bytes.Compare(b.End, end) < 0 {
		end = b.End
	}
	return bytes.Compare(begin, end) < 0
}

// trim forgets what no version that is held needs to be compared with.
func (e *Engine) trim() {
	oldest := e.version
	for v, s := range e.held {
		if time.Since(s.since) <= store.MaxAge {
			oldest = min(oldest, v)
		}
	}
	n := 0
	for n < len(e.recent) && e.recent[n].version <= oldest {
		n++
	}
	e.recent = e.recent[n:]
}

// apply makes one operation, and returns what it wrote.
func (e *Engine) apply(op *store.Op, stamps *int) store.Range {
	key := bytes.Clone(op.Key)
	switch op.Kind {
	case store.Set:
		e.tree.ReplaceOrInsert(key, bytes.Clone(op.Value))
	case store.Clear:
		e.tree.Delete(key)
	case store.ClearRange:
		return e.clear(store.Range{Begin: key, End: bytes.Clone(op.Value)})
	case store.Add:
		_, old, _ := e.tree.Get(key)
		e.tree.ReplaceOrInsert(key, store.AddLittleEndian(old, op.Value))
	case store.SetStamped:
		stamp := key[len(key)-store.StampSize:]
		binary.BigEndian.PutUint64(stamp, uint64(e.version))
		binary.BigEndian.PutUint16(stamp[8:], 0)
		binary.BigEndian.PutUint16(stamp[10:], uint16(*stamps))
		*stamps++
		e.tree.ReplaceOrInsert(key, bytes.Clone(op.Value))
	}
	return store.Point(key)
}

func (e *Engine) clear(r store.Range) store.Range {
	if bytes.Compare(r.Begin, r.End) >= 0 {
		return store.Range{}
	}
	var gone [][]byte
	e.tree.AscendFunc(btreemap.GE(r.Begin), btreemap.LT(r.End), func(key, _ []byte) bool {
		gone = append(gone, key)
		return true
	})
	for _, key := range gone {
		e.tree.Delete(key)
	}
	return r
}

// Settle returns at once: nothing is more durable than the rest.
func (e *Engine) Settle(ctx context.Context, _ store.Version) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.usable(ctx)
}

// Close ends the store.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return store.ErrClosed
	}
	e.closed = true
	return nil
}
