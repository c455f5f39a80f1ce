package codec

import (
	"bytes"
	"encoding"
	"fmt"
	"slices"
	"strconv"
	"unsafe"

	"github.com/onefold/onefold/runtime/store/tuple"
)

// Key is how values of one Go type are encoded as keys: in FoundationDB's
// tuple encoding, whose byte order is the order of the values (strings by bytes,
// numbers by size, false before true, structs and arrays part by part).
type Key[K any] struct {
	// Append appends k as one tuple element.
	Append func(b []byte, k K) []byte
	// Decode reads one tuple element and returns what follows it.
	Decode func(b []byte) (K, []byte, error)
	// Text and ParseText convert to and from the name of a JSON member; nil
	// where there is no such form, as for structs.
	Text      func(k K) (string, error)
	ParseText func(s string) (K, error)
	// Value encodes the keys of maps inside values.
	Value *Type[K]
}

// Keys of Go's predeclared types.
var (
	StringKey  = StringKeys[string]()
	BoolKey    = BoolKeys[bool]()
	IntKey     = IntKeys[int]()
	Int8Key    = IntKeys[int8]()
	Int16Key   = IntKeys[int16]()
	Int32Key   = IntKeys[int32]()
	Int64Key   = IntKeys[int64]()
	UintKey    = UintKeys[uint]()
	Uint8Key   = UintKeys[uint8]()
	Uint16Key  = UintKeys[uint16]()
	Uint32Key  = UintKeys[uint32]()
	Uint64Key  = UintKeys[uint64]()
	UintptrKey = UintKeys[uintptr]()
)

// StringKeys are the keys of a string type.
func StringKeys[K ~string]() Key[K] {
	value := Strings[K]()
	return Key[K]{
		Append: AppendStringKey[K], Decode: DecodeStringKey[K], Value: &value,
		Text:      func(k K) (string, error) { return string(k), nil },
		ParseText: func(s string) (K, error) { return K(s), nil },
	}
}

// BoolKeys are the keys of a boolean type.
func BoolKeys[K ~bool]() Key[K] {
	value := Bools[K]()
	return Key[K]{Append: AppendBoolKey[K], Decode: DecodeBoolKey[K], Value: &value}
}

// IntKeys are the keys of a signed integer type.
func IntKeys[K Signed]() Key[K] {
	value := Ints[K]()
	return Key[K]{
		Append: AppendIntKey[K], Decode: DecodeIntKey[K], Value: &value,
		Text: func(k K) (string, error) { return strconv.FormatInt(int64(k), 10), nil },
		ParseText: func(s string) (K, error) {
			i, err := strconv.ParseInt(s, 10, 8*int(unsafe.Sizeof(K(0))))
			if err != nil {
				return 0, failf("want an integer key")
			}
			return K(i), nil
		},
	}
}

// UintKeys are the keys of an unsigned integer type.
func UintKeys[K Unsigned]() Key[K] {
	value := Uints[K]()
	return Key[K]{
		Append: AppendUintKey[K], Decode: DecodeUintKey[K], Value: &value,
		Text: func(k K) (string, error) { return strconv.FormatUint(uint64(k), 10), nil },
		ParseText: func(s string) (K, error) {
			i, err := strconv.ParseUint(s, 10, 8*int(unsafe.Sizeof(K(0))))
			if err != nil {
				return 0, failf("want an unsigned integer key")
			}
			return K(i), nil
		},
	}
}

// WithText returns the key with another text. Nil leaves what is.
func (key Key[K]) WithText(text func(K) (string, error), parse func(string) (K, error)) Key[K] {
	if text != nil {
		key.Text = text
	}
	if parse != nil {
		key.ParseText = parse
	}
	return key
}

// AppendStringKey appends a string as a tuple element.
func AppendStringKey[K ~string](b []byte, k K) []byte { return tuple.AppendString(b, string(k)) }

// DecodeStringKey reads a string.
func DecodeStringKey[K ~string](b []byte) (K, []byte, error) {
	s, rest, err := tuple.DecodeString(b)
	return K(s), rest, err
}

// AppendBoolKey appends a boolean as a tuple element.
func AppendBoolKey[K ~bool](b []byte, k K) []byte { return tuple.AppendBool(b, bool(k)) }

// DecodeBoolKey reads a boolean.
func DecodeBoolKey[K ~bool](b []byte) (K, []byte, error) {
	v, rest, err := tuple.DecodeBool(b)
	return K(v), rest, err
}

