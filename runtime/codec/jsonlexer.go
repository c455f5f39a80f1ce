package codec

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// number reads a number and returns its text.
func (d *JSONDecoder) number() []byte {
	c := d.next()
	if c != '-' && (c < '0' || c > '9') {
		d.mismatch("number")
		return nil
	}
	n := numberLength(d.b[d.i:])
	if n == 0 {
		d.fail("malformed number")
		return nil
	}
	text := d.b[d.i : d.i+n]
	d.i += n
	return text
}

// numberLength returns the length of the JSON number at the beginning of b, 0
// if there is none.
func numberLength(b []byte) int {
	i := 0
	digits := func() bool {
		start := i
		for i < len(b) && '0' <= b[i] && b[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return 0
	}
	if i < len(b) && b[i] == '.' {
		i++
		if !digits() {
			return 0
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}

// text reads a string. The bytes are the input's, or valid until the next
// string is read.
func (d *JSONDecoder) text() []byte {
	if d.next() != '"' {
		d.mismatch("string")
		return nil
	}
	start := d.i + 1
	for i := start; i < len(d.b); i++ {
		switch c := d.b[i]; {
		case c == '"':
			d.i = i + 1
			return d.checked(d.b[start:i])
		case c == '\\':
			return d.escaped(start, i)
		case c < ' ':
			d.fail("control character in string")
			return nil
		}
	}
	d.fail("unexpected end of string")
	return nil
}

func (d *JSONDecoder) checked(s []byte) []byte {
	if !utf8.Valid(s) {
		d.fail("string is not UTF-8")
		return nil
	}
	return s
}

// escaped reads the rest of a string from its first backslash at i.
func (d *JSONDecoder) escaped(start, i int) []byte {
	s := append(d.scratch[:0], d.b[start:i]...)
	for i < len(d.b) {
		switch c := d.b[i]; {
		case c == '"':
			d.i = i + 1
			d.scratch = s
			return d.checked(s)
		case c < ' ':
			d.fail("control character in string")
			return nil
		case c != '\\':
			s = append(s, c)
			i++
		default:
			var n int
			s, n = unescape(s, d.b[i:])
			if n == 0 {
				d.fail("malformed escape in string")
				return nil
			}
			i += n
		}
	}
	d.fail("unexpected end of string")
	return nil
}

// unescape appends what the escape sequence at the beginning of b stands for,
// and returns the sequence's length, 0 if it is malformed.
func unescape(s, b []byte) ([]byte, int) {
	if len(b) < 2 {
		return s, 0
	}
	if c := strings.IndexByte(`"\/bfnrt`, b[1]); c >= 0 {
		return append(s, "\"\\/\b\f\n\r\t"[c]), 2
	}
	r := hexRune(b)
	switch {
	case r < 0:
		return s, 0
	case utf16.IsSurrogate(r):
		r = utf16.DecodeRune(r, hexRune(b[6:]))
		if r == utf8.RuneError {
			return s, 0
		}
		return utf8.AppendRune(s, r), 12
	}
	return utf8.AppendRune(s, r), 6
}

// hexRune returns the value of the \uXXXX at the beginning of b, -1 if there is none.
func hexRune(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
