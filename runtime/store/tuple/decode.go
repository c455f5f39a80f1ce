package tuple

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// ErrFormat is wrapped by every error about bytes that are no tuple, or not
// the element asked for.
var ErrFormat = errors.New("tuple: malformed key")

// Kind tells what an element is.
type Kind uint8

// The kinds of elements, and what Peek answers where there is none.
const (
	Invalid Kind = iota
	End          // no bytes are left
	Null
	Bytes
	String
	Nested
	Int
	Float32
	Float64
	Bool
	UUIDKind
	VersionstampKind
)

var kindNames = [...]string{
	"invalid element", "end of key", "null", "bytes", "string", "nested tuple", "integer",
	"32-bit float", "64-bit float", "boolean", "uuid", "versionstamp",
}

// String returns the kind's name as errors print it.
func (k Kind) String() string { return kindNames[k] }

// Peek returns the kind of the first element of b.
func Peek(b []byte) Kind {
	if len(b) == 0 {
		return End
	}
	switch c := b[0]; {
	case c == codeNull:
		return Null
	case c == codeBytes:
		return Bytes
	case c == codeString:
		return String
	case c == codeNested:
		return Nested
	case c >= codeNegativeBig && c <= codePositiveBig:
		return Int
	case c == codeFloat32:
		return Float32
	case c == codeFloat64:
		return Float64
	case c == codeFalse || c == codeTrue:
		return Bool
	case c == codeUUID:
		return UUIDKind
	case c == codeVersionstamp:
		return VersionstampKind
	}
	return Invalid
}

// want returns an error unless b begins with an element of kind k.
func want(b []byte, k Kind) error {
	if got := Peek(b); got != k {
		return fmt.Errorf("%w: %s, want %s", ErrFormat, got, k)
	}
	return nil
}

func truncated(k Kind) error { return fmt.Errorf("%w: %s is cut off", ErrFormat, k) }

// DecodeNull takes a top-level null off b.
func DecodeNull(b []byte) (rest []byte, err error) {
	if err := want(b, Null); err != nil {
		return nil, err
	}
	return b[1:], nil
}

// DecodeBytes takes a byte string off b. The result is a copy.
func DecodeBytes(b []byte) (v, rest []byte, err error) {
	if err := want(b, Bytes); err != nil {
		return nil, nil, err
	}
	v, rest, copied, err := unescape(b[1:], Bytes)
	if err == nil && !copied {
		v = append([]byte{}, v...)
	}
	return v, rest, err
}

// DecodeString takes a string off b.
func DecodeString(b []byte) (v string, rest []byte, err error) {
	if err := want(b, String); err != nil {
		return "", nil, err
	}
	s, rest, _, err := unescape(b[1:], String)
	return string(s), rest, err
}

// unescape returns the content of an element that ends with a zero byte. The
// content is part of b unless it was copied to drop escapes.
func unescape(b []byte, k Kind) (v, rest []byte, copied bool, err error) {
	at := 0
	for {
		i := bytes.IndexByte(b[at:], 0)
		if i < 0 {
			return nil, nil, false, truncated(k)
		}
		end := at + i
		if end+1 == len(b) || b[end+1] != escape {
			if copied {
				return append(v, b[at:end]...), b[end+1:], true, nil
			}
			return b[:end], b[end+1:], false, nil
		}
		v = append(v, b[at:end+1]...)
		copied = true
		at = end + 2
	}
}

// DecodeNested takes the beginning of a nested tuple off b. Its elements
// follow, a null among them read by DecodeNestedNull, up to where
// DecodeNestedEnd reports true.
func DecodeNested(b []byte) (rest []byte, err error) {
	if err := want(b, Nested); err != nil {
		return nil, err
	}
	return b[1:], nil
}

// DecodeNestedEnd reports whether the nested tuple ends here, and takes the end
// off b if so.
func DecodeNestedEnd(b []byte) (rest []byte, end bool) {
	if len(b) > 0 && b[0] == 0 && (len(b) == 1 || b[1] != escape) {
		return b[1:], true
	}
	return b, false
}

// DecodeNestedNull takes a null within a nested tuple off b.
func DecodeNestedNull(b []byte) (rest []byte, err error) {
	if len(b) < 2 || b[0] != codeNull || b[1] != escape {
		return nil, fmt.Errorf("%w: %s, want null", ErrFormat, Peek(b))
	}
	return b[2:], nil
}

// DecodeInt takes an integer off b; one that is no int64 is an error.
func DecodeInt(b []byte) (v int64, rest []byte, err error) {
	abs, negative, rest, err := decodeWord(b)
	switch {
	case err != nil:
		return 0, nil, err
	case !negative && abs <= math.MaxInt64:
		return int64(abs), rest, nil
	case negative && abs <= 1<<63:
		return -int64(abs-1) - 1, rest, nil
	}
	return 0, nil, fmt.Errorf("%w: integer is out of range", ErrFormat)
}

