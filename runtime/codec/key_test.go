package codec_test

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/codec/internal/zoo"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// ordered checks that keys come back, and order as the values do.
func ordered[K comparable](t *testing.T, key codec.Key[K], compare func(a, b K) int, values ...K) {
	t.Helper()
	slices.SortFunc(values, compare)
	var prev []byte
	for i, v := range values {
		b := key.Append(nil, v)
		got, rest, err := key.Decode(append(bytes.Clone(b), 0x02, 'x', 0))
		if err != nil || got != v || string(rest) != "\x02x\x00" {
			t.Errorf("%v comes back as %v, %q, %v", v, got, rest, err)
		}
		if i > 0 && cmp.Compare(bytes.Compare(prev, b), 0) != cmp.Compare(compare(values[i-1], v), 0) {
			t.Errorf("%v and %v are %x and %x", values[i-1], v, prev, b)
		}
		prev = b
		if key.Text == nil {
			continue
		}
		text, err := key.Text(v)
		back, parseErr := key.ParseText(text)
		if err != nil || parseErr != nil || back != v {
			t.Errorf("%v is the text %q, %v, and comes back as %v, %v", v, text, err, back, parseErr)
		}
	}
}

func TestKeys(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var ints []int64
	var uints []uint64
	for i := range 64 {
		ints = append(ints, 1<<i, 1<<i-1, -1<<i, r.Int64()>>i, -r.Int64()>>i)
		uints = append(uints, 1<<i, 1<<i-1, r.Uint64()>>i)
	}
	ordered(t, codec.Int64Key, cmp.Compare[int64], append(ints, math.MinInt64, math.MaxInt64)...)
	ordered(t, codec.Uint64Key, cmp.Compare[uint64], append(uints, math.MaxUint64)...)
	ordered(t, codec.Int8Key, cmp.Compare[int8], -128, -1, 0, 1, 127)
	ordered(t, codec.StringKey, cmp.Compare[string], "", "\x00", "\x00\xff", "\x00\x01", "a", "a\x00", "a\x00b", "ab", "b", "\xff", "ä")
	ordered(t, codec.BoolKey, func(a, b bool) int {
		return cmp.Compare(codec.BoolKey.Append(nil, a)[0], codec.BoolKey.Append(nil, b)[0])
	}, false, true)
	ordered(t, zoo.NameKey, cmp.Compare[zoo.Name], "a", "", "b")
	if codec.BoolKey.Append(nil, false)[0] >= codec.BoolKey.Append(nil, true)[0] {
		t.Error("true sorts before false")
	}
}

func TestKeysRefused(t *testing.T) {
	if _, _, err := codec.Int8Key.Decode(tuple.AppendInt(nil, 128)); err == nil {
		t.Error("128 is an int8")
	}
	if _, _, err := codec.Uint8Key.Decode(tuple.AppendInt(nil, 256)); err == nil {
		t.Error("256 is a uint8")
	}
	if _, _, err := codec.UintKey.Decode(tuple.AppendInt(nil, -1)); err == nil {
		t.Error("-1 is unsigned")
	}
	if _, _, err := codec.StringKey.Decode(tuple.AppendInt(nil, 1)); err == nil {
		t.Error("1 is a string")
	}
	for _, text := range []string{"", "x", "128", "1.0", "-129"} {
		if k, err := codec.Int8Key.ParseText(text); err == nil {
			t.Errorf("%q is the int8 %d", text, k)
		}
	}
	if _, err := codec.UintKey.ParseText("-1"); err == nil {
		t.Error("-1 is unsigned")
	}
}

func FuzzKeys(f *testing.F) {
	f.Add(zoo.CityKey.Append(nil, zoo.City{Country: "a\x00b", Zip: -5, Pos: [2]int8{1, -1}, Home: true}))
	f.Add(codec.Int64Key.Append(nil, math.MinInt64))
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzKey(t, zoo.CityKey, b)
		fuzzKey(t, codec.StringKey, b)
		fuzzKey(t, codec.Int64Key, b)
		fuzzKey(t, codec.Uint8Key, b)
		fuzzKey(t, codec.BoolKey, b)
	})
}

// fuzzKey checks that what is accepted has one encoding only.
func fuzzKey[K comparable](t *testing.T, key codec.Key[K], b []byte) {
	k, rest, err := key.Decode(b)
	if err != nil {
		return
	}
	if again := append(key.Append(nil, k), rest...); !bytes.Equal(again, b) {
		t.Errorf("%x is %#v, which is %x", b, k, again)
	}
}
