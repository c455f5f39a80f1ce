package atomic

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// Collect removes the claims of processes that died, and the records that nobody may ask for any more at now, and
// returns how many buckets of them it removed. A bucket goes as a whole, by one
// range clear, and only when the youngest id in it has been refused, or the
// youngest key in it forgotten, for long enough that no delivery admitted before
// can still be under way.
func (r *Runner) Collect(ctx context.Context, now time.Time) (buckets int, err error) {
	if err := r.collectClaims(ctx); err != nil {
		return 0, fmt.Errorf("collect claims: %w", err)
	}
	for {
		bucket, ok, err := r.oldestBucket(ctx)
		if err != nil || !ok || !r.expired(bucket, now) {
			return buckets, err
		}
		if err := r.clearBucket(ctx, bucket); err != nil {
			return buckets, err
		}
		buckets++
	}
}

// expired reports whether the records of a bucket may go. An id of the bucket may
// be as young as its end and is admitted for one retention period more; a key
// written in it is looked for until the next bucket ends, which is the same. The
// grace covers clocks that differ and deliveries under way.
func (r *Runner) expired(bucket int64, now time.Time) bool {
	last := time.UnixMilli((bucket + 2) * r.opts.Retention.Milliseconds())
	grace := max(r.opts.Retention/8, 2*r.opts.Timeout+4*store.MaxAge)
	return now.After(last.Add(grace))
}

// oldestBucket returns the first bucket that has records.
func (r *Runner) oldestBucket(ctx context.Context) (bucket int64, ok bool, err error) {
	v, err := r.engine.ReadVersion(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("collect records: %w", err)
	}
	defer r.engine.Release(v)
	kvs, _, err := r.engine.Range(ctx, v, tuple.Range(r.records), store.RangeOptions{Limit: 1})
	if err != nil || len(kvs) == 0 {
		return 0, false, err
	}
	bucket, _, err = tuple.DecodeInt(kvs[0].Key[len(r.records):])
	if err != nil {
		return 0, false, fmt.Errorf("collect records: key %q: %w", kvs[0].Key, err)
	}
	return bucket, true, nil
}

func (r *Runner) clearBucket(ctx context.Context, bucket int64) error {
	a := r.begin(ctx)
	defer a.end()
	o := overlay.New(a, 0)
	o.ClearRange(tuple.Range(tuple.AppendInt(bytes.Clone(r.records), bucket)))
	if err := a.commit(ctx, o.Commit()); err != nil {
		return fmt.Errorf("collect records: %w", err)
	}
	return nil
}
