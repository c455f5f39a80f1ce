package codec

import "time"

// Codecs of Go's predeclared types and those every program uses.
var (
	Bool       = Bools[bool]()
	Int        = Ints[int]()
	Int8       = Ints[int8]()
	Int16      = Ints[int16]()
	Int32      = Ints[int32]()
	Int64      = Ints[int64]()
	Uint       = Uints[uint]()
	Uint8      = Uints[uint8]()
	Uint16     = Uints[uint16]()
	Uint32     = Uints[uint32]()
	Uint64     = Uints[uint64]()
	Uintptr    = Uints[uintptr]()
	Float32    = Floats[float32]()
	Float64    = Floats[float64]()
	Complex64  = Complexes[complex64]()
	Complex128 = Complexes[complex128]()
	String     = Strings[string]()
	Bytes      = ByteSlices[[]byte]()
	Duration   = Ints[time.Duration]()
	Time       = Type[time.Time]{Encode: EncodeTime, Decode: DecodeTime, EncodeJSON: EncodeJSONTime, DecodeJSON: DecodeJSONTime}
)

// Bools is the codec of a boolean type.
func Bools[T ~bool]() Type[T] {
	return Type[T]{Encode: EncodeBool[T], Decode: DecodeBool[T], EncodeJSON: EncodeJSONBool[T], DecodeJSON: DecodeJSONBool[T]}
}

// Ints is the codec of a signed integer type.
func Ints[T Signed]() Type[T] {
	return Type[T]{
		Encode: EncodeInt[T], Decode: DecodeInt[T], EncodeJSON: EncodeJSONInt[T], DecodeJSON: DecodeJSONInt[T],
		Int: intOf[T], SetInt: setInt[T],
	}
}

// Uints is the codec of an unsigned integer type.
func Uints[T Unsigned]() Type[T] {
	return Type[T]{
		Encode: EncodeUint[T], Decode: DecodeUint[T], EncodeJSON: EncodeJSONUint[T], DecodeJSON: DecodeJSONUint[T],
		Int: intOf[T], SetInt: setInt[T],
	}
}

func intOf[T Signed | Unsigned](v *T) int64     { return int64(*v) }
func setInt[T Signed | Unsigned](v *T, i int64) { *v = T(i) }

// Floats is the codec of a floating-point type.
func Floats[T Float]() Type[T] {
	return Type[T]{Encode: EncodeFloat[T], Decode: DecodeFloat[T], EncodeJSON: EncodeJSONFloat[T], DecodeJSON: DecodeJSONFloat[T]}
}

// Complexes is the codec of a complex type.
func Complexes[T Complex]() Type[T] {
	return Type[T]{Encode: EncodeComplex[T], Decode: DecodeComplex[T], EncodeJSON: EncodeJSONComplex[T], DecodeJSON: DecodeJSONComplex[T]}
}

// Strings is the codec of a string type.
func Strings[T ~string]() Type[T] {
	return Type[T]{Encode: EncodeString[T], Decode: DecodeString[T], EncodeJSON: EncodeJSONString[T], DecodeJSON: DecodeJSONString[T]}
}

// ByteSlices is the codec of a slice of bytes.
func ByteSlices[S ~[]E, E Byte]() Type[S] {
	return Type[S]{
		Encode: EncodeBytes[S], Decode: DecodeBytes[S], EncodeJSON: EncodeJSONBytes[S], DecodeJSON: DecodeJSONBytes[S],
		Objects: func(v *S, visit Visit) { VisitSlice(v, visit, nil) },
		Refs:    true, Nullable: true,
	}
}

// Slice is the codec of a slice of elem.
func Slice[E any](elem Type[E]) Type[[]E] {
	return Type[[]E]{
		Encode:     func(e *Encoder, v *[]E) { EncodeSlice(e, v, elem.Encode) },
		Decode:     func(d *Decoder, v *[]E) { DecodeSlice(d, v, elem.Decode) },
		EncodeJSON: func(e *JSONEncoder, v *[]E) { EncodeJSONSlice(e, v, elem.EncodeJSON) },
		DecodeJSON: func(d *JSONDecoder, v *[]E) { DecodeJSONSlice(d, v, elem.DecodeJSON) },
		Objects:    func(v *[]E, visit Visit) { VisitSlice(v, visit, elem.Objects) },
		Refs:       true, Pointers: elem.Pointers, Nullable: true,
	}
}

// Array is the codec of an array A of elem. slice returns the slice of an array:
//
//	Array(func(v *[4]int) []int { return v[:] }, Int)
func Array[A, E any](slice func(v *A) []E, elem Type[E]) Type[A] {
	t := Type[A]{
		Encode:     func(e *Encoder, v *A) { EncodeArray(e, slice(v), elem.Encode) },
		Decode:     func(d *Decoder, v *A) { DecodeArray(d, slice(v), elem.Decode) },
		EncodeJSON: func(e *JSONEncoder, v *A) { EncodeJSONArray(e, slice(v), elem.EncodeJSON) },
		DecodeJSON: func(d *JSONDecoder, v *A) { DecodeJSONArray(d, slice(v), elem.DecodeJSON) },
		Refs:       elem.Refs, Pointers: elem.Pointers,
	}
	if elem.Objects != nil {
		t.Objects = func(v *A, visit Visit) { VisitArray(slice(v), visit, elem.Objects) }
	}
	return t
}

// MapOf is the codec of a map from key to elem.
func MapOf[K comparable, V any](key Key[K], elem Type[V]) Type[map[K]V] {
	return Type[map[K]V]{
		Encode:     func(e *Encoder, v *map[K]V) { EncodeMap(e, v, key, elem.Encode) },
		Decode:     func(d *Decoder, v *map[K]V) { DecodeMap(d, v, key, elem.Decode) },
		EncodeJSON: func(e *JSONEncoder, v *map[K]V) { EncodeJSONMap(e, v, key, elem.EncodeJSON) },
		DecodeJSON: func(d *JSONDecoder, v *map[K]V) { DecodeJSONMap(d, v, key, elem.DecodeJSON) },
		Objects:    func(v *map[K]V, visit Visit) { VisitMap(v, visit, elem.Objects) },
		Refs:       true, Pointers: elem.Pointers, Nullable: true,
	}
}

// Pointer is the codec of a pointer to elem.
func Pointer[E any](elem Type[E]) Type[*E] {
	t := Type[*E]{
		Encode:     func(e *Encoder, v **E) { EncodePointer(e, v, elem.Encode) },
		Decode:     func(d *Decoder, v **E) { DecodePointer(d, v, elem.Decode) },
		EncodeJSON: func(e *JSONEncoder, v **E) { EncodeJSONPointer(e, v, elem.EncodeJSON) },
		DecodeJSON: func(d *JSONDecoder, v **E) { DecodeJSONPointer(d, v, elem.DecodeJSON) },
		Objects:    func(v **E, visit Visit) { VisitPointer(v, visit, elem.Objects) },
		Refs:       true, Pointers: true, Nullable: true,
	}
	if elem.Nullable {
		t.Encode = func(e *Encoder, v **E) { EncodeBox(e, v, elem.Encode) }
		t.Decode = func(d *Decoder, v **E) { DecodeBox(d, v, elem.Decode) }
	}
	return t
}

// WithJSON returns the codec with another JSON form.
func (t Type[T]) WithJSON(encode func(*JSONEncoder, *T), decode func(*JSONDecoder, *T)) Type[T] {
	t.EncodeJSON, t.DecodeJSON = encode, decode
	return t
}
