package zoo

import (
	"image"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"reflect"
	"time"
	"unsafe"
)

// fill sets v, which is addressable, to a random value; depth bounds what
// recursive types hold.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	if !v.CanSet() { // an unexported field
		v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
	}
	if special(r, v.Addr().Interface()) {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(pick[int64](r, 0, 1, -1, 23, 24, -24, -25, 255, 256, 65535, 1<<32, math.MaxInt64, math.MinInt64, r.Int64()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(pick[uint64](r, 0, 1, 23, 24, 255, 256, 65535, 65536, 1<<32, math.MaxUint64, r.Uint64()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float(r))
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(float(r), float(r)))
	case reflect.String:
		v.SetString(text(r))
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				fill(r, v.Field(i), depth)
			}
		}
	default:
		fillRef(r, v, depth)
	}
}

// fillRef sets a slice, map or pointer.
func fillRef(r *rand.Rand, v reflect.Value, depth int) {
	if depth == 0 || r.IntN(4) == 0 {
		return
	}
	n := r.IntN(4)
	switch v.Kind() {
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i), depth-1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range n {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key, depth-1)
			fill(r, elem, depth-1)
			v.SetMapIndex(key, elem)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem(), depth-1)
	default:
		panic("no random " + v.Type().String())
	}
}

// special sets types that marshal themselves, and reports whether p is one.
func special(r *rand.Rand, p any) bool {
	switch p := p.(type) {
	case *time.Time:
		*p = moment(r)
	case *netip.Addr:
		*p = pick(r, netip.Addr{}, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fe80::1%eth0"))
	case *netip.Prefix:
		*p = pick(r, netip.Prefix{}, netip.MustParsePrefix("10.0.0.0/8"))
	case *big.Int:
		p.Mul(big.NewInt(r.Int64()), big.NewInt(pick[int64](r, 0, 1, -1, math.MaxInt64)))
	case *big.Rat:
		p.SetFrac64(r.Int64N(1000), 1+r.Int64N(1000))
	case *big.Float:
		p.SetPrec(200).Quo(big.NewFloat(1), big.NewFloat(float64(1+r.IntN(9))))
	case *url.URL:
		u, err := url.Parse(pick(r, "", "https://user:secret@example.com/a%2Fb?q=1#f", "mailto:x@example.com"))
		if err != nil {
			panic(err)
		}
		*p = *u
	case *Odd:
		*p = Odd{a: r.IntN(9), b: r.IntN(9)}
	case *Level:
		*p = Level(r.IntN(2))
	case *Foreign:
		fillForeign(r, p)
	default:
		return false
	}
	return true
}

func fillForeign(r *rand.Rand, p *Foreign) {
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Name != "Raw" {
			fill(r, v.Field(i), 2)
		}
	}
	p.Point = image.Pt(r.IntN(9), r.IntN(9))
	p.Raw = pick(r, []byte(nil), []byte(`{"a": [1, "<"]}`), []byte("12"))
	p.IP = pick(r, nil, []byte{10, 0, 0, 1}, make([]byte, 16))
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func float(r *rand.Rand) float64 {
	return pick(r, 0, math.Copysign(0, -1), 1, -1.5, 0.1, 65504, 65505, 1e-7, 5.960464477539063e-8, 6.103515625e-5, 1e20, 1e21, 1e-300, math.MaxFloat32, math.MaxFloat64,
		math.SmallestNonzeroFloat32, math.SmallestNonzeroFloat64, float64(r.Float32()), r.NormFloat64())
}

func text(r *rand.Rand) string {
	return pick(r, "", "a", "room", "<html> & \"quotes\" \\ / \u2028\u2029", "\x00\x1f\x7f\b\f\n\r\t", "äöü 日本 🚀", "bad \xff utf8\xc3", string(rune('a'+r.IntN(26))), "a long text of more than twenty-three bytes")
}

func moment(r *rand.Rand) time.Time {
	t := time.Unix(r.Int64N(4e9)-1e9, r.Int64N(1e9))
	switch r.IntN(6) {
	case 0:
		return time.Time{}
	case 1:
		return t.UTC()
	case 2:
		return t.In(time.FixedZone("CET", 3600))
	case 3:
		return t.In(time.FixedZone("", -5400))
	case 4:
		loc, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			panic(err)
		}
		return t.In(loc)
	}
	return t
}
