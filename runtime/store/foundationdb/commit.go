//go:build foundationdb

package foundationdb

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/onefold/onefold/runtime/store"
)

// Commit applies c in a transaction of its own.
func (e *Engine) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	if err := e.begin(ctx); err != nil {
		return 0, err
	}
	defer e.busy.Done()
	if err := c.Check(); err != nil {
		return 0, err
	}
	if len(c.Ops) == 0 {
		return c.Version, nil
	}
	if c.Version == 0 && len(c.Reads) > 0 {
		return 0, store.ErrTooOld
	}
	tr, err := e.transaction(c.Version)
	if err != nil {
		return 0, err
	}
	if c.Size() >= largeCommit {
		// The client would keep its copy until Go's collector finds the handle.
		defer tr.Reset()
	}
	if err := prepare(tr, c); err != nil {
		return 0, err
	}
	return e.commit(ctx, tr, c)
}

// largeCommit is the size from which the client's copy of a commit is freed at
// once.
const largeCommit = 64 << 10

// commit commits tr, which c has been written to.
func (e *Engine) commit(ctx context.Context, tr fdb.Transaction, c *store.Commit) (store.Version, error) {
	f := tr.Commit()
	_, err := await(ctx, f, func() (struct{}, error) { return struct{}{}, f.Get() })
	if err != nil {
		err = commitError(err)
		if errors.Is(err, store.ErrConflict) {
			return 0, e.conflict(ctx, tr, c, err)
		}
		return 0, err
	}
	v, err := tr.GetCommittedVersion()
	if err != nil {
		// The commit happened, but without a version it cannot be acknowledged.
		return 0, commitError(err)
	}
	return store.Version(v), nil
}

// prepare writes c to tr. Its writes are their own conflict ranges.
func prepare(tr fdb.Transaction, c *store.Commit) error {
	if len(c.Reads) > 0 {
		if err := tr.Options().SetReportConflictingKeys(); err != nil {
			return err
		}
	}
	for _, r := range c.Reads {
		keys, ok := keyRange(r)
		if !ok {
			continue
		}
		if err := tr.AddReadConflictRange(keys); err != nil {
			return err
		}
	}
	stamps := uint16(0)
	for i := range c.Ops {
		op := &c.Ops[i]
		switch op.Kind {
		case store.Set:
			tr.Set(fdb.Key(op.Key), op.Value)
		case store.Clear:
			tr.Clear(fdb.Key(op.Key))
		case store.ClearRange:
			// FoundationDB ends the process that clears an inverted range.
			if keys, ok := keyRange(store.Range{Begin: op.Key, End: op.Value}); ok {
				tr.ClearRange(keys)
			}
		case store.Add:
			tr.Add(fdb.Key(op.Key), op.Value)
		case store.SetStamped:
			tr.SetVersionstampedKey(stamped(op.Key, stamps), op.Value)
			stamps++
		case store.Touch:
			if err := tr.AddWriteConflictKey(fdb.Key(op.Key)); err != nil {
				return err
			}
		}
	}
	return nil
}

// stampLen is how much of the versionstamp the cluster writes; the rest of
// store.StampSize is the caller's to choose.
const stampLen = 10

// stamped returns key as SetVersionstampedKey wants it: with the last two bytes
// of the versionstamp, then where the stamp goes, 4 bytes little-endian.
func stamped(key []byte, index uint16) fdb.Key {
	at := len(key) - store.StampSize
	k := make([]byte, 0, len(key)+4)
	k = append(k, key[:at+stampLen]...)
	k = binary.BigEndian.AppendUint16(k, index)
	return binary.LittleEndian.AppendUint32(k, uint32(at))
}

// conflictingKeys is where the client tells the read conflict ranges that a
// commit lost: keys at which such a range begins (value 1) or ends (value 0).
var conflictingKeys = fdb.KeyRange{
	Begin: fdb.Key("\xff\xff/transaction/conflicting_keys/"),
	End:   fdb.Key("\xff\xff/transaction/conflicting_keys/\xff\xff"),
}

// conflict returns the error of a commit that ended in a conflict, with a range
// that was lost if the client can tell. The client answers from memory.
func (e *Engine) conflict(ctx context.Context, tr fdb.Transaction, c *store.Commit, err error) error {
	result := tr.GetRange(conflictingKeys, fdb.RangeOptions{Mode: fdb.StreamingModeWantAll})
	bounds, readErr := await(ctx, tr, result.GetSliceWithError)
	if readErr != nil {
		return err
	}
	for _, bound := range bounds {
		if string(bound.Value) != "1" {
			continue
		}
		begin := bound.Key[len(conflictingKeys.Begin.FDBKey()):]
		for _, r := range c.Reads {
			// Of overlapping ranges the client tells the union, so this is the one
			// that begins where the union does.
			if keys, ok := keyRange(r); ok && string(keys.Begin.FDBKey()) == string(begin) {
				return &store.ConflictError{Range: r}
			}
		}
	}
	return err
}
