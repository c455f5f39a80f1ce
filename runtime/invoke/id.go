package invoke

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
)

// idPool hands out the generators' randomness in blocks: one call of the
// system's generator serves many ids.
var idPool = sync.Pool{New: func() any { return new(entropy) }}

// entropy is a block of unused random bytes, the last left of them in buf.
type entropy struct {
	buf  [1024]byte
	left int
}

// NewID returns a fresh UUIDv7 of the time now: 48 bits of Unix milliseconds, then
// randomness (RFC 9562, section 5.7). It is safe for concurrent use.
func NewID(now time.Time) atomic.ID {
	var id atomic.ID
	e := idPool.Get().(*entropy)
	if e.left < len(id) {
		rand.Read(e.buf[:]) // never fails: it ends the process instead
		e.left = len(e.buf)
	}
	copy(id[:], e.buf[len(e.buf)-e.left:])
	e.left -= len(id)
	idPool.Put(e)

	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(now.UnixMilli())<<16)
	copy(id[:6], stamp[:6])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

var errNotUUIDv7 = errors.New("not a UUIDv7, such as 01912d68-783e-7c5b-8000-0242ac120002")

// parseID returns the UUIDv7 that s spells in the usual 36 characters.
func parseID(s string) (atomic.ID, error) {
	var id atomic.ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return atomic.ID{}, errNotUUIDv7
	}
	digits := make([]byte, 0, 32)
	for _, part := range []string{s[:8], s[9:13], s[14:18], s[19:23], s[24:]} {
		digits = append(digits, part...)
	}
	if _, err := hex.Decode(id[:], digits); err != nil {
		return atomic.ID{}, errNotUUIDv7
	}
	if id[6]>>4 != 7 || id[8]>>6 != 2 {
		return atomic.ID{}, errNotUUIDv7
	}
	return id, nil
}

// appendID appends the usual spelling: 8-4-4-4-12 lower-case hexadecimal digits.
func appendID(b []byte, id atomic.ID) []byte {
	b = hex.AppendEncode(b, id[:4])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[4:6])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[6:8])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[8:10])
	b = append(b, '-')
	return hex.AppendEncode(b, id[10:])
}
