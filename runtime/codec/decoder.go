package codec

import (
	"bytes"
	"math"
	"sync"
	"unicode/utf8"
)

// Decoder reads CBOR. After a failure it reads nothing more, and Finish returns
// the first failure.
type Decoder struct {
	b       []byte
	i       int
	depth   int
	err     *Error
	unknown *Unknown // unknown fields in the value decoded last
	loose   bool     // the value may not encode to the same bytes
}

var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// NewDecoder returns a decoder of b. Finish must be called.
func NewDecoder(b []byte) *Decoder {
	d := decoders.Get().(*Decoder)
	*d = Decoder{b: b}
	return d
}

// Finish returns what failed, or that something follows the value. The decoder
// must not be used any more.
func (d *Decoder) Finish() error {
	_, _, err := d.finish()
	return err
}

func (d *Decoder) finish() (unknown *Unknown, loose bool, err error) {
	if d.i < len(d.b) {
		d.fail("%d bytes follow the value", len(d.b)-d.i)
	}
	if d.err != nil {
		err = d.err
	}
	unknown, loose = d.unknown, d.loose
	*d = Decoder{}
	decoders.Put(d)
	return unknown, loose, err
}

// Fail makes Finish return an error, unless there is one already.
func (d *Decoder) Fail(message string) { d.fail("%s", message) }

func (d *Decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = failf(format, args...)
		d.i = len(d.b)
	}
}

func (d *Decoder) enter() bool {
	d.depth++
	if d.depth > MaxDepth {
		d.fail("nested deeper than %d", MaxDepth)
	}
	return d.err == nil
}

func (d *Decoder) leave() { d.depth-- }

// peek returns the next byte, or 0xff (which begins no value) at the end.
func (d *Decoder) peek() byte {
	if d.i < len(d.b) {
		return d.b[d.i]
	}
	return 0xff
}

// head reads a major type, in place, and its argument, which must have the
// shortest form. For simple values and floats the argument is not checked.
func (d *Decoder) head() (major byte, n uint64, ok bool) {
	if d.i >= len(d.b) {
		d.fail("unexpected end")
		return 0, 0, false
	}
	c := d.b[d.i]
	d.i++
	major, info := c&0xe0, c&0x1f
	if info < 24 {
		return major, uint64(info), true
	}
	if info > 27 {
		d.fail("indefinite lengths and reserved forms are not used here")
		return 0, 0, false
	}
	size := 1 << (info - 24)
	if len(d.b)-d.i < size {
		d.fail("unexpected end")
		return 0, 0, false
	}
	for _, c := range d.b[d.i : d.i+size] {
		n = n<<8 | uint64(c)
	}
	d.i += size
	if major != majorSimple && n < [...]uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24] {
		d.fail("a number is not in its shortest form")
		return 0, 0, false
	}
	return major, n, true
}

// want reads the head of the given major type and returns its argument.
func (d *Decoder) want(major byte) (uint64, bool) {
	if c := d.peek(); c&0xe0 != major || d.i >= len(d.b) {
		d.mismatch(majorNames[major>>5])
		return 0, false
	}
	_, n, ok := d.head()
	return n, ok
}

var majorNames = [8]string{"integer", "integer", "byte string", "text", "array", "map", "tag", "simple value"}

// mismatch fails because the next value is not what is wanted.
func (d *Decoder) mismatch(want string) {
	if d.i >= len(d.b) {
		d.fail("unexpected end")
		return
	}
	found := majorNames[d.b[d.i]>>5]
	switch d.b[d.i] {
	case cborFalse, cborTrue:
		found = "boolean"
	case cborNull:
		found = "null"
	case cborFloat16, cborFloat32, cborFloat64:
		found = "float"
	}
	d.fail("want %s, found %s", want, found)
}

// length reads the length of an array or map whose parts take at least min
// bytes each.
func (d *Decoder) length(major byte, min int) (int, bool) {
	n, ok := d.want(major)
	if ok && n > uint64((len(d.b)-d.i)/min) {
		d.fail("unexpected end")
		return 0, false
	}
	return int(n), ok
}

// raw reads n bytes.
func (d *Decoder) raw(n uint64) []byte {
	if n > uint64(len(d.b)-d.i) {
		d.fail("unexpected end")
		return nil
	}
	b := d.b[d.i : d.i+int(n)]
	d.i += int(n)
	return b
}

// text reads a text string; the bytes are the input's.
func (d *Decoder) text() []byte {
	n, ok := d.want(majorText)
	if !ok {
		return nil
	}
	b := d.raw(n)
	if !utf8.Valid(b) {
		d.fail("text is not UTF-8")
	}
	return b
}

