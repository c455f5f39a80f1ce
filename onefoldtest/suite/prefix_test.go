//go:build foundationdb

package suite_test

import (
	"context"
	"errors"
	"slices"

	"github.com/onefold/onefold/runtime/store"
)

// prefixed is a store that is a part of another one: the keys with a prefix.
type prefixed struct {
	store.Engine
	prefix []byte
}

// key returns a key, or the end of a range, as the whole store has it.
func (p prefixed) key(k []byte) []byte { return slices.Concat(p.prefix, k) }

// whole returns a range as the whole store has it.
func (p prefixed) whole(r store.Range) store.Range {
	if len(r.Begin) == 0 {
		r.Begin = store.KeyBegin // or else it would have the prefix itself, which is no key of this store
	}
	if store.Compare(r.End, store.KeyEnd) > 0 {
		r.End = store.KeyEnd
	}
	return store.Range{Begin: p.key(r.Begin), End: p.key(r.End)}
}

// Get implements store.Engine.
func (p prefixed) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	return p.Engine.Get(ctx, v, p.key(key))
}

// Range implements store.Engine.
func (p prefixed) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	kvs, more, err := p.Engine.Range(ctx, v, p.whole(r), opts)
	for i := range kvs {
		kvs[i].Key = kvs[i].Key[len(p.prefix):]
	}
	return kvs, more, err
}

// Commit implements store.Engine.
func (p prefixed) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	d := *c
	d.Reads = make([]store.Range, len(c.Reads))
	for i, r := range c.Reads {
		d.Reads[i] = p.whole(r)
	}
	d.Ops = make([]store.Op, len(c.Ops))
	for i, op := range c.Ops {
		if op.Kind == store.ClearRange {
			r := p.whole(store.Range{Begin: op.Key, End: op.Value})
			op.Key, op.Value = r.Begin, r.End
		} else {
			op.Key = p.key(op.Key)
		}
		d.Ops[i] = op
	}
	v, err := p.Engine.Commit(ctx, &d)
	var lost *store.ConflictError
	if errors.As(err, &lost) {
		n := len(p.prefix)
		return 0, &store.ConflictError{Range: store.Range{Begin: lost.Range.Begin[n:], End: lost.Range.End[n:]}}
	}
	return v, err
}

// clear removes all keys. It tries again where a cluster may fail a commit.
func (p prefixed) clear(ctx context.Context) (err error) {
	for range 100 {
		_, err = p.Commit(ctx, &store.Commit{Ops: []store.Op{{Kind: store.ClearRange, Value: store.KeyEnd}}})
		if !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrTooOld) && !errors.Is(err, store.ErrUnknown) {
			break
		}
	}
	return err
}