// DecodeUint takes an integer off b; one that is no uint64 is an error.
func DecodeUint(b []byte) (v uint64, rest []byte, err error) {
	v, negative, rest, err := decodeWord(b)
	if err == nil && negative {
		return 0, nil, fmt.Errorf("%w: integer is negative", ErrFormat)
	}
	return v, rest, err
}

// decodeWord takes an integer of at most 8 bytes off b.
func decodeWord(b []byte) (abs uint64, negative bool, rest []byte, err error) {
	if err := want(b, Int); err != nil {
		return 0, false, nil, err
	}
	if b[0] == codeNegativeBig || b[0] == codePositiveBig {
		return 0, false, nil, fmt.Errorf("%w: integer is out of range", ErrFormat)
	}
	n := int(b[0]) - codeIntZero
	negative = n < 0
	if negative {
		n = -n
	}
	b = b[1:]
	if len(b) < n {
		return 0, false, nil, truncated(Int)
	}
	for _, c := range b[:n] {
		if negative {
			c = ^c
		}
		abs = abs<<8 | uint64(c)
	}
	if byteLen(abs) != n {
		return 0, false, nil, fmt.Errorf("%w: integer is longer than it need be", ErrFormat)
	}
	return abs, negative, b[n:], nil
}

// DecodeBigInt takes an integer of any size off b.
func DecodeBigInt(b []byte) (v *big.Int, rest []byte, err error) {
	if err := want(b, Int); err != nil {
		return nil, nil, err
	}
	if b[0] != codeNegativeBig && b[0] != codePositiveBig {
		abs, negative, rest, err := decodeWord(b)
		if err != nil {
			return nil, nil, err
		}
		v = new(big.Int).SetUint64(abs)
		if negative {
			v.Neg(v)
		}
		return v, rest, nil
	}
	if len(b) < 2 {
		return nil, nil, truncated(Int)
	}
	var flip byte
	if b[0] == codeNegativeBig {
		flip = 0xff
	}
	n := int(b[1] ^ flip)
	b = b[2:]
	if len(b) < n {
		return nil, nil, truncated(Int)
	}
	abs := make([]byte, n)
	for i, c := range b[:n] {
		abs[i] = c ^ flip
	}
	if n <= 8 || abs[0] == 0 {
		return nil, nil, fmt.Errorf("%w: integer is longer than it need be", ErrFormat)
	}
	v = new(big.Int).SetBytes(abs)
	if flip != 0 {
		v.Neg(v)
	}
	return v, b[n:], nil
}

// DecodeBool takes a boolean off b.
func DecodeBool(b []byte) (v bool, rest []byte, err error) {
	if err := want(b, Bool); err != nil {
		return false, nil, err
	}
	return b[0] == codeTrue, b[1:], nil
}

// DecodeFloat32 takes a 32-bit float off b.
func DecodeFloat32(b []byte) (v float32, rest []byte, err error) {
	if err := want(b, Float32); err != nil {
		return 0, nil, err
	}
	if len(b) < 5 {
		return 0, nil, truncated(Float32)
	}
	u := binary.BigEndian.Uint32(b[1:])
	if u>>31 == 0 {
		u = ^u
	} else {
		u &^= 1 << 31
	}
	return math.Float32frombits(u), b[5:], nil
}

// DecodeFloat64 takes a 64-bit float off b.
func DecodeFloat64(b []byte) (v float64, rest []byte, err error) {
	if err := want(b, Float64); err != nil {
		return 0, nil, err
	}
	if len(b) < 9 {
		return 0, nil, truncated(Float64)
	}
	u := binary.BigEndian.Uint64(b[1:])
	if u>>63 == 0 {
		u = ^u
	} else {
		u &^= 1 << 63
	}
	return math.Float64frombits(u), b[9:], nil
}

// DecodeUUID takes a UUID off b.
func DecodeUUID(b []byte) (v UUID, rest []byte, err error) {
	if err := want(b, UUIDKind); err != nil {
		return v, nil, err
	}
	if len(b) < 1+len(v) {
		return v, nil, truncated(UUIDKind)
	}
	n := copy(v[:], b[1:])
	return v, b[1+n:], nil
}

// DecodeVersionstamp takes a versionstamp off b.
func DecodeVersionstamp(b []byte) (v Versionstamp, rest []byte, err error) {
	if err := want(b, VersionstampKind); err != nil {
		return v, nil, err
	}
	if len(b) < 1+len(v) {
		return v, nil, truncated(VersionstampKind)
	}
	n := copy(v[:], b[1:])
	return v, b[1+n:], nil
}
