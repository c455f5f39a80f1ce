package codec_test

import (
	"encoding/json"
	"testing"

	"github.com/onefold/onefold/runtime/codec/internal/zoo"
)

var room = zoo.Room{Capacity: 12, Guests: []string{"user-1", "user-22", "user-333", "user-4444"}}

func BenchmarkRoom(b *testing.B) {
	stored, err := zoo.RoomCodec.Append(nil, &room)
	if err != nil {
		b.Fatal(err)
	}
	text, err := json.Marshal(room)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 256)
	run := func(name string, op func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := op(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("encode/cbor", func() error { _, err := zoo.RoomCodec.Append(buf, &room); return err })
	run("encode/json", func() error { _, err := zoo.RoomCodec.AppendJSON(buf, &room); return err })
	run("encode/encoding-json", func() error { _, err := json.Marshal(&room); return err })
	run("decode/cbor", func() error { var v zoo.Room; return zoo.RoomCodec.Parse(stored, &v) })
	run("decode/json", func() error { var v zoo.Room; return zoo.RoomCodec.ParseJSON(text, &v) })
	run("decode/encoding-json", func() error { var v zoo.Room; return json.Unmarshal(text, &v) })
}

// TestAllocations asserts what a value costs: nothing to encode, and to decode
// the value's own memory.
func TestAllocations(t *testing.T) {
	stored, err := zoo.RoomCodec.Append(nil, &room)
	if err != nil {
		t.Fatal(err)
	}
	text, err := zoo.RoomCodec.AppendJSON(nil, &room)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 256)
	var v zoo.Room
	memory := 1 + len(room.Guests) // the slice and the strings
	for _, test := range []struct {
		name string
		most int
		op   func()
	}{
		{"encode CBOR", 0, func() { _, _ = zoo.RoomCodec.Append(buf, &room) }},
		{"encode JSON", 0, func() { _, _ = zoo.RoomCodec.AppendJSON(buf, &room) }},
		{"decode CBOR", memory, func() { _ = zoo.RoomCodec.Parse(stored, &v) }},
		{"decode JSON", memory + 2, func() { _ = zoo.RoomCodec.ParseJSON(text, &v) }}, // a slice of unknown length grows
	} {
		if got := testing.AllocsPerRun(100, test.op); int(got) > test.most {
			t.Errorf("%s: %v allocations, want %d at most", test.name, got, test.most)
		}
	}
}