// AppendIntKey appends a signed integer as a tuple element.
func AppendIntKey[K Signed](b []byte, k K) []byte { return tuple.AppendInt(b, int64(k)) }

// DecodeIntKey reads a signed integer that is in the range of its type.
func DecodeIntKey[K Signed](b []byte) (K, []byte, error) {
	i, rest, err := tuple.DecodeInt(b)
	if k := K(i); err != nil || int64(k) == i {
		return k, rest, err
	}
	return 0, nil, failf("key %d out of range", i)
}

// AppendUintKey appends an unsigned integer as a tuple element.
func AppendUintKey[K Unsigned](b []byte, k K) []byte { return tuple.AppendUint(b, uint64(k)) }

// DecodeUintKey reads an unsigned integer that is in the range of its type.
func DecodeUintKey[K Unsigned](b []byte) (K, []byte, error) {
	i, rest, err := tuple.DecodeUint(b)
	if k := K(i); err != nil || uint64(k) == i {
		return k, rest, err
	}
	return 0, nil, failf("key %d out of range", i)
}

// AppendBytesKey appends an array of bytes, which k is a slice of, as a tuple element.
func AppendBytesKey[E Byte](b []byte, k []E) []byte { return tuple.AppendBytes(b, asBytes(k)) }

// BeginKey begins the element of a struct or array; its parts and EndKey follow.
func BeginKey(b []byte) []byte { return tuple.BeginNested(b) }

// EndKey ends the element that BeginKey began.
func EndKey(b []byte) []byte { return tuple.EndNested(b) }

// KeyDecoder reads the parts of a struct or array key.
type KeyDecoder struct {
	rest []byte
	err  error
}

// OpenKey begins to read the key of a struct or array from b; DecodePart
// follows for each part, and Close.
func OpenKey(b []byte) KeyDecoder {
	rest, err := tuple.DecodeNested(b)
	return KeyDecoder{rest, err}
}

// DecodePart reads one part of a key.
func DecodePart[K any](d *KeyDecoder, k *K, decode func([]byte) (K, []byte, error)) {
	if d.err == nil {
		*k, d.rest, d.err = decode(d.rest)
	}
}

// Close returns what follows the key.
func (d *KeyDecoder) Close() ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	rest, end := tuple.DecodeNestedEnd(d.rest)
	if !end {
		return nil, failf("key has more parts than its type")
	}
	return rest, nil
}

// DecodeBytesKey reads an array of bytes into the slice k of it, and returns
// what follows.
func DecodeBytesKey[E Byte](b []byte, k []E) ([]byte, error) {
	v, rest, err := tuple.DecodeBytes(b)
	if err == nil && len(v) != len(k) {
		err = failf("want a key of %d bytes, found %d", len(k), len(v))
	}
	if err != nil {
		return nil, err
	}
	copy(asBytes(k), v)
	return rest, nil
}

// KeyText is the text of keys that marshal themselves.
func KeyText[K encoding.TextMarshaler](k K) (string, error) {
	text, err := k.MarshalText()
	return string(text), err
}

// ParseKeyText reads what KeyText wrote.
func ParseKeyText[K any, P interface {
	*K
	encoding.TextUnmarshaler
}](s string) (K, error) {
	var k K
	err := P(&k).UnmarshalText([]byte(s))
	return k, err
}

// name is the key as messages show it.
func (key Key[K]) name(k K) string { return fmt.Sprintf("%#v", k) }

type encodedKey[K any] struct {
	key     K
	encoded []byte
}

// encodeKeys returns the keys of m in the order of their CBOR encodings.
func encodeKeys[K comparable, V any](e *Encoder, m map[K]V, key Key[K]) []encodedKey[K] {
	keys := make([]encodedKey[K], 0, len(m))
	for k := range m {
		keys = append(keys, encodedKey[K]{key: k})
	}
	// The keys are encoded at the buffer's end, one after another, and taken
	// from there at once.
	start := len(e.b)
	ends := make([]int, len(keys))
	for i := range keys {
		key.Value.Encode(e, &keys[i].key)
		ends[i] = len(e.b)
	}
	arena := bytes.Clone(e.b[start:])
	e.b = e.b[:start]
	from := 0
	for i, end := range ends {
		keys[i].encoded = arena[from : end-start]
		from = end - start
	}
	slices.SortFunc(keys, func(a, b encodedKey[K]) int { return bytes.Compare(a.encoded, b.encoded) })
	return keys
}
