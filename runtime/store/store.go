// Package store is the narrow engine interface under onefold's runtime,
// modelled on FoundationDB: an explicit read version that several processes can
// share, reads at that version, and one optimistic commit.
//
// Keys order as bytes. Everything above this package works with any engine; one
// conformance suite (package storetest) runs over all of them.
package store

import (
	"context"
	"errors"
)

// Limits hold for every engine, so that a program that works on the embedded
// store works on FoundationDB. Larger values are chunked above the engine.
const (
	MaxKeySize    = 10_000        // bytes
	MaxValueSize  = 100_000       // bytes
	MaxCommitSize = 10_000_000    // bytes of keys and values in one commit, conflict ranges included
	MaxAge        = 5_000_000_000 // nanoseconds a read version stays usable
)

// Version orders commits. A read at version v sees exactly the commits with
// versions up to and including v.
type Version uint64

// KV is one key with its value.
type KV struct {
	Key, Value []byte
}

// Range is the half-open interval of keys Begin ≤ k < End.
type Range struct {
	Begin, End []byte
}

// Point returns the range that holds key alone.
func Point(key []byte) Range {
	end := make([]byte, len(key)+1)
	copy(end, key)
	return Range{Begin: end[:len(key):len(key)], End: end}
}

// OpKind names what an Op does.
type OpKind uint8

// The operations of a commit.
const (
	Set        OpKind = iota + 1 // Key ← Value
	Clear                        // remove Key
	ClearRange                   // remove Key ≤ k < Value
	Add                          // Key ← Key + Value (8 bytes), see AddLittleEndian; an absent key counts as 0
	SetStamped                   // Key, its last StampSize bytes replaced by the versionstamp, ← Value
	Touch                        // changes nothing, but counts as a write of Key for those who have read it
)

// StampSize is the length of the versionstamp that SetStamped writes, that of
// FoundationDB's tuple layer: 10 bytes that order commits (the version, 8 bytes
// big-endian, and 2 bytes that tell apart commits of one version), then 2 bytes
// big-endian that count the SetStamped operations of the commit from 0.
const StampSize = 12

// Op is one write of a commit. Ops apply in order.
type Op struct {
	Kind  OpKind
	Key   []byte
	Value []byte
}

// Commit is everything one transaction asks of the engine.
type Commit struct {
	// Version is the version all reads were made at.
	Version Version
	// Reads are the read conflict ranges: the commit fails if any key in them
	// was written by a commit after Version.
	Reads []Range
	// Ops are the writes, in order. A commit without Ops does nothing.
	Ops []Op
	// Applied, if not nil, may be called once, from any goroutine, when new read
	// versions include the commit, which may be before it is durable. It is a hint
	// to who waits for the keys written; engines that cannot tell never call it. It must not block.
	Applied func()
}

// RangeOptions bound a range read.
type RangeOptions struct {
	Limit   int  // keys at most; 0 is no limit
	Reverse bool // from the end of the range
}

// Engine is a transactional ordered key-value store. All methods are safe for
// concurrent use. Byte slices that an engine returns are the caller's to keep;
// slices that a caller hands in are not kept after the call returns.
type Engine interface {
	// ReadVersion returns a version that includes every commit acknowledged
	// before the call. Each successful call is paired with one Release.
	ReadVersion(ctx context.Context) (Version, error)
	// Release says that the caller reads no more at v. A version that nobody
	// holds may become too old at once; a held one does after MaxAge.
	Release(v Version)
	// Get returns the value of key at v; ok reports whether it exists.
	Get(ctx context.Context, v Version, key []byte) (value []byte, ok bool, err error)
	// Range returns the keys of r at v in order, up to the limit; more reports
	// that the limit was reached, so that there may be further keys.
	Range(ctx context.Context, v Version, r Range, opts RangeOptions) (kvs []KV, more bool, err error)
	// Commit applies c atomically and durably, strictly serialisably after its
	// read version, and returns the version it got. Its error is ErrConflict,
	// ErrUnknown, ErrTooOld, ErrTooLarge, ErrFull, ErrClosed, or one that wraps the
	// environment's; only after ErrUnknown may the commit have happened, or
	// happen yet.
	Commit(ctx context.Context, c *Commit) (Version, error)
	// Settle waits until everything readable at v is durable. A transaction
	// that only read calls it before it lets anything it saw out. Engines whose
	// read versions never run ahead of durability return at once.
	Settle(ctx context.Context, v Version) error
	// Close releases the engine's resources after the operations under way.
	Close() error
}

// An Opener is an engine that is far away, and reads keys in the same round in which
// it takes a version.
type Opener interface {
	// Open is ReadVersion, and Get at that version of each of keys. It may leave
	// keys out.
	Open(ctx context.Context, keys [][]byte) (Version, []Found, error)
}

// Found is what Open read of a key.
type Found struct {
	Value []byte
	OK    bool // the key exists
	Read  bool // false if the key was left out
}

// Errors of engines. Compare with errors.Is.
var (
	// ErrConflict: a read conflict range was written meanwhile; nothing was
	// committed. See ConflictError for the key.
	ErrConflict = errors.New("store: conflict")
	// ErrUnknown: the commit may or may not have happened, or may happen yet.
	ErrUnknown = errors.New("store: commit result unknown")
	// ErrTooOld: the read version is older than MaxAge; nothing was committed.
	ErrTooOld = errors.New("store: read version too old")
	// ErrTooLarge: a key, a value or the commit is over the limits; nothing was committed.
	ErrTooLarge = errors.New("store: transaction too large")
	// ErrFull: the disk has no room for the commit; nothing was committed.
	ErrFull = errors.New("store: no space left")
	// ErrClosed: the engine is closed; nothing was committed.
	ErrClosed = errors.New("store: closed")
)

// ConflictError is an ErrConflict that knows a range that was lost. Engines
// that can tell return it; callers use it only to be fair, never to be right.
type ConflictError struct {
	Range Range
}

func (e *ConflictError) Error() string        { return ErrConflict.Error() }
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }
