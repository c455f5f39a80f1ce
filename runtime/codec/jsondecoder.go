package codec

import (
	"sync"
	"unicode/utf8"
)

// JSONDecoder reads JSON. After a failure it reads nothing more, and Finish
// returns the first failure.
type JSONDecoder struct {
	b       []byte
	i       int
	depth   int
	err     *Error
	scratch []byte // the string read last, where it had escapes
}

var jsonDecoders = sync.Pool{New: func() any { return new(JSONDecoder) }}

// NewJSONDecoder returns a decoder of b. Finish must be called.
func NewJSONDecoder(b []byte) *JSONDecoder {
	d := jsonDecoders.Get().(*JSONDecoder)
	*d = JSONDecoder{b: b}
	return d
}

// Finish returns what failed, or that something follows the value. The decoder
// must not be used any more.
func (d *JSONDecoder) Finish() error {
	d.space()
	if d.i < len(d.b) {
		d.fail("%s follows the value", d.found())
	}
	err := d.err
	*d = JSONDecoder{}
	jsonDecoders.Put(d)
	if err != nil {
		return err
	}
	return nil
}

// Fail makes Finish return an error, unless there is one already.
func (d *JSONDecoder) Fail(message string) { d.fail("%s", message) }

func (d *JSONDecoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = failf(format, args...)
		d.i = len(d.b)
	}
}

func (d *JSONDecoder) enter() bool {
	d.depth++
	if d.depth > MaxDepth {
		d.fail("nested deeper than %d", MaxDepth)
	}
	return d.err == nil
}

func (d *JSONDecoder) leave() { d.depth-- }

func (d *JSONDecoder) space() {
	for d.i < len(d.b) {
		switch d.b[d.i] {
		case ' ', '\t', '\n', '\r':
			d.i++
		default:
			return
		}
	}
}

// next skips white space and returns the byte after it, 0 at the end.
func (d *JSONDecoder) next() byte {
	d.space()
	if d.i < len(d.b) {
		return d.b[d.i]
	}
	return 0
}

// found names what is next, for messages.
func (d *JSONDecoder) found() string {
	switch c := d.next(); {
	case d.i >= len(d.b):
		return "the end"
	case c == '"':
		return "string"
	case c == '{':
		return "object"
	case c == '[':
		return "array"
	case c == 't' || c == 'f':
		return "boolean"
	case c == 'n':
		return "null"
	case c == '-' || '0' <= c && c <= '9':
		return "number"
	}
	r, _ := utf8.DecodeRune(d.b[d.i:])
	return "character " + string(appendQuoted(nil, string(r)))
}

func (d *JSONDecoder) mismatch(want string) { d.fail("want %s, found %s", want, d.found()) }

// literal reads the given word if it is next.
func (d *JSONDecoder) literal(word string) bool {
	d.space()
	if len(d.b)-d.i < len(word) || string(d.b[d.i:d.i+len(word)]) != word {
		return false
	}
	d.i += len(word)
	return true
}

func (d *JSONDecoder) isNull() bool { return d.next() == 'n' && d.literal("null") }

// raw reads one value of any kind and returns its text.
func (d *JSONDecoder) raw() []byte {
	d.space()
	start := d.i
	d.skip()
	if d.err != nil {
		return nil
	}
	return d.b[start:d.i]
}

func (d *JSONDecoder) skip() {
	switch c := d.next(); {
	case c == '{':
		for o := d.members(); o.next(); {
			d.skip()
		}
	case c == '[':
		for a := d.Array(); a.Next(); {
			d.skip()
		}
	case c == '"':
		d.text()
	case c == 't' && d.literal("true"), c == 'f' && d.literal("false"), c == 'n' && d.literal("null"):
	case c == '-' || '0' <= c && c <= '9':
		d.number()
	default:
		d.mismatch("value")
	}
}
