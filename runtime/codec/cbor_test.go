package codec_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/codec"
)

func encoded[T any](t *testing.T, typ codec.Type[T], v T) []byte {
	t.Helper()
	b, err := typ.Append(nil, &v)
	if err != nil {
		t.Fatalf("append %v: %v", v, err)
	}
	return b
}

// TestAgainstReference compares with another implementation of core
// deterministic encoding.
func TestAgainstReference(t *testing.T) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	same := func(got []byte, v any) {
		t.Helper()
		want, err := mode.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("%#v is %x, want %x", v, got, want)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 64 {
		for _, u := range []uint64{1 << i, 1<<i - 1, r.Uint64() >> i} {
			same(encoded(t, codec.Uint64, u), u)
			same(encoded(t, codec.Int64, int64(u)), int64(u))
			same(encoded(t, codec.Int64, -int64(u)), -int64(u))
			f := math.Float64frombits(u)
			if !math.IsNaN(f) {
				same(encoded(t, codec.Float64, f), f)
			}
			f = math.Ldexp(r.Float64(), i-32)
			same(encoded(t, codec.Float64, f), f)
			same(encoded(t, codec.Float32, float32(f)), float32(f))
		}
	}
	for h := range 1 << 16 { // every float16, by way of the reference's decoder
		var f float64
		if err := cbor.Unmarshal([]byte{0xf9, byte(h >> 8), byte(h)}, &f); err != nil {
			t.Fatal(err)
		}
		if !math.IsNaN(f) {
			same(encoded(t, codec.Float64, f), f)
		}
	}
	same(encoded(t, codec.Float64, math.NaN()), math.NaN())
	same(encoded(t, codec.Bytes, []byte{1, 2}), []byte{1, 2})
	same(encoded(t, codec.String, strings.Repeat("ä", 200)), strings.Repeat("ä", 200))
	same(encoded(t, codec.Slice(codec.Int), []int{1, 2, 300}), []int{1, 2, 300})
	m := map[int]string{}
	for range 100 {
		m[int(r.Int64()>>r.IntN(64))] = "x"
	}
	same(encoded(t, codec.MapOf(codec.IntKey, codec.String), m), m)
	s := map[string]bool{"": true, "b": true, "aa": false, "a": true, strings.Repeat("c", 30): true}
	same(encoded(t, codec.MapOf(codec.StringKey, codec.Bool), s), s)
}

func TestFloatBits(t *testing.T) {
	for _, bits := range []uint64{0, 1 << 63, math.Float64bits(math.NaN()), 0x7ff8000000000000, 0xfff8000000000000, 0x7ff0000000000001, 0x7ff8dead00000000, 0x7ff0000000000000} {
		v := math.Float64frombits(bits)
		var got float64
		if err := codec.Float64.Parse(encoded(t, codec.Float64, v), &got); err != nil || math.Float64bits(got) != bits {
			t.Errorf("%x comes back as %x, %v", bits, math.Float64bits(got), err)
		}
	}
}

func TestRefused(t *testing.T) {
	ints := codec.Slice(codec.Int8)
	strs := codec.MapOf(codec.StringKey, codec.Slice(codec.String))
	parse := func(typ codec.Type[[]int8]) func(b []byte) error {
		return func(b []byte) error { return typ.Parse(b, new([]int8)) }
	}
	parseMap := func(b []byte) error { return strs.Parse(b, new(map[string][]string)) }
	tests := []struct {
		hex   string
		parse func(b []byte) error
		want  string
	}{
		{"", parse(ints), "unexpected end"},
		{"8101ff", parse(ints), "1 bytes follow the value"},
		{"820161", parse(ints), "[1]: want integer, found text"},
		{"82011880", parse(ints), "[1]: integer 128 out of range"},
		{"82011801", parse(ints), "[1]: a number is not in its shortest form"},
		{"8201f6", parse(ints), "[1]: want integer, found null"},
		{"8201fb4000000000000000", parse(ints), "[1]: want integer, found float"},
		{"9f01ff", parse(ints), "indefinite lengths and reserved forms are not used here"},
		{"9bffffffffffffffff", parse(ints), "unexpected end"},
		{"9a7fffffff", parse(ints), "unexpected end"},
		{"a161618261", parseMap, `["a"]: unexpected end`},
		{"a161618162", parseMap, `["a"][0]: unexpected end`},
		{"a26162f66161f6", parseMap, "map keys are not in order"},
		{"a26161f66161f6", parseMap, "map keys are not in order"},
		{"a161618101", parseMap, `["a"][0]: want text, found integer`},
		{"a16161816161" + "00", parseMap, "1 bytes follow the value"},
		{"a161618161ff", parseMap, `["a"][0]: text is not UTF-8`},
		{"a16161814161", parseMap, `["a"][0]: text is stored as bytes`},
	}
	for _, test := range tests {
		b, err := hex.DecodeString(test.hex)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := test.parse(b); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.hex, got, test.want)
		}
	}
}

