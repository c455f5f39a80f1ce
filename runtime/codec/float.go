package codec

import "math"

// float appends v in the shortest form that keeps all its bits.
func (e *Encoder) float(v float64) {
	switch floatForm(v) {
	case cborFloat16:
		h := uint16(0x7e00) // NaN
		if !math.IsNaN(v) {
			h, _ = float16Bits(math.Float32bits(float32(v)))
		}
		e.b = append(e.b, cborFloat16, byte(h>>8), byte(h))
	case cborFloat32:
		n := math.Float32bits(float32(v))
		e.b = append(e.b, cborFloat32, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	default:
		e.float64(math.Float64bits(v))
	}
}

// floatForm returns the first byte of v's encoding.
func floatForm(v float64) byte {
	if math.IsNaN(v) {
		if math.Float64bits(v) == goNaN {
			return cborFloat16
		}
		return cborFloat64 // another NaN: its payload is kept
	}
	if float64(float32(v)) != v {
		return cborFloat64
	}
	if _, exact := float16Bits(math.Float32bits(float32(v))); exact {
		return cborFloat16
	}
	return cborFloat32
}

func (e *Encoder) float64(n uint64) {
	e.b = append(e.b, cborFloat64, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// goNaN is the NaN that math.NaN returns. It is stored in CBOR's short form.
var goNaN = math.Float64bits(math.NaN())

// float16Bits converts the bits of a float32 that is no NaN to a float16, and
// reports whether nothing was lost.
func float16Bits(bits uint32) (h uint16, exact bool) {
	sign := uint16(bits >> 16 & 0x8000)
	exp := int(bits>>23&0xff) - 127
	frac := bits & 0x7fffff
	switch {
	case exp == -127: // zero; a subnormal float32 is too small
		return sign, frac == 0
	case exp == 128: // infinity
		return sign | 0x7c00, true
	case exp >= -14 && exp <= 15:
		return sign | uint16(exp+15)<<10 | uint16(frac>>13), frac&0x1fff == 0
	case exp >= -24 && exp < -14: // subnormal float16
		shift := uint(-exp - 1) // 14 … 23
		frac |= 0x800000
		return sign | uint16(frac>>shift), frac&(1<<shift-1) == 0
	}
	return 0, false
}

// float16Value is the value of a float16.
func float16Value(h uint16) float64 {
	sign := uint64(h&0x8000) << 48
	exp := int(h >> 10 & 0x1f)
	frac := float64(h & 0x3ff)
	var v float64
	switch exp {
	case 0:
		v = math.Ldexp(frac, -24)
	case 31:
		if h&0x3ff != 0 {
			return math.NaN()
		}
		v = math.Inf(1)
	default:
		v = math.Ldexp(frac+1024, exp-25)
	}
	return math.Float64frombits(math.Float64bits(v) | sign)
}
