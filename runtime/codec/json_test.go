package codec_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/codec/internal/zoo"
)

func TestJSONRefused(t *testing.T) {
	room := func(s string) error { return zoo.RoomCodec.ParseJSON([]byte(s), new(zoo.Room)) }
	tests := []struct {
		text, want string
	}{
		{``, "want object, found the end"},
		{`[]`, "want object, found array"},
		{`{"capacity":1} x`, `character "x" follows the value`},
		{`{"capacity":"1"}`, "capacity: want number, found string"},
		{`{"capacity":1.5}`, "capacity: want integer, found 1.5"},
		{`{"capacity":1e2}`, "capacity: want integer, found 1e2"},
		{`{"capacity":9223372036854775808}`, "capacity: integer 9223372036854775808 out of range"},
		{`{"capacity":01}`, `want "," or "}", found number`},
		{`{"capacity":-}`, "capacity: malformed number"},
		{`{"capacity":null}`, "capacity: want number, found null"},
		{`{"Capacity":1}`, "Capacity: unknown field"},
		{`{"capacity":1,"capacity":2}`, "capacity: duplicate field"},
		{`{"capacity":1,"cap\u0061city":2}`, "capacity: duplicate field"},
		{`{"guests":["a",2]}`, "guests[1]: want string, found number"},
		{`{"guests":["a",]}`, `guests: want value, found character "]"`},
		{`{"guests":["a" "b"]}`, `guests: want "," or "]", found string`},
		{`{"guests":["\ud800"]}`, "guests[0]: malformed escape in string"},
		{"{\"guests\":[\"\xff\"]}", "guests[0]: string is not UTF-8"},
		{"{\"guests\":[\"\n\"]}", "guests[0]: control character in string"},
		{`{"guests":["a`, "guests[0]: unexpected end of string"},
		{`{"guests":["\x"]}`, "guests[0]: malformed escape in string"},
		{`{"capacity" 1}`, `want ":", found number`},
		{`{capacity:1}`, `want member name, found character "c"`},
		{`{"capacity":1,}`, `want member name, found character "}"`},
		{`{"capacity":1`, `want "," or "}", found the end`},
	}
	for _, test := range tests {
		got := ""
		if err := room(test.text); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.text, got, test.want)
		}
		if got == "" && json.Unmarshal([]byte(test.text), new(zoo.Room)) != nil {
			t.Errorf("%s: only we accept it", test.text)
		}
	}
}

func TestJSONNotFinite(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if b, err := codec.Float64.AppendJSON(nil, &f); err == nil {
			t.Errorf("%v is %s", f, b)
		}
		quoted := zoo.Tags{QuotedF: f}
		if b, err := zoo.TagsCodec.AppendJSON(nil, &quoted); err == nil {
			t.Errorf("%v is %s", f, b)
		}
	}
	c := complex(1, 2)
	if _, err := codec.Complex128.AppendJSON(nil, &c); err == nil {
		t.Error("complex numbers have a JSON form")
	}
	keys := map[bool]int{true: 1}
	if _, err := codec.MapOf(codec.BoolKey, codec.Int).AppendJSON(nil, &keys); err == nil {
		t.Error("boolean keys have a JSON form")
	}
	if err := codec.MapOf(codec.BoolKey, codec.Int).ParseJSON([]byte(`{"true":1}`), &keys); err == nil {
		t.Error("boolean keys have a JSON form")
	}
}

func TestDepth(t *testing.T) {
	deep := strings.Repeat("[", codec.MaxDepth+1) + strings.Repeat("]", codec.MaxDepth+1)
	if err := zoo.ListCodec.ParseJSON([]byte(deep), new(zoo.List)); err == nil {
		t.Error("JSON may nest without limit")
	}
	if err := zoo.ForeignCodec.ParseJSON([]byte(`{"Raw":`+deep+`}`), new(zoo.Foreign)); err == nil {
		t.Error("skipped JSON may nest without limit")
	}
	if err := zoo.ListCodec.ParseJSON([]byte(deep[1:len(deep)-1]), new(zoo.List)); err != nil {
		t.Errorf("as deep as allowed: %v", err)
	}
	cborDeep := []byte(strings.Repeat("\x81", codec.MaxDepth) + "\x80")
	if err := zoo.ListCodec.Parse(cborDeep, new(zoo.List)); err == nil {
		t.Error("CBOR may nest without limit")
	}
	if err := zoo.RoomCodec.Parse(append([]byte("\xa1\x61x"), cborDeep...), new(zoo.Room)); err == nil {
		t.Error("skipped CBOR may nest without limit")
	}
}

func TestCycles(t *testing.T) {
	node := &zoo.Node{Label: "a"}
	node.Next = node
	node.Children = []*zoo.Node{node, node}
	if _, err := zoo.NodeCodec.Append(nil, node); err == nil || !strings.Contains(err.Error(), "cyclic") {
		t.Errorf("a cycle gives %v", err)
	}
	if _, err := zoo.NodeCodec.AppendJSON(nil, node); err == nil || !strings.Contains(err.Error(), "cyclic") {
		t.Errorf("a cycle gives %v as JSON", err)
	}
	tree := zoo.Tree{}
	tree["self"] = tree
	if _, err := zoo.TreeCodec.Append(nil, &tree); err == nil {
		t.Error("a map that holds itself is encoded")
	}
	// No cycle, but of exponential size.
	ladder := &zoo.Node{Label: strings.Repeat("x", 1<<20)}
	for range 40 {
		ladder = &zoo.Node{Next: ladder, Children: []*zoo.Node{ladder}}
	}
	if _, err := zoo.NodeCodec.Append(nil, ladder); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("2^40 nodes give %v", err)
	}
}
