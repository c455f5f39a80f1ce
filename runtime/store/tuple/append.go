// Package tuple is FoundationDB's tuple layer: an encoding of tuples of values
// as keys whose byte order is the order of the tuples. Keys written with it can
// be read by any FoundationDB tool.
//
// The Append functions encode one element each and allocate nothing beyond the
// slice they append to; the Decode functions take one element off the front.
// [Pack] and [Unpack] do whole tuples of any kind, for tools and tests.
//
// The format is that of design/tuple.md in the FoundationDB repository.
package tuple

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"strings"
)

// The type codes that begin an element. Integers of n bytes have the code
// intZero±n; beyond 8 bytes a length byte follows.
const (
	codeNull         = 0x00
	codeBytes        = 0x01
	codeString       = 0x02
	codeNested       = 0x05
	codeNegativeBig  = 0x0b
	codeIntZero      = 0x14
	codePositiveBig  = 0x1d
	codeFloat32      = 0x20
	codeFloat64      = 0x21
	codeFalse        = 0x26
	codeTrue         = 0x27
	codeUUID         = 0x30
	codeVersionstamp = 0x33

	escape = 0xff // after a zero byte that does not end its element
)

// Versionstamp orders commits: 10 bytes that the store assigns and 2 bytes that
// order the writes of one commit. It is what store.SetStamped writes.
type Versionstamp [12]byte

// UUID is an RFC 9562 identifier.
type UUID [16]byte

// Tuple is a sequence of elements: nil, []byte, string, Tuple, int64 (or any Go
// integer when encoding), uint64 above the largest int64, *big.Int beyond, bool,
// float32, float64, UUID or Versionstamp.
type Tuple []any

// AppendNull appends a null at the top level of a tuple.
func AppendNull(b []byte) []byte { return append(b, codeNull) }

// AppendNestedNull appends a null between BeginNested and EndNested.
func AppendNestedNull(b []byte) []byte { return append(b, codeNull, escape) }

// AppendBytes appends a byte string.
func AppendBytes(b, v []byte) []byte {
	b = append(b, codeBytes)
	for {
		i := bytes.IndexByte(v, 0)
		if i < 0 {
			return append(append(b, v...), 0)
		}
		b = append(append(b, v[:i+1]...), escape)
		v = v[i+1:]
	}
}

// AppendString appends a string. The format wants UTF-8; bytes that are not
// are kept as they are.
func AppendString(b []byte, v string) []byte {
	b = append(b, codeString)
	for {
		i := strings.IndexByte(v, 0)
		if i < 0 {
			return append(append(b, v...), 0)
		}
		b = append(append(b, v[:i+1]...), escape)
		v = v[i+1:]
	}
}

// BeginNested begins a tuple within a tuple; its elements and EndNested follow.
func BeginNested(b []byte) []byte { return append(b, codeNested) }

// EndNested ends the innermost nested tuple.
func EndNested(b []byte) []byte { return append(b, 0) }

// AppendInt appends an integer.
func AppendInt(b []byte, v int64) []byte {
	if v >= 0 {
		return AppendUint(b, uint64(v))
	}
	// Negative numbers are the one's complement of their absolute value.
	abs := uint64(-(v + 1)) + 1
	n := byteLen(abs)
	return appendLow(append(b, byte(codeIntZero-n)), ^abs, n)
}

// AppendUint appends an integer; AppendInt writes the same bytes for the same
// number.
func AppendUint(b []byte, v uint64) []byte {
	n := byteLen(v)
	return appendLow(append(b, byte(codeIntZero+n)), v, n)
}

// byteLen returns the number of bytes that v needs.
func byteLen(v uint64) int { return (bits.Len64(v) + 7) / 8 }

// appendLow appends the n low bytes of v, big-endian.
func appendLow(b []byte, v uint64, n int) []byte {
	var buf [8]byte
	binary.BigEndian.PutUint64(buf[:], v)
	return append(b, buf[8-n:]...)
}

// maxBigLen is the largest length of an integer in bytes.
const maxBigLen = 255

// AppendBigInt appends an integer of any size up to 255 bytes and panics
// beyond. It writes the same bytes as AppendInt and AppendUint where those can.
func AppendBigInt(b []byte, v *big.Int) []byte {
	abs := v.Bytes()
	n := len(abs)
	switch {
	case n <= 8 && v.Sign() >= 0:
		return AppendUint(b, v.Uint64())
	case n <= 8:
		return appendLow(append(b, byte(codeIntZero-n)), ^new(big.Int).Neg(v).Uint64(), n)
	case n > maxBigLen:
		panic("tuple: integer of more than 255 bytes")
	case v.Sign() >= 0:
		return append(append(b, codePositiveBig, byte(n)), abs...)
	}
	b = append(b, codeNegativeBig, ^byte(n))
	for _, c := range abs {
		b = append(b, ^c)
	}
	return b
}

// AppendBool appends a boolean; false sorts before true.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, codeTrue)
	}
	return append(b, codeFalse)
}

// AppendFloat32 appends a 32-bit float, in the order of IEEE 754's totalOrder.
func AppendFloat32(b []byte, v float32) []byte {
	u := math.Float32bits(v)
	if u>>31 != 0 {
		u = ^u
	} else {
		u |= 1 << 31
	}
	return binary.BigEndian.AppendUint32(append(b, codeFloat32), u)
}

// AppendFloat64 appends a 64-bit float, in the order of IEEE 754's totalOrder.
func AppendFloat64(b []byte, v float64) []byte {
	u := math.Float64bits(v)
	if u>>63 != 0 {
		u = ^u
	} else {
		u |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(append(b, codeFloat64), u)
}

// AppendUUID appends a UUID.
func AppendUUID(b []byte, v UUID) []byte { return append(append(b, codeUUID), v[:]...) }

// AppendVersionstamp appends a versionstamp. As the last element of a key it is
// what store.SetStamped fills in.
func AppendVersionstamp(b []byte, v Versionstamp) []byte {
	return append(append(b, codeVersionstamp), v[:]...)
}
