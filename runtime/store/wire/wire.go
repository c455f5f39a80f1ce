// Package wire encodes what crosses between processes: the frames of the remote
// engine and the calls between services. Numbers are unsigned varints, bytes have
// their length before them, lists their number of elements.
package wire

import (
	"encoding/binary"

	"github.com/onefold/onefold/runtime/store"
)

// AppendUint appends a number.
func AppendUint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

// AppendBytes appends bytes or a text.
func AppendBytes[T []byte | string](b []byte, v T) []byte {
	return append(AppendUint(b, uint64(len(v))), v...)
}

// AppendRange appends the bounds of a range.
func AppendRange(b []byte, r store.Range) []byte {
	return AppendBytes(AppendBytes(b, r.Begin), r.End)
}

// AppendRanges appends a list of ranges.
func AppendRanges(b []byte, list []store.Range) []byte {
	b = AppendUint(b, uint64(len(list)))
	for i := range list {
		b = AppendRange(b, list[i])
	}
	return b
}

// AppendOps appends a list of writes.
func AppendOps(b []byte, list []store.Op) []byte {
	b = AppendUint(b, uint64(len(list)))
	for i := range list {
		op := &list[i]
		b = AppendBytes(AppendBytes(append(b, byte(op.Kind)), op.Key), op.Value)
	}
	return b
}

// Reader reads what was appended. After a failure it reads zeros. What it returns
// shares the memory of what it reads.
type Reader struct {
	b   []byte
	bad bool
}

// NewReader returns a Reader of b.
func NewReader(b []byte) Reader { return Reader{b: b} }

// OK reports whether everything read so far was well formed.
func (r *Reader) OK() bool { return !r.bad }

// Ended reports whether everything was well formed and nothing is left.
func (r *Reader) Ended() bool { return !r.bad && len(r.b) == 0 }

// Uint reads a number.
func (r *Reader) Uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.Fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.b) == 0 {
		r.Fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

// Bytes reads bytes.
func (r *Reader) Bytes() []byte {
	n := r.Uint()
	if n > uint64(len(r.b)) {
		r.Fail()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// Text reads a text.
func (r *Reader) Text() string { return string(r.Bytes()) }

// Count reads how many elements follow, each of at least size bytes: of what cannot
// be there, nobody makes room.
func (r *Reader) Count(size int) int {
	n := r.Uint()
	if n > uint64(len(r.b)/size) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Range reads the bounds of a range.
func (r *Reader) Range() store.Range { return store.Range{Begin: r.Bytes(), End: r.Bytes()} }

// Ranges reads a list of ranges.
func (r *Reader) Ranges() []store.Range {
	list := make([]store.Range, r.Count(2))
	for i := range list {
		list[i] = r.Range()
	}
	return list
}

// Ops reads a list of writes.
func (r *Reader) Ops() []store.Op {
	list := make([]store.Op, r.Count(3))
	for i := range list {
		list[i] = store.Op{Kind: store.OpKind(r.Byte()), Key: r.Bytes(), Value: r.Bytes()}
	}
	return list
}

// Fail ends the reading: what was read makes no sense.
func (r *Reader) Fail() { r.b, r.bad = nil, true }
