package zoo

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"math/cmplx"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/codec/internal/zoo/lib"
)

// mutate returns b with a small random change.
func mutate(r *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) == 0 {
		return b
	}
	i, j := r.IntN(len(b)), r.IntN(len(b))
	switch r.IntN(5) {
	case 0:
		b[i] = byte(r.Uint32())
	case 1:
		b[i] ^= 1 << r.IntN(8)
	case 2:
		b = slices.Delete(b, i, i+1)
	case 3:
		b[i], b[j] = b[j], b[i]
	case 4:
		b = slices.Insert(b, i, b[min(i, j):max(i, j)]...)
	}
	return b
}

// subject is one type under test.
type subject struct {
	name string
	test func(t *testing.T, r *rand.Rand) // a random value
	cbor func(t *testing.T, b []byte)     // arbitrary bytes
	json func(t *testing.T, b []byte)     // arbitrary text; nil where the type has no JSON form
}

var subjects = []subject{
	both("Room", RoomCodec),
	both("Scalars", ScalarsCodec),
	both("Kinds", KindsCodec),
	both("Node", NodeCodec),
	both("Deep", DeepCodec),
	both("Keys", KeysCodec),
	stored("StoredKeys", StoredKeysCodec),
	both("Foreign", ForeignCodec),
	stored("Stored", StoredCodec),
	both("Tags", TagsCodec),
	both("Embedding", EmbeddingCodec),
	both("Stamped", StampedCodec),
	both("Generic", GenericCodec),
	both("Many", ManyCodec),
	both("None", NoneCodec),
	both("Holder", HolderCodec),
	both("ID", IDCodec),
	both("Level", LevelCodec),
	both("Names", NamesCodec),
	both("Grid", GridCodec),
	both("Digest", DigestCodec),
	both("Octets", OctetsCodec),
	both("Ages", AgesCodec),
	both("Tree", TreeCodec),
	both("List", ListCodec),
	both("Odd", OddCodec),
	both("[]Room", codec.Slice(RoomCodec)),
	both("*Room", codec.Pointer(RoomCodec)),
	both("**[]Room", codec.Pointer(codec.Pointer(codec.Slice(RoomCodec)))),
	both("map[string]*Room", codec.MapOf(codec.StringKey, codec.Pointer(RoomCodec))),
	both("[3]string", codec.Array(func(v *[3]string) []string { return v[:] }, codec.String)),
	both("time.Time", codec.Time),
	both("[]byte", codec.Bytes),
	both("float32", codec.Float32),
	both("float64", codec.Float64),
	both("string", codec.String),
}

func both[T any](name string, typ codec.Type[T]) subject {
	s := stored(name, typ)
	test := s.test
	s.test = func(t *testing.T, r *rand.Rand) {
		test(t, r)
		testJSON(t, typ, r, random[T](r))
	}
	s.json = func(t *testing.T, b []byte) { checkJSON(t, typ, b) }
	return s
}

func stored[T any](name string, typ codec.Type[T]) subject {
	return subject{
		name: name,
		test: func(t *testing.T, r *rand.Rand) { testCBOR(t, typ, r, random[T](r)) },
		cbor: func(t *testing.T, b []byte) { checkCBOR(t, typ, b) },
	}
}

func random[T any](r *rand.Rand) *T {
	v := new(T)
	fill(r, reflect.ValueOf(v).Elem(), 4)
	return v
}

// equal compares values to the last bit; nil and empty differ.
var equal = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
	cmp.Comparer(func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }),
	cmp.Comparer(func(a, b complex128) bool { return a == b || cmplx.IsNaN(a) && cmplx.IsNaN(b) }),
	cmp.Comparer(func(a, b complex64) bool { return a == b || cmplx.IsNaN(complex128(a)) && cmplx.IsNaN(complex128(b)) }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b url.URL) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b big.Rat) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b big.Float) bool { return a.Cmp(&b) == 0 && a.Prec() == b.Prec() && a.Mode() == b.Mode() }),
	cmp.Comparer(func(a, b time.Time) bool {
		return a.Equal(b) && a.Format(time.RFC3339Nano+" MST") == b.Format(time.RFC3339Nano+" MST") && a.Location().String() == b.Location().String()
	}),
}

func TestRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			rounds := 40
			if testing.Short() {
				rounds = 10
			}
			for range rounds {
				s.test(t, r)
				if t.Failed() {
					return
				}
			}
		})
	}
}

// testCBOR stores a value and loads it.
func testCBOR[T any](t *testing.T, typ codec.Type[T], r *rand.Rand, v *T) {
	t.Helper()
	b, err := typ.Append([]byte("x"), v)
	if err != nil {
		t.Fatalf("append %+v: %v", *v, err)
	}
	if b[0] != 'x' {
		t.Fatalf("append overwrote its buffer: %x", b)
	}
	b = b[1:]
	input := bytes.Clone(b)
	var got T
	if err := typ.Parse(input, &got); err != nil {
		t.Fatalf("parse %x of %+v: %v", b, *v, err)
	}
	clear(input) // the value must not refer to it
	if diff := cmp.Diff(*v, got, equal); diff != "" {
		t.Fatalf("round trip (-want +got):\n%s", diff)
	}
	again, err := typ.Append(nil, &got)
	if err != nil || !bytes.Equal(again, b) {
		t.Fatalf("encoded again: %x, %v; want %x", again, err, b)
	}
	if err := cbor.Wellformed(b); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	for range 20 {
		checkCBOR(t, typ, mutate(r, b))
	}
	for n := range min(len(b), 100) {
		if err := typ.Parse(b[:n], &got); err == nil {
			t.Fatalf("%x cut off at %d is accepted", b, n)
		}
	}
}

