package codec_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/onefold/onefold/runtime/codec"
)

func TestAppendCBORAsJSON(t *testing.T) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	for want, v := range map[string]any{
		`null`:                   nil,
		`true`:                   true,
		`-9223372036854775808`:   math.MinInt64,
		`18446744073709551615`:   uint64(math.MaxUint64),
		`0.5`:                    0.5,
		`"+Inf"`:                 math.Inf(1),
		`"AQI="`:                 []byte{1, 2},
		`"a\"b"`:                 `a"b`,
		`[1,[],{}]`:              []any{1, []int{}, map[string]int{}},
		`{"1":"a","2":{"x":-3}}`: map[int]any{1: "a", 2: map[string]int{"x": -3}},
		`[[[1,2],"p"]]`:          map[[2]int]string{{1, 2}: "p"},
	} {
		b, err := mode.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := codec.AppendCBORAsJSON(nil, b)
		if err != nil || string(got) != want {
			t.Errorf("%v: %s, %v; want %s", v, got, err, want)
		}
	}
	for _, damaged := range []string{"", "\x81", "\xa1\x61a", "\x62a", "\x01\x01", "\x9f\xff"} {
		if got, err := codec.AppendCBORAsJSON(nil, []byte(damaged)); err == nil {
			t.Errorf("%x is %s, want an error", damaged, got)
		}
	}
}

func FuzzAppendCBORAsJSON(f *testing.F) {
	f.Add([]byte("\xa2\x01\x82\x20\xf6\x61a\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, err := codec.AppendCBORAsJSON(nil, b); err == nil && !json.Valid(out) {
			t.Errorf("%x is no JSON: %s", b, out)
		}
	})
}
