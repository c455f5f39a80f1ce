package codec

import (
	"math"
	"strconv"
	"sync"
	"unicode/utf8"
)

// JSONEncoder appends JSON to a buffer. After a failure it appends nothing of
// use, and Finish returns the first failure.
type JSONEncoder struct {
	b     []byte
	base  int
	depth int
	err   *Error
}

var jsonEncoders = sync.Pool{New: func() any { return new(JSONEncoder) }}

// NewJSONEncoder returns an encoder that appends to b. Finish must be called.
func NewJSONEncoder(b []byte) *JSONEncoder {
	e := jsonEncoders.Get().(*JSONEncoder)
	*e = JSONEncoder{b: b, base: len(b)}
	return e
}

// Finish returns the buffer; the encoder must not be used any more.
func (e *JSONEncoder) Finish() ([]byte, error) {
	b, err := e.b, e.err
	*e = JSONEncoder{}
	jsonEncoders.Put(e)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Fail makes Finish return an error, unless there is one already.
func (e *JSONEncoder) Fail(message string) {
	if e.err == nil {
		e.err = &Error{Message: message}
	}
}

func (e *JSONEncoder) enter() bool {
	e.depth++
	switch {
	case e.err != nil:
	case e.depth > MaxDepth:
		e.err = failf("nested deeper than %d: is it cyclic?", MaxDepth)
	case len(e.b)-e.base > MaxSize:
		e.err = failf("larger than %d bytes", MaxSize)
	}
	return e.err == nil
}

func (e *JSONEncoder) leave() { e.depth-- }

// Object begins an object; Name and a value follow for each member, and EndObject.
func (e *JSONEncoder) Object() { e.b = append(e.b, '{') }

// Name begins a member. The name is written as it is: it holds nothing that
// JSON escapes, or is escaped already.
func (e *JSONEncoder) Name(name string) {
	if e.b[len(e.b)-1] != '{' {
		e.b = append(e.b, ',')
	}
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, '"', ':')
}

// EndObject ends an object.
func (e *JSONEncoder) EndObject() { e.b = append(e.b, '}') }

// Array begins an array; Element and a value follow for each element, and EndArray.
func (e *JSONEncoder) Array() { e.b = append(e.b, '[') }

// Element begins an element.
func (e *JSONEncoder) Element() {
	if e.b[len(e.b)-1] != '[' {
		e.b = append(e.b, ',')
	}
}

// EndArray ends an array.
func (e *JSONEncoder) EndArray() { e.b = append(e.b, ']') }

// Null appends null.
func (e *JSONEncoder) Null() { e.b = append(e.b, "null"...) }

// float appends v as encoding/json does: as ES6 would, with 'e' for very large
// and small numbers.
func (e *JSONEncoder) float(v float64, bits int) {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		e.Fail(strconv.FormatFloat(v, 'g', -1, bits) + " is no JSON number")
		return
	}
	format := byte('f')
	if abs := math.Abs(v); abs != 0 {
		if bits == 64 && (abs < 1e-6 || abs >= 1e21) || bits == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
			format = 'e'
		}
	}
	e.b = strconv.AppendFloat(e.b, v, format, -1, bits)
	if n := len(e.b); format == 'e' && n >= 4 && e.b[n-4] == 'e' && (e.b[n-3] == '-' || e.b[n-3] == '+') && e.b[n-2] == '0' {
		e.b[n-2] = e.b[n-1] // e-09 to e-9
		e.b = e.b[:n-1]
	}
}

const hexDigits = "0123456789abcdef"

// plain[c] reports whether the ASCII character c stands for itself in a string.
var plain = func() (t [utf8.RuneSelf]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0x7f
	}
	t[0x7f] = true
	return t
}()

// appendQuoted appends s as a JSON string, escaped as encoding/json does.
func appendQuoted[S ~string | ~[]byte](b []byte, s S) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if plain[c] {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			b = appendEscape(b, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029': // line ends in JavaScript
			b = append(b, s[start:i]...)
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&0xf])
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '\\', '"':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}
