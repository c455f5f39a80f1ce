package codec

import (
	"bytes"
	"encoding"
	"encoding/json"
)

// Codecs of types that marshal themselves. P is *T, whose method set holds T's.

// EncodeBinary appends what MarshalBinary gives.
func EncodeBinary[T any, P interface {
	*T
	encoding.BinaryMarshaler
}](e *Encoder, v *T) {
	b, err := P(v).MarshalBinary()
	if err != nil {
		e.Fail(err.Error())
		return
	}
	e.bytes(b)
}

// DecodeBinary reads what EncodeBinary wrote.
func DecodeBinary[T any, P interface {
	*T
	encoding.BinaryUnmarshaler
}](d *Decoder, v *T) {
	b := d.bytes()
	d.loose = true // the method may read more than one form
	if d.err != nil {
		return
	}
	if err := P(v).UnmarshalBinary(bytes.Clone(b)); err != nil {
		d.Fail(err.Error())
	}
}

// GobEncoder is gob.GobEncoder.
type GobEncoder interface{ GobEncode() ([]byte, error) }

// GobDecoder is gob.GobDecoder.
type GobDecoder interface{ GobDecode([]byte) error }

// EncodeGob appends what GobEncode gives.
func EncodeGob[T any, P interface {
	*T
	GobEncoder
}](e *Encoder, v *T) {
	b, err := P(v).GobEncode()
	if err != nil {
		e.Fail(err.Error())
		return
	}
	e.bytes(b)
}

// DecodeGob reads what EncodeGob wrote.
func DecodeGob[T any, P interface {
	*T
	GobDecoder
}](d *Decoder, v *T) {
	b := d.bytes()
	d.loose = true // the method may read more than one form
	if d.err != nil {
		return
	}
	if err := P(v).GobDecode(bytes.Clone(b)); err != nil {
		d.Fail(err.Error())
	}
}

// EncodeText appends what MarshalText gives.
func EncodeText[T any, P interface {
	*T
	encoding.TextMarshaler
}](e *Encoder, v *T) {
	b, err := P(v).MarshalText()
	if err != nil {
		e.Fail(err.Error())
		return
	}
	e.string(string(b))
}

// DecodeText reads what EncodeText wrote.
func DecodeText[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](d *Decoder, v *T) {
	s := d.string()
	d.loose = true
	if d.err != nil {
		return
	}
	if err := P(v).UnmarshalText([]byte(s)); err != nil {
		d.Fail(err.Error())
	}
}

// EncodeJSONText appends what MarshalText gives as a string.
func EncodeJSONText[T any, P interface {
	*T
	encoding.TextMarshaler
}](e *JSONEncoder, v *T) {
	b, err := P(v).MarshalText()
	if err != nil {
		e.Fail(err.Error())
		return
	}
	e.b = appendQuoted(e.b, b)
}

// DecodeJSONText reads what EncodeJSONText wrote.
func DecodeJSONText[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](d *JSONDecoder, v *T) {
	text := d.text()
	if d.err != nil {
		return
	}
	if err := P(v).UnmarshalText(bytes.Clone(text)); err != nil {
		d.Fail(err.Error())
	}
}

// EncodeJSONMethod appends what MarshalJSON gives, compacted as encoding/json does.
func EncodeJSONMethod[T any, P interface {
	*T
	json.Marshaler
}](e *JSONEncoder, v *T) {
	b, err := P(v).MarshalJSON()
	if err != nil {
		e.Fail(err.Error())
		return
	}
	var compact, escaped bytes.Buffer
	if err := json.Compact(&compact, b); err != nil {
		e.Fail("MarshalJSON: " + err.Error())
		return
	}
	json.HTMLEscape(&escaped, compact.Bytes())
	e.b = append(e.b, escaped.Bytes()...)
}

// DecodeJSONMethod gives the next value to UnmarshalJSON.
func DecodeJSONMethod[T any, P interface {
	*T
	json.Unmarshaler
}](d *JSONDecoder, v *T) {
	raw := d.raw()
	if d.err != nil {
		return
	}
	if err := P(v).UnmarshalJSON(bytes.Clone(raw)); err != nil {
		d.Fail(err.Error())
	}
}
