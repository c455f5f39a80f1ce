package codec_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/codec"
)

// The types of an old program and of the next one, which has more fields.
type (
	oldItem struct{ Name string }
	newItem struct {
		Name string
		VIP  bool
	}
	oldOrder struct {
		B     int
		Items []oldItem
		ByKey map[string]oldItem
		Ptr   *oldItem
		Two   [2]oldItem
	}
	newOrder struct {
		A     string
		B     int
		CC    []int
		Ptr   *newItem
		Two   [2]newItem
		ByKey map[string]newItem
		Items []newItem
		Later string
	}
)

var oldItemCodec = codec.Type[oldItem]{
	Encode: func(e *codec.Encoder, v *oldItem) {
		s := e.Struct(1)
		s.Field("Name")
		codec.EncodeString(e, &v.Name)
		s.End()
	},
	Decode: func(d *codec.Decoder, v *oldItem) {
		for s := d.Struct(1); s.Next(); {
			switch string(s.Name) {
			case "Name":
				codec.DecodeString(d, &v.Name)
			default:
				s.Unknown()
			}
		}
	},
}

var newItemCodec = codec.Type[newItem]{
	Encode: func(e *codec.Encoder, v *newItem) {
		s := e.Struct(2)
		s.Field("VIP")
		codec.EncodeBool(e, &v.VIP)
		s.Field("Name")
		codec.EncodeString(e, &v.Name)
		s.End()
	},
	Decode: func(d *codec.Decoder, v *newItem) {
		for s := d.Struct(2); s.Next(); {
			switch string(s.Name) {
			case "VIP":
				codec.DecodeBool(d, &v.VIP)
			case "Name":
				codec.DecodeString(d, &v.Name)
			default:
				s.Unknown()
			}
		}
	},
}

var oldOrderCodec = codec.Type[oldOrder]{
	Encode: func(e *codec.Encoder, v *oldOrder) {
		s := e.Struct(5)
		s.Field("B")
		codec.EncodeInt(e, &v.B)
		s.Field("Ptr")
		codec.EncodePointer(e, &v.Ptr, oldItemCodec.Encode)
		s.Field("Two")
		codec.EncodeArray(e, v.Two[:], oldItemCodec.Encode)
		s.Field("ByKey")
		codec.EncodeMap(e, &v.ByKey, codec.StringKey, oldItemCodec.Encode)
		s.Field("Items")
		codec.EncodeSlice(e, &v.Items, oldItemCodec.Encode)
		s.End()
	},
	Decode: func(d *codec.Decoder, v *oldOrder) {
		for s := d.Struct(5); s.Next(); {
			switch string(s.Name) {
			case "B":
				codec.DecodeInt(d, &v.B)
			case "Ptr":
				codec.DecodePointer(d, &v.Ptr, oldItemCodec.Decode)
			case "Two":
				codec.DecodeArray(d, v.Two[:], oldItemCodec.Decode)
			case "ByKey":
				codec.DecodeMap(d, &v.ByKey, codec.StringKey, oldItemCodec.Decode)
			case "Items":
				codec.DecodeSlice(d, &v.Items, oldItemCodec.Decode)
			default:
				s.Unknown()
			}
		}
	},
	Refs: true,
}

var newOrderCodec = codec.Type[newOrder]{
	Encode: func(e *codec.Encoder, v *newOrder) {
		s := e.Struct(8)
		s.Field("A")
		codec.EncodeString(e, &v.A)
		s.Field("B")
		codec.EncodeInt(e, &v.B)
		s.Field("CC")
		codec.EncodeSlice(e, &v.CC, codec.EncodeInt)
		s.Field("Ptr")
		codec.EncodePointer(e, &v.Ptr, newItemCodec.Encode)
		s.Field("Two")
		codec.EncodeArray(e, v.Two[:], newItemCodec.Encode)
		s.Field("ByKey")
		codec.EncodeMap(e, &v.ByKey, codec.StringKey, newItemCodec.Encode)
		s.Field("Items")
		codec.EncodeSlice(e, &v.Items, newItemCodec.Encode)
		s.Field("Later")
		codec.EncodeString(e, &v.Later)
		s.End()
	},
	Decode: func(d *codec.Decoder, v *newOrder) {
		for s := d.Struct(8); s.Next(); {
			switch string(s.Name) {
			case "A":
				codec.DecodeString(d, &v.A)
			case "B":
				codec.DecodeInt(d, &v.B)
			case "CC":
				codec.DecodeSlice(d, &v.CC, codec.DecodeInt)
			case "Ptr":
				codec.DecodePointer(d, &v.Ptr, newItemCodec.Decode)
			case "Two":
				codec.DecodeArray(d, v.Two[:], newItemCodec.Decode)
			case "ByKey":
				codec.DecodeMap(d, &v.ByKey, codec.StringKey, newItemCodec.Decode)
			case "Items":
				codec.DecodeSlice(d, &v.Items, newItemCodec.Decode)
			case "Later":
				codec.DecodeString(d, &v.Later)
			default:
				s.Unknown()
			}
		}
	},
	Refs: true,
}

