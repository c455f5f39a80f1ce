package atomic

import (
	"context"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
)

// Tx is one attempt at a request, or one parallel branch of it: reads at one
// version, writes kept back until the commit, the instances of the services that
// take part and the live memory of their fields. It is not for concurrent use; the
// branches of a [Group] have one each.
//
// Methods that touch the store unwind the attempt if the store fails.
type Tx struct {
	attempt   *attempt
	overlay   *overlay.Overlay
	parent    *Tx // of a branch
	instances []instance
	tracked   []trackedField
	depth     int // savepoints open
	groups    []*group

	path  string   // of the branch, or of the call from another process, that tx is
	steps int      // calls to other processes and branches so far
	calls int      // to other processes, those that they made included
	left  []string // services that other processes went on with
}

// Context returns the context of the request, for the deadline of store operations.
func (tx *Tx) Context() context.Context { return tx.attempt.ctx }

// Prefix returns the key prefix of the application; do not modify it.
func (tx *Tx) Prefix() []byte { return tx.attempt.runner.prefix }

// Now returns the time by the runner's clock.
func (tx *Tx) Now() time.Time { return tx.attempt.runner.now() }

// Get returns the value of key, and whether it exists. The read is a conflict of the commit.
func (tx *Tx) Get(key []byte) ([]byte, bool) {
	tx.check()
	value, ok, err := tx.overlay.Get(tx.attempt.ctx, key)
	if err != nil {
		tx.Fail(err)
	}
	return value, ok
}

// Range returns the keys of r in order, up to the limit; more reports that there
// may be further ones. What it observed is a conflict of the commit.
func (tx *Tx) Range(r store.Range, opts store.RangeOptions) (kvs []store.KV, more bool) {
	tx.check()
	kvs, more, err := tx.overlay.Range(tx.attempt.ctx, r, opts)
	if err != nil {
		tx.Fail(err)
	}
	return kvs, more
}

// SnapshotRange is [Tx.Range] without a read conflict; the caller says by
// [Tx.Observe] what it made use of.
func (tx *Tx) SnapshotRange(r store.Range, opts store.RangeOptions) (kvs []store.KV, more bool) {
	tx.check()
	kvs, more, err := tx.overlay.SnapshotRange(tx.attempt.ctx, r, opts)
	if err != nil {
		tx.Fail(err)
	}
	return kvs, more
}

// Observe makes r a read conflict of the commit.
func (tx *Tx) Observe(r store.Range) {
	tx.check()
	tx.overlay.Observe(r)
}

// Set gives key a value.
func (tx *Tx) Set(key, value []byte) {
	tx.check()
	tx.overlay.Set(key, value)
}

// Clear removes key.
func (tx *Tx) Clear(key []byte) {
	tx.check()
	tx.overlay.Clear(key)
}

// ClearRange removes the keys of r.
func (tx *Tx) ClearRange(r store.Range) {
	tx.check()
	tx.overlay.ClearRange(r)
}

// Add adds delta to the 8-byte little-endian integer at key without reading it.
func (tx *Tx) Add(key []byte, delta int64) {
	tx.check()
	tx.overlay.Add(key, delta)
}

// SetStamped sets a key whose last store.StampSize bytes become the commit's versionstamp.
func (tx *Tx) SetStamped(key, value []byte) {
	tx.check()
	tx.overlay.SetStamped(key, value)
}

// Counts is what one attempt asked of the store. Where reads are network rounds,
// the record is looked for beside the first of them and not counted.
type Counts struct {
	Gets     int // point reads
	Ranges   int // range reads
	Versions int // read versions taken: 0 or 1
	Commits  int // 0 or 1
	Calls    int // to other processes, and from them to others
}

// Rounds returns the number of store rounds: each read waits for the one before
// it, except for what branches read side by side.
func (c Counts) Rounds() int { return c.Gets + c.Ranges + c.Versions + c.Commits }

// Counts returns what the attempt asked of the store so far, merged branches included.
func (tx *Tx) Counts() Counts {
	s := tx.overlay.Stats()
	return Counts{Gets: s.Gets, Ranges: s.Ranges, Versions: tx.attempt.versions(), Calls: tx.calls}
}
