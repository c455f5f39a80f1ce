// Package codec turns Go values into bytes and back without reflection: CBOR
// for the store and JSON for the API, a pair of each for a Go type, and
// order-preserving keys.
//
// Generated code composes the functions of this package: a struct's encoder is
// straight-line code over its fields. A [Type] bundles what the runtime needs to
// know of one Go type; a [Key] does the same for the key of a persistent map.
//
// # Stored bytes
//
// Values are RFC 8949 core deterministic CBOR, so equal values have equal
// bytes; nothing else is accepted when reading. Structs are maps by field name,
// unexported fields included. Nil and empty slices and maps stay distinct (null,
// and an empty array or map). A pointer is what it points to, or null; a
// pointer to something that may itself be null is an array of one. Strings that
// are not UTF-8 are byte strings. A time keeps its instant and zone. Floats keep
// every bit. A field that is missing is the zero value; fields that this
// program does not know are kept aside ([Unknown]) and written back.
//
// # JSON
//
// Output is byte for byte what encoding/json gives (pointer receivers of
// marshalers are always called). Input is a subset of what encoding/json
// accepts, and means the same. Refused are: members that no field has, field
// names in another case, duplicate names, null for anything but a pointer, a
// slice, a map or a type with UnmarshalJSON, arrays of another length than the
// Go array's, invalid UTF-8 and lone surrogates.
package codec

import "slices"

// Limits of both formats. They stop cyclic objects and hostile input.
const (
	MaxDepth = 10_000   // nested arrays, maps and objects
	MaxSize  = 64 << 20 // bytes of one encoded value
)

// Type is how values of one Go type are encoded. Its functions decode into
// zero values only, share no memory with their input, and report failure to the
// encoder or decoder they are given.
type Type[T any] struct {
	Encode     func(e *Encoder, v *T)     // CBOR
	Decode     func(d *Decoder, v *T)     // CBOR
	EncodeJSON func(e *JSONEncoder, v *T) // JSON
	DecodeJSON func(d *JSONDecoder, v *T) // JSON

	// Objects shows visit every object that v refers to; nil where there is
	// nothing to show.
	Objects func(v *T, visit Visit)

	Refs     bool // holds slices, maps or pointers: a copy may be changed through the original
	Pointers bool // holds pointers
	Nullable bool // is a slice, map or pointer

	// Int and SetInt convert integers, wrapping as Go does; nil for other types.
	Int    func(v *T) int64
	SetInt func(v *T, i int64)
}

// Append appends v as CBOR.
func (t Type[T]) Append(b []byte, v *T) ([]byte, error) {
	return t.appendKeeping(b, v, nil)
}

func (t Type[T]) appendKeeping(b []byte, v *T, unknown *Unknown) ([]byte, error) {
	e := NewEncoder(b)
	e.node = unknown
	t.Encode(e, v)
	return e.Finish()
}

// Parse decodes the CBOR value b into v, which it sets to zero first.
func (t Type[T]) Parse(b []byte, v *T) error {
	_, _, err := t.parse(b, v)
	return err
}

func (t Type[T]) parse(b []byte, v *T) (unknown *Unknown, loose bool, err error) {
	var zero T
	*v = zero
	d := NewDecoder(b)
	t.Decode(d, v)
	return d.finish()
}

// AppendJSON appends v as JSON.
func (t Type[T]) AppendJSON(b []byte, v *T) ([]byte, error) {
	e := NewJSONEncoder(b)
	t.EncodeJSON(e, v)
	return e.Finish()
}

// ParseJSON decodes the JSON text b into v, which it sets to zero first.
func (t Type[T]) ParseJSON(b []byte, v *T) error {
	var zero T
	*v = zero
	d := NewJSONDecoder(b)
	t.DecodeJSON(d, v)
	return d.Finish()
}

// Origin is what the store held where a value was loaded.
type Origin struct {
	// Base is what Save makes of the value as it was loaded: the stored bytes
	// themselves, or others where those lacked fields of the type, or hold what
	// is encoded differently today. A later Save that gives something else
	// tells that the value was changed in place. It is nil for types without Refs.
	Base []byte
	// Unknown are the fields that the type does not have; nil where there are none.
	Unknown *Unknown
}

// Load decodes a whole stored value into v. The origin may refer to b.
func (t Type[T]) Load(b []byte, v *T) (Origin, error) {
	if t.SetInt != nil {
		return Origin{}, t.loadInt(b, v)
	}
	unknown, loose, err := t.parse(b, v)
	if err != nil {
		return Origin{}, err
	}
	o := Origin{Unknown: unknown}
	if t.Refs {
		o.Base = b
	}
	if unknown != nil || loose && t.Refs {
		// Encoding also lets unknown learn the elements it belongs to.
		base, err := t.Save(nil, v, unknown)
		if err != nil || !t.Refs {
			return o, err
		}
		o.Base = base
	}
	return o, nil
}

// Save appends v as a whole stored value, together with the unknown fields that
// Load found in its place. Integers are 8 bytes little-endian, so that the
// store can add to them; everything else is CBOR.
func (t Type[T]) Save(b []byte, v *T, unknown *Unknown) ([]byte, error) {
	if t.Int != nil {
		return AppendInteger(b, t.Int(v)), nil
	}
	return t.appendKeeping(b, v, unknown)
}

func (t Type[T]) loadInt(b []byte, v *T) error {
	i, err := ParseInteger(b)
	if err == nil {
		t.SetInt(v, i)
	}
	return err
}

// AppendInteger appends i as a whole stored integer, which is also the operand
// of the store's add.
func AppendInteger(b []byte, i int64) []byte {
	u := uint64(i)
	return append(b, byte(u), byte(u>>8), byte(u>>16), byte(u>>24), byte(u>>32), byte(u>>40), byte(u>>48), byte(u>>56))
}

// ParseInteger reads a whole stored integer.
func ParseInteger(b []byte) (int64, error) {
	if len(b) != 8 {
		return 0, failf("want an integer of 8 bytes, found %d bytes", len(b))
	}
	var u uint64
	for _, c := range slices.Backward(b) {
		u = u<<8 | uint64(c)
	}
	return int64(u), nil
}
