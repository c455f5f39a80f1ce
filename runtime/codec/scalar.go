package codec

import (
	"bytes"
	"math"
)

// Constraints on named types of one kind.
type (
	// Signed are the signed integers.
	Signed interface {
		~int | ~int8 | ~int16 | ~int32 | ~int64
	}
	// Unsigned are the unsigned integers.
	Unsigned interface {
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
	}
	// Float are the floating-point numbers.
	Float interface{ ~float32 | ~float64 }
	// Complex are the complex numbers.
	Complex interface{ ~complex64 | ~complex128 }
	// Byte are the types whose slices are byte strings.
	Byte interface{ ~uint8 }
)

// EncodeBool appends a boolean.
func EncodeBool[T ~bool](e *Encoder, v *T) { e.bool(bool(*v)) }

// DecodeBool reads a boolean.
func DecodeBool[T ~bool](d *Decoder, v *T) { *v = T(d.bool()) }

// EncodeInt appends a signed integer.
func EncodeInt[T Signed](e *Encoder, v *T) { e.int(int64(*v)) }

// DecodeInt reads a signed integer that is in the range of its type.
func DecodeInt[T Signed](d *Decoder, v *T) {
	i := d.int()
	if *v = T(i); int64(*v) != i {
		d.fail("integer %d out of range", i)
	}
}

// EncodeUint appends an unsigned integer.
func EncodeUint[T Unsigned](e *Encoder, v *T) { e.head(majorUint, uint64(*v)) }

// DecodeUint reads an unsigned integer that is in the range of its type.
func DecodeUint[T Unsigned](d *Decoder, v *T) {
	i := d.uint()
	if *v = T(i); uint64(*v) != i {
		d.fail("integer %d out of range", i)
	}
}

// EncodeFloat appends a floating-point number.
func EncodeFloat[T Float](e *Encoder, v *T) { e.float(float64(*v)) }

// DecodeFloat reads a floating-point number that its type holds exactly.
func DecodeFloat[T Float](d *Decoder, v *T) {
	f := d.float()
	if *v = T(f); math.Float64bits(float64(*v)) != math.Float64bits(f) {
		d.fail("number %v out of range", f)
	}
}

// EncodeComplex appends a complex number as an array of its two parts.
func EncodeComplex[T Complex](e *Encoder, v *T) {
	c := complex128(*v)
	e.head(majorArray, 2)
	e.float(real(c))
	e.float(imag(c))
}

// DecodeComplex reads a complex number that its type holds exactly.
func DecodeComplex[T Complex](d *Decoder, v *T) {
	if !d.tuple(2) {
		return
	}
	re := d.float()
	im := d.float()
	*v = T(complex(re, im))
	c := complex128(*v)
	if math.Float64bits(real(c)) != math.Float64bits(re) || math.Float64bits(imag(c)) != math.Float64bits(im) {
		d.fail("number %v out of range", complex(re, im))
	}
}

// tuple reads the head of an array of n elements.
func (d *Decoder) tuple(n int) bool {
	found, ok := d.want(majorArray)
	if ok && found != uint64(n) {
		d.fail("want array of %d, found %d", n, found)
		return false
	}
	return ok
}

// EncodeString appends a string.
func EncodeString[T ~string](e *Encoder, v *T) { e.string(string(*v)) }

// DecodeString reads a string.
func DecodeString[T ~string](d *Decoder, v *T) { *v = T(d.string()) }

// EncodeBytes appends a slice of bytes.
func EncodeBytes[S ~[]E, E Byte](e *Encoder, v *S) {
	if *v == nil {
		e.null()
		return
	}
	e.bytes(asBytes(*v))
}

// DecodeBytes reads a slice of bytes.
func DecodeBytes[S ~[]E, E Byte](d *Decoder, v *S) {
	if d.isNull() {
		return
	}
	if b := d.bytes(); d.err == nil {
		*v = ofBytes[S](bytes.Clone(b[:len(b):len(b)]))
	}
}

// EncodeByteArray appends an array of bytes, which v is a slice of.
func EncodeByteArray[E Byte](e *Encoder, v []E) { e.bytes(asBytes(v)) }

// DecodeByteArray reads an array of bytes into the slice v of it.
func DecodeByteArray[E Byte](d *Decoder, v []E) {
	b := d.bytes()
	if d.err == nil && len(b) != len(v) {
		d.fail("want %d bytes, found %d", len(v), len(b))
	}
	if d.err == nil {
		copy(asBytes(v), b)
	}
}