func TestWholeIntegers(t *testing.T) {
	b, err := codec.Uint8.Save([]byte("x"), new(uint8(200)), nil)
	if diff := cmp.Diff([]byte("x\xc8\x00\x00\x00\x00\x00\x00\x00"), b); diff != "" || err != nil {
		t.Errorf("save (-want +got):\n%s%v", diff, err)
	}
	var i8 int8
	if _, err := codec.Int8.Load(codec.AppendInteger(nil, 300), &i8); err != nil || i8 != 44 {
		t.Errorf("300 as int8 is %d, %v; want 44", i8, err)
	}
	var u64 uint64
	if _, err := codec.Uint64.Load(codec.AppendInteger(nil, -1), &u64); err != nil || u64 != math.MaxUint64 {
		t.Errorf("-1 as uint64 is %d, %v", u64, err)
	}
	if _, err := codec.Int.Load([]byte{1}, new(int)); err == nil {
		t.Error("an integer of one byte is accepted")
	}
	if codec.Duration.Int == nil || codec.Float64.Int != nil || codec.String.Int != nil {
		t.Error("exactly integers are whole integers")
	}
}

func TestTimeZones(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	summer := time.Date(2026, 7, 1, 12, 0, 0, 5, time.UTC)
	tests := []struct {
		zone   *time.Location
		rules  bool // the zone comes back with its rules
		pretty string
	}{
		{time.UTC, true, "UTC"},
		{berlin, true, "Europe/Berlin"},
		{time.Local, true, time.Local.String()},
		{time.FixedZone("CET", 3600), false, "CET"},
		{time.FixedZone("Europe/Berlin", 7200), false, "Europe/Berlin"},
		{time.FixedZone("UTC", 60), false, "UTC"},
		{time.FixedZone("", -90), false, ""},
	}
	for _, test := range tests {
		want := summer.In(test.zone)
		var got time.Time
		if err := codec.Time.Parse(encoded(t, codec.Time, want), &got); err != nil {
			t.Fatal(err)
		}
		winter := 180 * 24 * time.Hour
		for _, d := range []time.Duration{0, winter} {
			w, g := want.Add(d).Format(time.RFC3339Nano+" MST"), got.Add(d).Format(time.RFC3339Nano+" MST")
			if w != g {
				t.Errorf("%s is %s, want %s", test.zone, g, w)
			}
		}
		if got.Location().String() != test.pretty {
			t.Errorf("zone %q, want %q", got.Location(), test.pretty)
		}
	}
	now := time.Now()
	var got time.Time
	if err := codec.Time.Parse(encoded(t, codec.Time, now), &got); err != nil || got != now.Round(0) {
		t.Errorf("now is %v, %v; want %v", got, err, now.Round(0))
	}
	var zero time.Time
	if err := codec.Time.Parse(encoded(t, codec.Time, zero), &got); err != nil || got != zero || !got.IsZero() {
		t.Errorf("the zero time is %v, %v", got, err)
	}
	gone, err := hex.DecodeString("850000614319" + "0e10" + "694e6f77686572652f58") // 1970 in Nowhere/X
	if err != nil {
		t.Fatal(err)
	}
	if err := codec.Time.Parse(gone, &got); err != nil {
		t.Fatal(err)
	}
	if name, offset := got.Zone(); name != "C" || offset != 3600 {
		t.Errorf("a zone that is not known any more is %s, %d", name, offset)
	}
}