// testJSON compares a value's JSON with encoding/json's.
func testJSON[T any](t *testing.T, typ codec.Type[T], r *rand.Rand, v *T) {
	t.Helper()
	got, err := typ.AppendJSON(nil, v)
	want, wantErr := json.Marshal(v)
	if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(want, got) {
		t.Fatalf("JSON of %+v:\n got %s, %v\nwant %s, %v", *v, got, err, want, wantErr)
	}
	if err != nil {
		return
	}
	var back T
	if err := typ.ParseJSON(got, &back); err != nil {
		t.Fatalf("parse %s: %v", got, err)
	}
	checkJSON(t, typ, got)
	for range 20 {
		checkJSON(t, typ, mutate(r, got))
	}
	checkJSON(t, typ, []byte(strings.ReplaceAll(string(got), ",", " ,\n\t")))
}

// checkJSON parses arbitrary text: what is accepted means what encoding/json
// takes it to mean.
func checkJSON[T any](t *testing.T, typ codec.Type[T], text []byte) {
	t.Helper()
	var got, want T
	input := bytes.Clone(text)
	if err := typ.ParseJSON(input, &got); err != nil {
		return
	}
	clear(input) // the value must not refer to it
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatalf("%q is accepted as %+v, encoding/json says %v", text, got, err)
	}
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Fatalf("%q (-encoding/json +got):\n%s", text, diff)
	}
}

// checkCBOR parses arbitrary bytes: what is accepted has one encoding only,
// fields that are missing or unknown excepted.
func checkCBOR[T any](t *testing.T, typ codec.Type[T], b []byte) {
	t.Helper()
	var v, again T
	if err := typ.Parse(b, &v); err != nil {
		return
	}
	if err := cbor.Wellformed(b); err != nil {
		t.Fatalf("%x is accepted: %v", b, err)
	}
	canonical, err := typ.Append(nil, &v)
	if err != nil {
		t.Fatalf("append %+v: %v", v, err)
	}
	if err := typ.Parse(canonical, &again); err != nil {
		t.Fatalf("parse %x: %v", canonical, err)
	}
	var origin codec.Origin
	if typ.Int == nil {
		if origin, err = typ.Load(b, &v); err != nil {
			t.Fatalf("load %x: %v", b, err)
		}
	}
	if saved, err := typ.Save(nil, &v, origin.Unknown); err != nil || typ.Refs && !bytes.Equal(saved, origin.Base) {
		t.Fatalf("saved unchanged: %x, %v; want %x", saved, err, origin.Base)
	}
}

func FuzzCBOR(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	seedCBOR(f, r, RoomCodec)
	seedCBOR(f, r, KindsCodec)
	seedCBOR(f, r, NodeCodec)
	seedCBOR(f, r, DeepCodec)
	seedCBOR(f, r, StoredKeysCodec)
	seedCBOR(f, r, ForeignCodec)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range subjects {
			s.cbor(t, b)
		}
	})
}

func seedCBOR[T any](f *testing.F, r *rand.Rand, typ codec.Type[T]) {
	b, err := typ.Append(nil, random[T](r))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
}

func FuzzJSON(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	seedJSON(f, r, RoomCodec)
	seedJSON(f, r, KindsCodec)
	seedJSON(f, r, NodeCodec)
	seedJSON(f, r, DeepCodec)
	seedJSON(f, r, ForeignCodec)
	seedJSON(f, r, TagsCodec)
	seedJSON(f, r, EmbeddingCodec)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range subjects {
			if s.json != nil {
				s.json(t, b)
			}
		}
	})
}

func seedJSON[T any](f *testing.F, r *rand.Rand, typ codec.Type[T]) {
	b, err := typ.AppendJSON(nil, random[T](r))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
}

func TestKeyOrder(t *testing.T) {
	cities := []City{
		{},
		{Home: true},
		{Pos: [2]int8{0, 1}},
		{Zip: 1, Pos: [2]int8{-128, 0}},
		{Zip: 1, Pos: [2]int8{-1, 5}},
		{Zip: 1},
		{Zip: 1, spot: lib.NewSpot(0, 0, 1)},
		{Zip: 1, spot: lib.NewSpot(3, -2, 1)},
		{Zip: 1, spot: lib.NewSpot(3, 0, 0)},
		{Zip: 70000},
		{Country: "a", Zip: -70000},
		{Country: "a", Zip: -1},
		{Country: "a\x00"},
		{Country: "ab"},
	}
	var keys [][]byte
	for _, c := range cities {
		key := CityKey.Append([]byte("p"), c)
		got, rest, err := CityKey.Decode(append(bytes.Clone(key[1:]), "rest"...))
		if err != nil || got != c || string(rest) != "rest" {
			t.Errorf("%+v comes back as %+v, %q, %v", c, got, rest, err)
		}
		for n := range key[1:] {
			if _, _, err := CityKey.Decode(key[1 : 1+n]); err == nil {
				t.Errorf("key %x cut off at %d is accepted", key[1:], n)
			}
		}
		keys = append(keys, key)
	}
	if !slices.IsSortedFunc(keys, bytes.Compare) {
		t.Errorf("keys are not in the order of the values: %x", keys)
	}
}
