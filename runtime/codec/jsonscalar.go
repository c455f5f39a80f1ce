package codec

import (
	"encoding/base64"
	"strconv"
	"unsafe"
)

// EncodeJSONBool appends a boolean.
func EncodeJSONBool[T ~bool](e *JSONEncoder, v *T) { e.b = strconv.AppendBool(e.b, bool(*v)) }

// DecodeJSONBool reads a boolean.
func DecodeJSONBool[T ~bool](d *JSONDecoder, v *T) {
	switch {
	case d.literal("true"):
		*v = true
	case d.literal("false"):
		*v = false
	default:
		d.mismatch("boolean")
	}
}

// EncodeJSONInt appends a signed integer.
func EncodeJSONInt[T Signed](e *JSONEncoder, v *T) { e.b = strconv.AppendInt(e.b, int64(*v), 10) }

// DecodeJSONInt reads a signed integer that is in the range of its type.
func DecodeJSONInt[T Signed](d *JSONDecoder, v *T) {
	text := d.number()
	if d.err != nil {
		return
	}
	i, err := strconv.ParseInt(string(text), 10, 8*int(unsafe.Sizeof(*v)))
	if err != nil {
		d.badInteger(text)
		return
	}
	*v = T(i)
}

// EncodeJSONUint appends an unsigned integer.
func EncodeJSONUint[T Unsigned](e *JSONEncoder, v *T) { e.b = strconv.AppendUint(e.b, uint64(*v), 10) }

// DecodeJSONUint reads an unsigned integer that is in the range of its type.
func DecodeJSONUint[T Unsigned](d *JSONDecoder, v *T) {
	text := d.number()
	if d.err != nil {
		return
	}
	i, err := strconv.ParseUint(string(text), 10, 8*int(unsafe.Sizeof(*v)))
	if err != nil {
		d.badInteger(text)
		return
	}
	*v = T(i)
}

func (d *JSONDecoder) badInteger(text []byte) {
	for _, c := range text {
		if c == '.' || c == 'e' || c == 'E' {
			d.fail("want integer, found %s", text)
			return
		}
	}
	d.fail("integer %s out of range", text)
}

// EncodeJSONFloat appends a floating-point number, which must be finite.
func EncodeJSONFloat[T Float](e *JSONEncoder, v *T) { e.float(float64(*v), 8*int(unsafe.Sizeof(*v))) }

// DecodeJSONFloat reads a floating-point number that is in the range of its type.
func DecodeJSONFloat[T Float](d *JSONDecoder, v *T) {
	text := d.number()
	if d.err != nil {
		return
	}
	f, err := strconv.ParseFloat(string(text), 8*int(unsafe.Sizeof(*v)))
	if err != nil {
		d.fail("number %s out of range", text)
		return
	}
	*v = T(f)
}

// EncodeJSONComplex fails: JSON has no complex numbers.
func EncodeJSONComplex[T Complex](e *JSONEncoder, _ *T) { e.Fail("complex numbers have no JSON form") }

// DecodeJSONComplex fails: JSON has no complex numbers.
func DecodeJSONComplex[T Complex](d *JSONDecoder, _ *T) { d.fail("complex numbers have no JSON form") }

// EncodeJSONString appends a string; bytes that are not UTF-8 become U+FFFD.
func EncodeJSONString[T ~string](e *JSONEncoder, v *T) { e.b = appendQuoted(e.b, string(*v)) }

// DecodeJSONString reads a string.
func DecodeJSONString[T ~string](d *JSONDecoder, v *T) { *v = T(d.text()) }

// EncodeJSONBytes appends a slice of bytes as base64.
func EncodeJSONBytes[S ~[]E, E Byte](e *JSONEncoder, v *S) {
	if *v == nil {
		e.Null()
		return
	}
	e.b = append(e.b, '"')
	e.b = base64.StdEncoding.AppendEncode(e.b, asBytes(*v))
	e.b = append(e.b, '"')
}

// DecodeJSONBytes reads a slice of bytes as base64.
func DecodeJSONBytes[S ~[]E, E Byte](d *JSONDecoder, v *S) {
	if d.isNull() {
		return
	}
	text := d.text()
	if d.err != nil {
		return
	}
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		d.fail("malformed base64")
		return
	}
	*v = ofBytes[S](b[:len(b):len(b)])
}

// EncodeJSONQuoted appends a scalar inside a string, as the tag's option
// "string" asks.
func EncodeJSONQuoted[T any](e *JSONEncoder, v *T, value func(*JSONEncoder, *T)) {
	start := len(e.b)
	value(e, v)
	if e.err != nil {
		return
	}
	if text := e.b[start:]; text[0] != '"' {
		e.b = append(e.b, '"', '"')
		copy(e.b[start+1:], e.b[start:len(e.b)-2])
		e.b[start] = '"'
		return
	}
	text := string(e.b[start:])
	e.b = appendQuoted(e.b[:start], text)
}

// DecodeJSONQuoted reads a scalar inside a string.
func DecodeJSONQuoted[T any](d *JSONDecoder, v *T, value func(*JSONDecoder, *T)) {
	text := d.text()
	if d.err != nil {
		return
	}
	inner := NewJSONDecoder([]byte(string(text)))
	value(inner, v)
	if err := inner.Finish(); err != nil {
		d.fail("in the string: %v", err)
	}
}
