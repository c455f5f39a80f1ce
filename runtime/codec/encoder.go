package codec

import (
	"math"
	"sync"
	"unicode/utf8"
)

// CBOR major types, shifted to where the first byte has them.
const (
	majorUint   = 0 << 5
	majorNegInt = 1 << 5
	majorBytes  = 2 << 5
	majorText   = 3 << 5
	majorArray  = 4 << 5
	majorMap    = 5 << 5
	majorTag    = 6 << 5
	majorSimple = 7 << 5
)

// First bytes of simple values and floats.
const (
	cborFalse   = 0xf4
	cborTrue    = 0xf5
	cborNull    = 0xf6
	cborFloat16 = 0xf9
	cborFloat32 = 0xfa
	cborFloat64 = 0xfb
)

// Encoder appends CBOR to a buffer. After a failure it appends nothing of use,
// and Finish returns the first failure.
type Encoder struct {
	b     []byte
	base  int // where the value begins in b
	depth int
	err   *Error
	node  *Unknown // unknown fields of the value that is encoded next
}

var encoders = sync.Pool{New: func() any { return new(Encoder) }}

// NewEncoder returns an encoder that appends to b. Finish must be called.
func NewEncoder(b []byte) *Encoder {
	e := encoders.Get().(*Encoder)
	*e = Encoder{b: b, base: len(b)}
	return e
}

// Finish returns the buffer; the encoder must not be used any more.
func (e *Encoder) Finish() ([]byte, error) {
	b, err := e.b, e.err
	*e = Encoder{}
	encoders.Put(e)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Fail makes Finish return an error, unless there is one already.
func (e *Encoder) Fail(message string) {
	if e.err == nil {
		e.err = &Error{Message: message}
	}
}

// enter begins something nested; it reports whether to go on.
func (e *Encoder) enter() bool {
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

func (e *Encoder) leave() { e.depth-- }

func (e *Encoder) head(major byte, n uint64) { e.b = appendHead(e.b, major, n) }

// appendHead appends a major type with its argument in the shortest form.
func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return append(b, major|25, byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return append(b, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, major|27, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func (e *Encoder) null() { e.b = append(e.b, cborNull) }

func (e *Encoder) bool(v bool) {
	if v {
		e.b = append(e.b, cborTrue)
	} else {
		e.b = append(e.b, cborFalse)
	}
}

func (e *Encoder) int(v int64) {
	if v < 0 {
		e.head(majorNegInt, uint64(^v))
	} else {
		e.head(majorUint, uint64(v))
	}
}

func (e *Encoder) string(v string) {
	major := byte(majorText)
	if !utf8.ValidString(v) {
		major = majorBytes
	}
	e.head(major, uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *Encoder) bytes(v []byte) {
	e.head(majorBytes, uint64(len(v)))
	e.b = append(e.b, v...)
}

// StructEncoder encodes one struct, a map by field name.
type StructEncoder struct {
	e    *Encoder
	node *Unknown
	next int // index in node.fields of what is not yet written
}

// Struct begins a struct of n fields. Each follows as Field and its value, in
// the order of their encoded names (shorter first, then by bytes); End ends it.
func (e *Encoder) Struct(n int) StructEncoder {
	s := StructEncoder{e: e, node: e.node}
	if s.node != nil {
		n += len(s.node.fields)
		e.node = nil
	}
	e.head(majorMap, uint64(n))
	return s
}

// Field begins a field; its value follows.
func (s *StructEncoder) Field(name string) {
	if s.node != nil {
		s.unknownBefore(name)
		s.e.node = s.node.field(name)
	}
	s.e.b = append(appendHead(s.e.b, majorText, uint64(len(name))), name...)
}

// unknownBefore writes the unknown fields whose names sort before name.
func (s *StructEncoder) unknownBefore(name string) {
	for s.next < len(s.node.fields) && compareNames(s.node.fields[s.next].name, name) < 0 {
		s.e.b = append(s.e.b, s.node.fields[s.next].raw...)
		s.next++
	}
}

// End ends the struct.
func (s *StructEncoder) End() {
	if s.node == nil {
		return
	}
	for _, f := range s.node.fields[s.next:] {
		s.e.b = append(s.e.b, f.raw...)
	}
	s.e.node = nil
}
