package atomic

import (
	"context"
	"encoding/hex"
	"time"
)

// ID identifies an invocation: a UUIDv7, minted once before the first try by
// whoever may try again.
type ID [16]byte

// String returns the usual spelling in 36 characters.
func (id ID) String() string {
	var b []byte
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return string(b)
}

// Time returns when the id was minted.
func (id ID) Time() time.Time {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms)
}

// A Request is one delivery of an invocation.
type Request struct {
	// ID is the invocation's id.
	ID ID
	// Fresh says that ID was minted here for this very delivery, so that there
	// cannot be another: no record needs to be looked for at first, and a reply that
	// commits nothing needs no record.
	Fresh bool
	// Key is the digest of an Idempotency-Key, which then identifies the
	// invocation in place of ID. Its last byte should be evenly distributed.
	Key []byte
	// Method names the method in errors, as in "Hotel.Reserve".
	Method string
	// MethodHash and ArgsHash tell requests apart: a delivery whose hashes differ
	// from those of the record is refused.
	MethodHash, ArgsHash uint64
	// ReadOnly says that the method cannot write: there is no record to look for.
	ReadOnly bool
	// Problem turns an application error into what is recorded and replied; with
	// record false the error says nothing about the state (malformed input), and needs
	// no record. Without Problem the reply to an error is the error's text.
	Problem func(err error) (body []byte, record bool)
	// Journal keeps the record of the request, if it is not to be kept under its id.
	Journal Journal
}

// A Func is the body of a request. It returns the reply or an application error,
// which undoes everything. It runs once for each attempt; ctx is the request's.
type Func func(ctx context.Context, tx *Tx) ([]byte, error)

// A Reply is the outcome of an invocation.
type Reply struct {
	Body     []byte // the function's, or the problem's where Failed
	Failed   bool   // by an application error
	Err      error  // the application error, as the function returned it; nil if Replayed
	Replayed bool   // read from the record of an earlier delivery or attempt
	Attempts int    // made for this delivery
	Counts   Counts // of the last attempt
}
