//go:build foundationdb

package foundationdb

import (
	"context"
	"sync"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/onefold/onefold/runtime/store"
)

// readers are the transactions that point reads at held versions share. A
// version that another process asked for is held by none here.
type readers struct {
	mu        sync.Mutex
	byVersion map[store.Version]*reader
}

type reader struct {
	holds int // ReadVersion less Release
	tr    fdb.Transaction
	made  bool
}

// hold keeps a reader for v until release.
func (r *readers) hold(v store.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := r.byVersion[v]
	if held == nil {
		held = &reader{}
		r.byVersion[v] = held
	}
	held.holds++
}

// release undoes one hold.
func (r *readers) release(v store.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := r.byVersion[v]
	if held == nil {
		return
	}
	held.holds--
	if held.holds == 0 {
		delete(r.byVersion, v)
	}
}

// clear drops all readers.
func (r *readers) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.byVersion)
}

// reader returns a transaction for point reads at v.
func (e *Engine) reader(v store.Version) (fdb.Transaction, error) {
	e.readers.mu.Lock()
	defer e.readers.mu.Unlock()
	held := e.readers.byVersion[v]
	if held == nil {
		return e.transaction(v)
	}
	if !held.made {
		tr, err := e.transaction(v)
		if err != nil {
			return fdb.Transaction{}, err
		}
		held.tr, held.made = tr, true
	}
	return held.tr, nil
}

// Release says that the caller reads no more at v.
func (e *Engine) Release(v store.Version) { e.readers.release(v) }

// Get returns the value of key at v.
func (e *Engine) Get(ctx context.Context, v store.Version, key []byte) ([]byte, bool, error) {
	if err := e.begin(ctx); err != nil {
		return nil, false, err
	}
	defer e.busy.Done()
	if v == 0 {
		return nil, false, store.ErrTooOld
	}
	if len(key) == 0 || store.Compare(key, store.KeyEnd) >= 0 {
		return nil, false, nil
	}
	tr, err := e.reader(v)
	if err != nil {
		return nil, false, err
	}
	f := tr.Snapshot().Get(fdb.Key(key))
	value, err := await(ctx, f, f.Get)
	if err != nil {
		return nil, false, readError("get", err)
	}
	return value, value != nil, nil
}

// Range returns the keys of r at v. It reads in a transaction of its own, since
// the binding cannot cancel one range read of a transaction.
func (e *Engine) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) ([]store.KV, bool, error) {
	if err := e.begin(ctx); err != nil {
		return nil, false, err
	}
	defer e.busy.Done()
	if v == 0 {
		return nil, false, store.ErrTooOld
	}
	keys, ok := keyRange(r)
	if !ok {
		return nil, false, nil
	}
	tr, err := e.transaction(v)
	if err != nil {
		return nil, false, err
	}
	// Exact asks for all of a limited range at once; WantAll for as much as fits
	// one reply, and the binding goes on from there.
	mode := fdb.StreamingModeWantAll
	if opts.Limit > 0 {
		mode = fdb.StreamingModeExact
	}
	result := tr.Snapshot().GetRange(keys, fdb.RangeOptions{Limit: opts.Limit, Mode: mode, Reverse: opts.Reverse})
	found, err := await(ctx, tr, result.GetSliceWithError)
	if err != nil {
		return nil, false, readError("range read", err)
	}
	if len(found) == 0 {
		return nil, false, nil
	}
	kvs := make([]store.KV, len(found))
	for i, kv := range found {
		kvs[i] = store.KV{Key: kv.Key, Value: kv.Value}
	}
	return kvs, len(kvs) == opts.Limit, nil
}

// keyRange returns the part of r that the store can have keys in; ok is false if
// that is empty. FoundationDB has an empty key and those of the system besides.
func keyRange(r store.Range) (keys fdb.KeyRange, ok bool) {
	if len(r.Begin) == 0 {
		r.Begin = store.KeyBegin
	}
	if store.Compare(r.End, store.KeyEnd) > 0 {
		r.End = store.KeyEnd
	}
	if store.Compare(r.Begin, r.End) >= 0 {
		return fdb.KeyRange{}, false
	}
	return fdb.KeyRange{Begin: fdb.Key(r.Begin), End: fdb.Key(r.End)}, true
}

// await returns what get waits for. If ctx is done earlier it cancels what get
// waits for and returns the context's error, unless get succeeds nevertheless.
func await[T any](ctx context.Context, op interface{ Cancel() }, get func() (T, error)) (T, error) {
	stop := context.AfterFunc(ctx, op.Cancel)
	value, err := get()
	if !stop() && err != nil && ctx.Err() != nil {
		return value, &cancelled{cause: context.Cause(ctx)}
	}
	return value, err
}
