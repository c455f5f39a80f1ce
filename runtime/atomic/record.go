package atomic

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/store/overlay"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// record is what is stored of a request that has run: inv/bucket/hashbyte/id.
// The bucket is the id's age (or, for an opaque key, the time of the commit) in
// retention periods, so that collecting is clearing whole buckets. The hash byte
// spreads the writes of one moment over a few places in the key space; in each of
// them ids follow in the order of their time.
type record struct {
	failed               bool
	methodHash, argsHash uint64
	body                 []byte
}

const (
	recordFormat  = 1
	recordFailed  = 1 << 7
	recordHeaders = 1 + 8 + 8
)

// spread is how many values the hash byte has. A store that is split by ranges of
// keys can have that many machines take records; each place more costs every store
// something, since it is one more that is written to. It may not change where
// records are kept.
const spread = 8

func (rec *record) append(b []byte) []byte {
	head := byte(recordFormat)
	if rec.failed {
		head |= recordFailed
	}
	b = append(b, head)
	b = binary.BigEndian.AppendUint64(b, rec.methodHash)
	b = binary.BigEndian.AppendUint64(b, rec.argsHash)
	return append(b, rec.body...)
}

func parseRecord(b []byte) (*record, error) {
	if len(b) < recordHeaders || b[0]&^recordFailed != recordFormat {
		return nil, errors.New("record of an invocation is damaged")
	}
	return &record{
		failed:     b[0]&recordFailed != 0,
		methodHash: binary.BigEndian.Uint64(b[1:]),
		argsHash:   binary.BigEndian.Uint64(b[9:]),
		body:       b[recordHeaders:],
	}, nil
}

// reply returns the reply that req gets from the record of an earlier delivery.
func (rec *record) reply(req *Request) (Reply, error) {
	if rec.methodHash != req.MethodHash || rec.argsHash != req.ArgsHash {
		return Reply{}, ErrMismatch
	}
	return Reply{Body: rec.body, Failed: rec.failed, Replayed: true}, nil
}

// recordKeys are where the record of a request may be.
type recordKeys struct {
	write []byte    // where it is written
	read  [3][]byte // where it is looked for
	n     int       // of read
}

// recordKeys returns the keys for req at now. A UUIDv7 has one place. An opaque
// key has no time, so it is written to the bucket of the day and looked for in
// the one before and the one after too: clocks differ.
func (r *Runner) recordKeys(req *Request, now time.Time) (k recordKeys) {
	if req.Key == nil {
		bucket := r.bucket(req.ID.Time())
		k.write = r.recordKey(bucket, req.ID[len(req.ID)-1])
		k.write = tuple.AppendUUID(k.write, tuple.UUID(req.ID))
		k.read[0], k.n = k.write, 1
		return k
	}
	bucket := r.bucket(now)
	for i := range k.read {
		key := r.recordKey(bucket-1+int64(i), req.Key[len(req.Key)-1])
		k.read[i] = tuple.AppendBytes(key, req.Key)
	}
	k.write, k.n = k.read[1], 3
	return k
}

// recordKey returns the beginning of the keys of one bucket and a hash.
func (r *Runner) recordKey(bucket int64, hash byte) []byte {
	b := make([]byte, 0, len(r.records)+48)
	b = append(b, r.records...)
	b = tuple.AppendInt(b, bucket)
	return tuple.AppendInt(b, int64(hash%spread))
}

// bucket returns the number of whole retention periods up to t.
func (r *Runner) bucket(t time.Time) int64 {
	return t.UnixMilli() / r.opts.Retention.Milliseconds()
}

// admit reports whether the id's record would still be, or could ever be, there.
func (r *Runner) admit(req *Request) error {
	if req.Key != nil || req.Fresh || req.ReadOnly || req.Journal != nil {
		return nil
	}
	switch age := r.now().Sub(req.ID.Time()); {
	case age > r.opts.Retention:
		return fmt.Errorf("%w: minted at %s, retained for %s", ErrExpired, req.ID.Time().UTC().Format(time.RFC3339), r.opts.Retention)
	case age < -r.opts.Retention:
		return fmt.Errorf("%w: minted at %s", ErrFuture, req.ID.Time().UTC().Format(time.RFC3339))
	}
	return nil
}

// observe makes the keys read conflicts of o.
func (k *recordKeys) observe(o *overlay.Overlay) {
	for _, key := range k.read[:k.n] {
		o.ObserveKey(key)
	}
}

// lookUp returns the record of the request, nil if there is none, and makes
// where it looked read conflicts of o.
func (k *recordKeys) lookUp(ctx context.Context, o *overlay.Overlay) (*record, error) {
	for i := range k.n {
		value, ok, err := o.Get(ctx, k.read[i])
		if err != nil {
			return nil, err
		}
		if ok {
			return parseRecord(value)
		}
	}
	return nil, nil
}
