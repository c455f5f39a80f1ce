package codec_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/codec/internal/zoo"
)

// bound is what a method with these parameters gets.
type bound struct {
	ID    string
	Room  zoo.Room
	Tags  []string
	Limit *int
}

func bind(in *codec.Args) (bound, error) {
	b := bound{
		ID:    codec.Arg(in, "id", codec.String),
		Room:  codec.Arg(in, "room", zoo.RoomCodec),
		Tags:  codec.Arg(in, "tags", codec.Slice(codec.String)),
		Limit: codec.Arg(in, "limit", codec.Pointer(codec.Int)),
	}
	return b, in.Err()
}

func TestArgs(t *testing.T) {
	tests := []struct {
		body string
		want any // bound, or the message
	}{
		{`{"id":"a","room":{"capacity":1},"tags":["x"],"limit":3}`, bound{"a", zoo.Room{Capacity: 1}, []string{"x"}, new(3)}},
		{` { "room" : {} , "\u0069d" : "" } `, bound{}},
		{`{"id":"a","room":{},"tags":null,"limit":null}`, bound{ID: "a"}},
		{`{"id":"a"}`, "parameter room: missing"},
		{``, "parameter id: missing"},
		{` `, "parameter id: missing"},
		{`{"id":null,"room":{}}`, "parameter id: want string, found null"},
		{`{"id":"a","room":{"guests":[1]}}`, "parameter room.guests[0]: want string, found number"},
		{`{"id":"a","room":{"capacity":9223372036854775808}}`, "parameter room.capacity: integer 9223372036854775808 out of range"},
		{`{"id":"a","room":{},"color":1}`, "parameter color: the method has no such parameter"},
		{`{"id":"a","id":"b","room":{}}`, "parameter id: given twice"},
		{`{"id":"a","room":{}} {}`, "malformed JSON: object follows the value"},
		{`{"id":"a","room":{}`, `malformed JSON: want "," or "}", found the end`},
		{`{"id":"a","room":{"x":tru}}`, `malformed JSON: room: want value, found boolean`},
		{`[]`, "malformed JSON: want object, found array"},
		{"\xff", `malformed JSON: want object, found character "` + "\ufffd" + `"`},
	}
	for _, test := range tests {
		var got any
		in, err := codec.ParseArgs([]byte(test.body))
		if err == nil {
			got, err = bind(in)
		}
		if err != nil {
			if _, ok := err.(*codec.InputError); !ok {
				t.Errorf("%s: error of type %T", test.body, err)
			}
			got = err.Error()
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.body, diff)
		}
	}
}

// TestArgsAgain decodes for a second attempt: nothing that the first one did to
// its arguments may show.
func TestArgsAgain(t *testing.T) {
	in, err := codec.ParseArgs([]byte(`{"id":"a","room":{"guests":["b"]},"tags":["x","y"],"limit":3}`))
	if err != nil {
		t.Fatal(err)
	}
	first, err := bind(in)
	if err != nil {
		t.Fatal(err)
	}
	first.Tags[0], first.Room.Guests[0], *first.Limit = "changed", "changed", 0
	again, err := bind(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bound{"a", zoo.Room{Guests: []string{"b"}}, []string{"x", "y"}, new(3)}, again); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzArgs(f *testing.F) {
	f.Add([]byte(`{"id":"a","room":{"guests":["b"]},"tags":["x","y"],"limit":3}`))
	f.Add([]byte(`{"i\u0064":"\ud83d\ude80","room":{"capacity":-1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := codec.ParseArgs(body)
		if err != nil {
			return
		}
		first, err := bind(in)
		again, errAgain := bind(in)
		if diff := cmp.Diff(first, again); diff != "" || (err == nil) != (errAgain == nil) {
			t.Errorf("decoding again differs: %v, %v\n%s", err, errAgain, diff)
		}
	})
}
