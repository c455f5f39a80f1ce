package tuple

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/onefold/onefold/runtime/store"
)

func bigInt(s string) *big.Int {
	v, ok := new(big.Int).SetString(s, 0)
	if !ok {
		panic("not a number: " + s)
	}
	return v
}

var bigComparer = gocmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

// The first group are the test cases of FoundationDB's design/tuple.md; the
// others follow from its rules.
var vectors = []struct {
	tuple Tuple
	key   string
}{
	{Tuple{[]byte("foo\x00bar")}, "\x01foo\x00\xffbar\x00"},
	{Tuple{"F\u00d4O\u0000bar"}, "\x02F\xc3\x94O\x00\xffbar\x00"},
	{Tuple{Tuple{[]byte("foo\x00bar"), nil, Tuple{}}}, "\x05\x01foo\x00\xffbar\x00\x00\xff\x05\x00\x00"},
	{Tuple{int64(-5551212)}, "\x11\xabK\x93"},
	{Tuple{float32(-42)}, "\x20\x3d\xd7\xff\xff"},
	{Tuple{int64(-1)}, "\x13\xfe"},
	{Tuple{Tuple{nil}}, "\x05\x00\xff\x00"},

	{Tuple{}, ""},
	{Tuple{nil}, "\x00"},
	{Tuple{int64(0)}, "\x14"},
	{Tuple{int64(1)}, "\x15\x01"},
	{Tuple{int64(255)}, "\x15\xff"},
	{Tuple{int64(256)}, "\x16\x01\x00"},
	{Tuple{int64(-255)}, "\x13\x00"},
	{Tuple{int64(-256)}, "\x12\xfe\xff"},
	{Tuple{int64(math.MaxInt64)}, "\x1c\x7f\xff\xff\xff\xff\xff\xff\xff"},
	{Tuple{int64(math.MinInt64)}, "\x0c\x7f\xff\xff\xff\xff\xff\xff\xff"},
	{Tuple{uint64(math.MaxUint64)}, "\x1c\xff\xff\xff\xff\xff\xff\xff\xff"},
	{Tuple{bigInt("-0xffffffffffffffff")}, "\x0c\x00\x00\x00\x00\x00\x00\x00\x00"},
	{Tuple{bigInt("0x010000000000000000")}, "\x1d\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00"},
	{Tuple{bigInt("-0x010000000000000000")}, "\x0b\xf6\xfe\xff\xff\xff\xff\xff\xff\xff\xff"},
	{Tuple{false, true}, "\x26\x27"},
	{Tuple{float64(0), math.Inf(1)}, "\x21\x80\x00\x00\x00\x00\x00\x00\x00\x21\xff\xf0\x00\x00\x00\x00\x00\x00"},
	{Tuple{UUID{1, 2, 15: 3}}, "\x30\x01\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03"},
	{Tuple{Versionstamp{9: 1, 11: 2}}, "\x33\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02"},
	{Tuple{"app", Tuple{"a", int64(1)}, "x"}, "\x02app\x00\x05\x02a\x00\x15\x01\x00\x02x\x00"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		if got := string(Pack(v.tuple)); got != v.key {
			t.Errorf("Pack(%v) = %q, want %q", v.tuple, got, v.key)
		}
		got, err := Unpack([]byte(v.key))
		if err != nil {
			t.Errorf("Unpack(%q): %v", v.key, err)
			continue
		}
		if diff := gocmp.Diff(v.tuple, got, bigComparer); diff != "" {
			t.Errorf("Unpack(%q) (-want +got):\n%s", v.key, diff)
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, key := range []string{
		"\x01abc", "\x02abc\x00\xff", "\x05", "\x05\x14", "\x05\x00\xff", "\x15", "\x1c\x01", "\x0b", "\x1d\x09\x01",
		"\x15\x00", "\x16\x00\x01", "\x13\xff", "\x1d\x01\x01", "\x1d\x09\x00\x01\x01\x01\x01\x01\x01\x01\x01",
		"\x20\x00", "\x21\x00", "\x30\x00", "\x33\x00", "\x03\x04", "\x22", "\x25", "\x40", "\xff", "\xfe",
		strings.Repeat("\x05", 1000),
	} {
		if got, err := Unpack([]byte(key)); !errors.Is(err, ErrFormat) {
			t.Errorf("Unpack(%q) = %v, %v; want ErrFormat", key, got, err)
		}
	}
}

func TestWrongKind(t *testing.T) {
	key := AppendBool(nil, true)
	_, _, err := DecodeString(key)
	if want := "tuple: malformed key: boolean, want string"; err == nil || err.Error() != want {
		t.Errorf("DecodeString: %v, want %s", err, want)
	}
	_, _, err = DecodeInt(AppendUint(nil, math.MaxUint64))
	if !errors.Is(err, ErrFormat) {
		t.Errorf("DecodeInt of the largest uint64: %v, want ErrFormat", err)
	}
	_, _, err = DecodeUint(AppendInt(nil, -1))
	if !errors.Is(err, ErrFormat) {
		t.Errorf("DecodeUint of -1: %v, want ErrFormat", err)
	}
}

func TestRoundTripAndOrder(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		a := randomTuple(rng, 0)
		b := mutate(rng, a)
		ka, kb := Pack(a), Pack(b)
		if want, got := sign(compareTuples(a, b)), bytes.Compare(ka, kb); want != got {
			t.Fatalf("order of %v and %v is %d, of their keys %d", a, b, want, got)
		}
		back, err := Unpack(ka)
		if err != nil {
			t.Fatalf("Unpack(Pack(%v)): %v", a, err)
		}
		if compareTuples(a, back) != 0 || !bytes.Equal(Pack(back), ka) {
			t.Fatalf("Unpack(Pack(%v)) = %v", a, back)
		}
	}
}

func sign(n int) int { return cmp.Compare(n, 0) }

// compareTuples is the order that the encoding promises.
func compareTuples(a, b Tuple) int {
	for i := range min(len(a), len(b)) {
		if c := compareElements(a[i], b[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func compareElements(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case []byte:
		return bytes.Compare(a, b.([]byte))
	case string:
		return strings.Compare(a, b.(string))
	case Tuple:
		return compareTuples(a, b.(Tuple))
	case int64, uint64, *big.Int:
		return asBig(a).Cmp(asBig(b))
	case bool:
		return cmp.Compare(rank(a), rank(b))
	case float32:
		return compareFloats(float64(a), float64(b.(float32)))
	case float64:
		return compareFloats(a, b.(float64))
	case UUID:
		u := b.(UUID)
		return bytes.Compare(a[:], u[:])
	case Versionstamp:
		v := b.(Versionstamp)
		return bytes.Compare(a[:], v[:])
	}
	return 0
}

func compareFloats(a, b float64) int {
	if a == 0 && b == 0 {
		return cmp.Compare(math.Copysign(1, a), math.Copysign(1, b))
	}
	return cmp.Compare(a, b)
}

func asBig(v any) *big.Int {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v)
	case uint64:
		return new(big.Int).SetUint64(v)
	}
	return v.(*big.Int)
}

func rank(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case []byte:
		return 1
	case string:
		return 2
	case Tuple:
		return 3
	case int64, uint64, *big.Int:
		return 4
	case float32:
		return 5
	case float64:
		return 6
	case bool:
		if v {
			return 8
		}
		return 7
	case UUID:
		return 9
	}
	return 10
}

func randomTuple(rng *rand.Rand, depth int) Tuple {
	t := Tuple{}
	for range rng.IntN(4) {
		t = append(t, randomElement(rng, depth))
	}
	return t
}

// mutate returns a tuple that shares a prefix with t more often than not.
func mutate(rng *rand.Rand, t Tuple) Tuple {
	n := rng.IntN(len(t) + 1)
	return append(append(Tuple{}, t[:n]...), randomTuple(rng, 0)...)
}

func randomElement(rng *rand.Rand, depth int) any {
	switch n := rng.IntN(12); n {
	case 0:
		return nil
	case 1:
		return randomBytes(rng)
	case 2:
		return string(randomBytes(rng))
	case 3:
		if depth < 3 {
			return randomTuple(rng, depth+1)
		}
		return Tuple{}
	case 4:
		return rng.IntN(2) == 0
	case 5:
		return float32(rng.NormFloat64())
	case 6:
		return []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), rng.NormFloat64()}[rng.IntN(5)]
	case 7:
		return UUID(randomArray(rng))
	case 8:
		var v Versionstamp
		copy(v[:], randomBytes(rng))
		return v
	case 9:
		v := new(big.Int).Lsh(big.NewInt(1+rng.Int64N(1000)), uint(60+rng.IntN(100)))
		if rng.IntN(2) == 0 {
			v.Neg(v)
		}
		return v
	case 10:
		return rng.Uint64() >> rng.IntN(64)
	default:
		return (rng.Int64() >> rng.IntN(63)) * (1 - 2*rng.Int64N(2))
	}
}