func sample() newOrder {
	return newOrder{
		A: "a", B: 1, CC: []int{1, 2}, Later: "later",
		Ptr:   &newItem{"p", true},
		Two:   [2]newItem{{"x", true}, {"y", false}},
		ByKey: map[string]newItem{"k": {"k", true}, "l": {"l", true}},
		Items: []newItem{{"i0", true}, {"i1", false}, {"i2", true}},
	}
}

// TestUnknown lets the old program change what the new one stored.
func TestUnknown(t *testing.T) {
	tests := []struct {
		name   string
		change func(o *oldOrder)
		want   func(n *newOrder)
	}{
		{"nothing", func(o *oldOrder) {}, func(n *newOrder) {}},
		{"a field", func(o *oldOrder) { o.B = 2 }, func(n *newOrder) { n.B = 2 }},
		{"fields of parts", func(o *oldOrder) {
			o.Ptr.Name, o.Two[0].Name, o.ByKey["k"], o.Items[2].Name = "P", "X", oldItem{"K"}, "I2"
		}, func(n *newOrder) {
			n.Ptr.Name, n.Two[0].Name, n.ByKey["k"], n.Items[2].Name = "P", "X", newItem{"K", true}, "I2"
		}},
		{"parts gone", func(o *oldOrder) {
			o.Ptr, o.Items = nil, nil
			delete(o.ByKey, "k")
		}, func(n *newOrder) {
			n.Ptr, n.Items = nil, nil
			delete(n.ByKey, "k")
		}},
		{"first element removed", func(o *oldOrder) { o.Items = o.Items[1:] }, func(n *newOrder) { n.Items = n.Items[1:] }},
		{"elements swapped", func(o *oldOrder) { o.Items[0], o.Items[1] = o.Items[1], o.Items[0] },
			func(n *newOrder) { n.Items[0], n.Items[1] = n.Items[1], n.Items[0] }},
		{"element appended, one changed", func(o *oldOrder) { o.Items = append(o.Items, oldItem{"new"}); o.Items[0].Name = "I0" },
			func(n *newOrder) { n.Items = append(n.Items, newItem{Name: "new"}); n.Items[0].Name = "I0" }},
		{"one removed, one changed: not recognised", func(o *oldOrder) { o.Items = o.Items[1:]; o.Items[1].Name = "?" },
			func(n *newOrder) { n.Items = n.Items[1:]; n.Items[1] = newItem{Name: "?"} }},
		{"all replaced", func(o *oldOrder) { *o = oldOrder{Items: []oldItem{}} },
			func(n *newOrder) { *n = newOrder{A: "a", CC: []int{1, 2}, Later: "later", Items: []newItem{}} }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := sample()
			stored := encoded(t, newOrderCodec, want)
			var old oldOrder
			origin, err := oldOrderCodec.Load(stored, &old)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(origin.Base, stored) {
				t.Errorf("base %x, want %x", origin.Base, stored)
			}
			test.change(&old)
			test.want(&want)
			if test.name == "all replaced" {
				want.Two = [2]newItem{{"", true}, {"", false}} // an array's elements are places
			}
			b, err := oldOrderCodec.Save(nil, &old, origin.Unknown)
			if err != nil {
				t.Fatal(err)
			}
			var got newOrder
			if _, err := newOrderCodec.Load(b, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(b) > 0 && test.name != "nothing" && bytes.Equal(b, origin.Base) {
				t.Error("the change is not seen")
			}
		})
	}
}

// TestMissing lets the new program load what the old one stored.
func TestMissing(t *testing.T) {
	stored := encoded(t, oldOrderCodec, oldOrder{B: 1, Items: []oldItem{{"i"}}})
	var got newOrder
	origin, err := newOrderCodec.Load(stored, &got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(newOrder{B: 1, Items: []newItem{{Name: "i"}}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	saved, err := newOrderCodec.Save(nil, &got, origin.Unknown)
	if err != nil || !bytes.Equal(saved, origin.Base) {
		t.Errorf("a value that was only loaded looks changed: %x, %v; base %x", saved, err, origin.Base)
	}
}