// string reads a Go string: text, or bytes where it is not UTF-8.
func (d *Decoder) string() string {
	if d.peek()&0xe0 != majorBytes {
		return string(d.text())
	}
	b := d.bytes()
	if d.err == nil && utf8.Valid(b) {
		d.fail("text is stored as bytes")
	}
	return string(b)
}

// bytes reads a byte string; the bytes are the input's.
func (d *Decoder) bytes() []byte {
	n, ok := d.want(majorBytes)
	if !ok {
		return nil
	}
	return d.raw(n)
}

// isNull reads a null if there is one next.
func (d *Decoder) isNull() bool {
	if d.peek() != cborNull {
		return false
	}
	d.i++
	return true
}

func (d *Decoder) bool() bool {
	switch d.peek() {
	case cborTrue:
		d.i++
		return true
	case cborFalse:
		d.i++
		return false
	}
	d.mismatch("boolean")
	return false
}

// int reads a signed integer of at most 64 bits.
func (d *Decoder) int() int64 {
	switch d.peek() & 0xe0 {
	case majorUint, majorNegInt:
	default:
		d.mismatch("integer")
		return 0
	}
	major, n, ok := d.head()
	if !ok {
		return 0
	}
	if n > math.MaxInt64 {
		d.fail("integer out of range")
		return 0
	}
	if major == majorNegInt {
		return ^int64(n)
	}
	return int64(n)
}

func (d *Decoder) uint() uint64 {
	n, _ := d.want(majorUint)
	return n
}

func (d *Decoder) float() float64 {
	c := d.peek()
	if c < cborFloat16 || c > cborFloat64 || d.i >= len(d.b) {
		d.mismatch("float")
		return 0
	}
	_, n, ok := d.head()
	if !ok {
		return 0
	}
	var f float64
	switch c {
	case cborFloat16:
		f = float16Value(uint16(n))
	case cborFloat32:
		f = float64(math.Float32frombits(uint32(n)))
	case cborFloat64:
		f = math.Float64frombits(n)
	}
	if c != floatForm(f) || c == cborFloat16 && math.IsNaN(f) && n != 0x7e00 {
		d.fail("a number is not in its shortest form")
	}
	return f
}

// skip reads one value of any kind and returns its bytes.
func (d *Decoder) skip() []byte {
	start := d.i
	d.skipNested()
	return d.b[start:d.i]
}

func (d *Decoder) skipNested() {
	if !d.enter() {
		return
	}
	defer d.leave()
	major, n, ok := d.head()
	if !ok {
		return
	}
	switch major {
	case majorBytes, majorText:
		d.raw(n)
	case majorMap:
		for ; n > 0 && d.err == nil; n-- {
			d.skipNested()
			d.skipNested()
		}
	case majorArray:
		for ; n > 0 && d.err == nil; n-- {
			d.skipNested()
		}
	case majorTag:
		d.skipNested()
	}
}

// StructDecoder iterates over the fields of one struct.
type StructDecoder struct {
	Name []byte // of the field whose value is next

	d       *Decoder
	left    int
	known   int // fields of the type not met so far
	start   int // where the field's name begins
	node    *Unknown
	prev    []byte // encoded name of the previous field
	started bool
}

// Struct begins a struct whose type has n fields:
//
//	for s := d.Struct(2); s.Next(); {
//		switch string(s.Name) {
//		case "Capacity":
//			DecodeInt(d, &v.Capacity)
//		…
//		default:
//			s.Unknown()
//		}
//	}
func (d *Decoder) Struct(n int) StructDecoder {
	left, _ := d.length(majorMap, 2)
	d.unknown = nil
	return StructDecoder{d: d, left: left, known: n}
}

// Next moves to the next field and reports whether there is one.
func (s *StructDecoder) Next() bool {
	d := s.d
	if s.started {
		if d.err != nil {
			d.err.inField(string(s.Name))
			return false
		}
		if d.unknown != nil {
			s.node = s.node.setChild(string(s.Name), d.unknown)
			d.unknown = nil
		}
		s.left--
		s.known--
	}
	if d.err != nil {
		return false
	}
	if s.left == 0 {
		d.unknown = s.node
		d.loose = d.loose || s.known > 0
		return false
	}
	s.started = true
	s.start = d.i
	s.Name = d.text()
	encoded := d.b[s.start:d.i]
	if s.prev != nil && bytes.Compare(s.prev, encoded) >= 0 {
		d.fail("field %q is not in order", s.Name)
	}
	s.prev = encoded
	return d.err == nil
}

// Unknown keeps a field that the type does not have.
func (s *StructDecoder) Unknown() {
	s.known++
	s.d.skip()
	if s.d.err == nil {
		s.node = s.node.addField(s.Name, s.d.b[s.start:s.d.i])
	}
}