func randomArray(rng *rand.Rand) (a [16]byte) {
	copy(a[:], randomBytes(rng))
	return a
}

// randomBytes returns few bytes of few values, so that escapes are common.
func randomBytes(rng *rand.Rand) []byte {
	b := make([]byte, rng.IntN(4))
	for i := range b {
		b[i] = []byte{0, 1, 'a', 0xff}[rng.IntN(4)]
	}
	return b
}

func TestIntegersAgree(t *testing.T) {
	for shift := range 64 {
		for _, delta := range []int64{-1, 0, 1} {
			v := int64(1)<<shift + delta
			for _, v := range []int64{v, -v} {
				key := AppendInt(nil, v)
				if diff := gocmp.Diff(AppendBigInt(nil, big.NewInt(v)), key); diff != "" {
					t.Errorf("AppendInt(%d) (-big +int):\n%s", v, diff)
				}
				if got, rest, err := DecodeInt(key); got != v || len(rest) != 0 || err != nil {
					t.Errorf("DecodeInt(AppendInt(%d)) = %d, %q, %v", v, got, rest, err)
				}
			}
		}
	}
}

func TestRanges(t *testing.T) {
	prefix := Pack(Tuple{"a"})
	r := Range(prefix)
	for _, inside := range []Tuple{{"a", nil}, {"a", Versionstamp{}}, {"a", UUID{0: 0xff}}, {"a", "b", "c"}} {
		if !holds(r, Pack(inside)) {
			t.Errorf("Range(%q) lacks %v", prefix, inside)
		}
	}
	for _, outside := range []Tuple{{"a"}, {"a\x00"}, {"b"}, {"a\xff"}, {}} {
		if holds(r, Pack(outside)) {
			t.Errorf("Range(%q) has %v", prefix, outside)
		}
	}
	if diff := gocmp.Diff(store.Range{Begin: []byte("a\xff"), End: []byte("b")}, PrefixRange([]byte("a\xff"))); diff != "" {
		t.Errorf("PrefixRange (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(store.Range{Begin: []byte{}, End: []byte{0xff}}, PrefixRange(nil)); diff != "" {
		t.Errorf("PrefixRange of nothing (-want +got):\n%s", diff)
	}
}

func holds(r store.Range, key []byte) bool {
	return bytes.Compare(r.Begin, key) <= 0 && bytes.Compare(key, r.End) < 0
}

func TestAppendDoesNotAllocate(t *testing.T) {
	b := make([]byte, 0, 256)
	n := testing.AllocsPerRun(100, func() {
		b = AppendString(b[:0], "state")
		b = BeginNested(b)
		b = AppendInt(b, -77)
		b = AppendUint(b, 1<<40)
		b = AppendBool(b, true)
		b = AppendFloat64(b, 1.5)
		b = EndNested(b)
		b = AppendUUID(b, UUID{})
	})
	if n != 0 {
		t.Errorf("appending allocates %v times, want 0", n)
	}
}

func FuzzUnpack(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.key))
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		tup, err := Unpack(key)
		if err != nil {
			return
		}
		if got := Pack(tup); !bytes.Equal(got, key) {
			t.Errorf("Pack(Unpack(%q)) = %q", key, got)
		}
	})
}

func BenchmarkAppendKey(b *testing.B) {
	buf := make([]byte, 0, 128)
	for b.Loop() {
		buf = AppendString(buf[:0], "state")
		buf = AppendString(buf, "Hotel")
		buf = AppendString(buf, "rooms")
		buf = AppendInt(buf, 12345)
	}
}
