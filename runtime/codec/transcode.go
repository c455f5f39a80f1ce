package codec

import (
	"encoding/base64"
	"math"
	"strconv"
)

// AppendCBORAsJSON appends a value that was encoded as CBOR as JSON, for people
// to read, without knowing its type: times are arrays as they are stored. Bytes are
// base64, numbers that JSON does not have are strings, and a map with keys that are
// neither text nor integers is an array of [key, value].
func AppendCBORAsJSON(out, cbor []byte) ([]byte, error) {
	d := NewDecoder(cbor)
	out = d.appendJSON(out)
	return out, d.Finish()
}

func (d *Decoder) appendJSON(out []byte) []byte {
	if !d.enter() {
		return out
	}
	defer d.leave()
	switch c := d.peek(); c & 0xe0 {
	case majorUint:
		return strconv.AppendUint(out, d.uint(), 10)
	case majorNegInt:
		return strconv.AppendInt(out, d.int(), 10)
	case majorBytes:
		return appendQuoted(out, base64.StdEncoding.EncodeToString(d.bytes()))
	case majorText:
		return appendQuoted(out, string(d.text()))
	case majorArray:
		n, _ := d.length(majorArray, 1)
		out = append(out, '[')
		for i := 0; i < n && d.err == nil; i++ {
			if i > 0 {
				out = append(out, ',')
			}
			out = d.appendJSON(out)
		}
		return append(out, ']')
	case majorMap:
		return d.appendJSONMap(out)
	case majorTag:
		d.head()
		return d.appendJSON(out)
	}
	return d.appendJSONSimple(out)
}

func (d *Decoder) appendJSONSimple(out []byte) []byte {
	switch d.peek() {
	case cborNull:
		d.i++
		return append(out, "null"...)
	case cborTrue, cborFalse:
		return strconv.AppendBool(out, d.bool())
	}
	f := d.float()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendQuoted(out, strconv.FormatFloat(f, 'g', -1, 64))
	}
	e := NewJSONEncoder(out)
	EncodeJSONFloat(e, &f)
	out, _ = e.Finish() // finite numbers have a form
	return out
}

// appendJSONMap appends a map as an object if all its keys can be names.
func (d *Decoder) appendJSONMap(out []byte) []byte {
	start := d.i
	n, _ := d.length(majorMap, 2)
	named := true
	for i := 0; i < n && d.err == nil; i++ {
		major := d.peek() & 0xe0
		named = named && (major == majorText || major == majorUint || major == majorNegInt)
		d.skip()
		d.skip()
	}
	if d.err != nil {
		return out
	}
	d.i = start
	d.head()
	open, between, end := "{", ":", "}"
	if !named {
		open, between, end = "[[", ",", "]]"
	}
	if n == 0 {
		return append(append(out, open[0]), end[len(end)-1])
	}
	out = append(out, open...)
	for i := range n {
		switch {
		case i > 0 && named:
			out = append(out, ',')
		case i > 0:
			out = append(out, "],["...)
		}
		out = d.appendJSONKey(out, named)
		out = append(out, between...)
		out = d.appendJSON(out)
	}
	return append(out, end...)
}

func (d *Decoder) appendJSONKey(out []byte, named bool) []byte {
	if !named || d.peek()&0xe0 == majorText {
		return d.appendJSON(out)
	}
	return append(d.appendJSON(append(out, '"')), '"')
}
