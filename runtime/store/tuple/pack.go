package tuple

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/onefold/onefold/runtime/store"
)

// Pack returns the key of t. It panics on an element that is of no type that
// Tuple lists.
func Pack(t Tuple) []byte {
	var b []byte
	for _, e := range t {
		b = appendElement(b, e, false)
	}
	return b
}

func appendElement(b []byte, e any, nested bool) []byte {
	switch e := e.(type) {
	case nil:
		if nested {
			return AppendNestedNull(b)
		}
		return AppendNull(b)
	case []byte:
		return AppendBytes(b, e)
	case string:
		return AppendString(b, e)
	case Tuple:
		b = BeginNested(b)
		for _, inner := range e {
			b = appendElement(b, inner, true)
		}
		return EndNested(b)
	case int:
		return AppendInt(b, int64(e))
	case int64:
		return AppendInt(b, e)
	case uint64:
		return AppendUint(b, e)
	case *big.Int:
		return AppendBigInt(b, e)
	case bool:
		return AppendBool(b, e)
	case float32:
		return AppendFloat32(b, e)
	case float64:
		return AppendFloat64(b, e)
	case UUID:
		return AppendUUID(b, e)
	case Versionstamp:
		return AppendVersionstamp(b, e)
	}
	panic(fmt.Sprintf("tuple: element of type %T", e))
}

// Unpack returns the tuple that key encodes.
func Unpack(key []byte) (Tuple, error) {
	t := Tuple{}
	for len(key) > 0 {
		e, rest, err := Decode(key)
		if err != nil {
			return nil, err
		}
		t, key = append(t, e), rest
	}
	return t, nil
}

// maxDepth bounds how deep tuples nest, so that a malformed key cannot exhaust
// the stack.
const maxDepth = 100

// Decode takes an element of any kind off b, as Tuple describes it.
func Decode(b []byte) (e any, rest []byte, err error) { return decode(b, 0) }

func decode(b []byte, depth int) (any, []byte, error) {
	switch k := Peek(b); k {
	case Null:
		return nil, b[1:], nil
	case Bytes:
		return element(DecodeBytes(b))
	case String:
		return element(DecodeString(b))
	case Nested:
		return element(decodeNested(b[1:], depth+1))
	case Int:
		return decodeInteger(b)
	case Bool:
		return element(DecodeBool(b))
	case Float32:
		return element(DecodeFloat32(b))
	case Float64:
		return element(DecodeFloat64(b))
	case UUIDKind:
		return element(DecodeUUID(b))
	case VersionstampKind:
		return element(DecodeVersionstamp(b))
	case End:
		return nil, nil, truncated(Nested)
	default:
		return nil, nil, fmt.Errorf("%w: unknown type code %#02x", ErrFormat, b[0])
	}
}

func element[T any](v T, rest []byte, err error) (any, []byte, error) { return v, rest, err }

func decodeInteger(b []byte) (any, []byte, error) {
	v, rest, err := DecodeBigInt(b)
	switch {
	case err != nil:
		return nil, nil, err
	case v.IsInt64():
		return v.Int64(), rest, nil
	case v.IsUint64():
		return v.Uint64(), rest, nil
	}
	return v, rest, nil
}

func decodeNested(b []byte, depth int) (Tuple, []byte, error) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("%w: nested more than %d deep", ErrFormat, maxDepth)
	}
	t := Tuple{}
	for {
		if rest, end := DecodeNestedEnd(b); end {
			return t, rest, nil
		}
		if rest, err := DecodeNestedNull(b); err == nil {
			t, b = append(t, nil), rest
			continue
		}
		e, rest, err := decode(b, depth)
		if err != nil {
			return nil, nil, err
		}
		t, b = append(t, e), rest
	}
}

// Range returns the range of the tuples that begin with the tuple that prefix
// encodes and have at least one element more.
func Range(prefix []byte) store.Range {
	return store.Range{Begin: with(prefix, 0x00), End: with(prefix, 0xff)}
}

func with(prefix []byte, c byte) []byte {
	b := make([]byte, len(prefix)+1)
	copy(b, prefix)
	b[len(prefix)] = c
	return b
}

// PrefixRange returns the range of all keys that start with the bytes of
// prefix, prefix itself included. The empty prefix gives all of the user's
// keys: those that start with 0xff belong to FoundationDB.
func PrefixRange(prefix []byte) store.Range {
	if len(prefix) == 0 {
		return store.Range{Begin: []byte{}, End: []byte{0xff}}
	}
	return store.Range{Begin: bytes.Clone(prefix), End: Strinc(prefix)}
}

// Strinc returns the first key that does not start with prefix and sorts after
// those that do. It panics if there is none, prefix being empty or all 0xff.
func Strinc(prefix []byte) []byte {
	trimmed := bytes.TrimRight(prefix, "\xff")
	if len(trimmed) == 0 {
		panic("tuple: no key sorts after every key with the prefix")
	}
	next := bytes.Clone(trimmed)
	next[len(next)-1]++
	return next
}
