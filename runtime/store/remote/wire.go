package remote

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/wire"
)

// A client's frame is the number of the operation, what it is and its operands; a
// server's the number, the status, up to which version everything is durable, and
// results. Each has its length before it, in 4 bytes big-endian.
const (
	opReadVersion byte = iota + 1
	opRelease          // has no reply
	opGet
	opRange
	opCommit
	opSettle
	opCancel // has no reply
)

// The statuses of replies.
const (
	statusOK byte = iota
	statusConflict
	statusUnknown
	statusTooOld
	statusTooLarge
	statusFull
	statusClosed
	statusCanceled
	statusOther
	statusApplied // comes before the reply to a commit
)

// statuses are the errors that have a status of their own.
var statuses = []struct {
	status byte
	err    error
}{
	{statusUnknown, store.ErrUnknown}, // which may wrap others
	{statusConflict, store.ErrConflict},
	{statusTooOld, store.ErrTooOld},
	{statusTooLarge, store.ErrTooLarge},
	{statusFull, store.ErrFull},
	{statusClosed, store.ErrClosed},
	{statusCanceled, context.Canceled},
	{statusCanceled, context.DeadlineExceeded},
}

// greeting is the first frame of a client, with its key behind it, and of a server.
const greeting = "onefold store 2\n"

const (
	maxGreeting = 4 << 10
	maxFrame    = 64 << 20 // has room for store.MaxCommitSize and the length of each part
)

// Flags of ranges and their replies, and of commits.
const (
	flagReverse = 1 << iota
	flagMore    // there may be further keys
	flagCut     // there are further keys below the limit: ask again
	flagApplied // the client wants to know when new versions include the commit
)

var errFrame = errors.New("malformed frame")

// end reports that a frame is malformed, or longer than it should be.
func end(r *wire.Reader) error {
	if !r.Ended() {
		return errFrame
	}
	return nil
}

// readFrame reads one frame into buf if it fits, and returns it.
func readFrame(r io.Reader, buf []byte, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(head[:]))
	if n > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", errFrame, n, limit)
	}
	if n > cap(buf) {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	_, err := io.ReadFull(r, buf)
	return buf, err
}

// What a reply says of a key.
const (
	keyAbsent  byte = iota
	keyPresent      // its value follows
	keyLeftOut      // it was not read
)

func appendFound(b []byte, f store.Found) []byte {
	switch {
	case !f.Read:
		return append(b, keyLeftOut)
	case !f.OK:
		return append(b, keyAbsent)
	}
	return wire.AppendBytes(append(b, keyPresent), f.Value)
}

func foundOf(r *wire.Reader) (f store.Found) {
	switch r.Byte() {
	case keyAbsent:
		f.Read = true
	case keyPresent:
		f = store.Found{Value: r.Bytes(), OK: true, Read: true}
	case keyLeftOut:
	default:
		r.Fail()
	}
	return f
}

func appendCommit(b []byte, c *store.Commit) []byte {
	flags := byte(0)
	if c.Applied != nil {
		flags = flagApplied
	}
	b = wire.AppendUint(append(b, flags), uint64(c.Version))
	return wire.AppendOps(wire.AppendRanges(b, c.Reads), c.Ops)
}

// commitOf reads what appendCommit wrote; applied says that the client wants to know.
func commitOf(r *wire.Reader) (c *store.Commit, applied bool) {
	applied = r.Byte()&flagApplied != 0
	return &store.Commit{Version: versionOf(r), Reads: r.Ranges(), Ops: r.Ops()}, applied
}

func versionOf(r *wire.Reader) store.Version { return store.Version(r.Uint()) }

func appendPairs(b []byte, kvs []store.KV) []byte {
	b = wire.AppendUint(b, uint64(len(kvs)))
	for i := range kvs {
		b = wire.AppendBytes(wire.AppendBytes(b, kvs[i].Key), kvs[i].Value)
	}
	return b
}

func pairsOf(r *wire.Reader) []store.KV {
	kvs := make([]store.KV, r.Count(2))
	for i := range kvs {
		kvs[i] = store.KV{Key: r.Bytes(), Value: r.Bytes()}
	}
	return kvs
}

// statusOf returns the status of an operation that ended in err.
func statusOf(err error) byte {
	if err == nil {
		return statusOK
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return statusOther
}

// appendError appends what a client is told of err besides its status.
func appendError(b []byte, err error) []byte {
	var lost *store.ConflictError
	if errors.As(err, &lost) {
		b = wire.AppendRange(b, lost.Range)
	} else {
		b = wire.AppendRange(b, store.Range{})
	}
	return wire.AppendBytes(b, []byte(err.Error()))
}

// failureOf reads the error of a reply.
func failureOf(r *wire.Reader, status byte) error {
	lost, text := r.Range(), r.Text()
	switch {
	case !r.OK():
		return errFrame
	case status == statusConflict && len(lost.End) > 0:
		return &store.ConflictError{Range: lost}
	}
	for _, s := range statuses {
		if s.status == status {
			return &remoteError{text: text, kind: s.err}
		}
	}
	return &remoteError{text: text}
}

// remoteError is an error of the server's engine.
type remoteError struct {
	text string
	kind error // one of the store's, or nil
}

func (e *remoteError) Error() string { return e.text }

func (e *remoteError) Unwrap() error { return e.kind }
