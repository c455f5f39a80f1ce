package codec_test

import (
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/codec/internal/zoo"
)

// objects returns what v refers to, each once.
func objects[T any](typ codec.Type[T], v *T) (found []codec.Object) {
	seen := map[codec.Object]bool{}
	typ.Objects(v, func(o codec.Object) bool {
		if seen[o] {
			return false
		}
		seen[o] = true
		found = append(found, o)
		return true
	})
	return found
}

func TestObjects(t *testing.T) {
	shared := &zoo.Node{Label: "shared"}
	v := zoo.Node{Next: shared, Children: []*zoo.Node{shared, nil}, ByName: map[string]*zoo.Node{"a": shared}}
	shared.Next = shared // a cycle
	kinds := map[codec.Kind]int{}
	for _, o := range objects(zoo.NodeCodec, &v) {
		kinds[o.Kind]++
		if o.Kind == codec.Pointee && (o.Addr != unsafe.Pointer(shared) || o.Size != unsafe.Sizeof(*shared)) {
			t.Errorf("pointee %v, want the shared node", o)
		}
		if o.Kind == codec.Elements && (o.Addr != unsafe.Pointer(&v.Children[0]) || o.Size != 2*unsafe.Sizeof(shared)) {
			t.Errorf("elements %v, want the children", o)
		}
	}
	if diff := cmp.Diff(map[codec.Kind]int{codec.Pointee: 1, codec.Elements: 1, codec.Table: 1}, kinds); diff != "" {
		t.Errorf("objects by kind (-want +got):\n%s", diff)
	}

	deep := zoo.Deep{PA: new([2]zoo.Room), AP: [2]*zoo.Room{{Guests: []string{"a"}}}, MSP: map[string][]*zoo.Room{"x": {{}}}}
	if n := len(objects(zoo.DeepCodec, &deep)); n != 6 {
		t.Errorf("found %d objects, want PA, AP[0] with its guests, MSP with its slice and room", n)
	}
}

func TestFlags(t *testing.T) {
	type flags struct{ Refs, Pointers, Nullable, Objects bool }
	of := func(refs, pointers, nullable, objects bool) flags { return flags{refs, pointers, nullable, objects} }
	got := map[string]flags{
		"Room":      of(zoo.RoomCodec.Refs, zoo.RoomCodec.Pointers, zoo.RoomCodec.Nullable, zoo.RoomCodec.Objects != nil),
		"City":      of(zoo.CityCodec.Refs, zoo.CityCodec.Pointers, zoo.CityCodec.Nullable, zoo.CityCodec.Objects != nil),
		"Node":      of(zoo.NodeCodec.Refs, zoo.NodeCodec.Pointers, zoo.NodeCodec.Nullable, zoo.NodeCodec.Objects != nil),
		"Names":     of(zoo.NamesCodec.Refs, zoo.NamesCodec.Pointers, zoo.NamesCodec.Nullable, zoo.NamesCodec.Objects != nil),
		"Ref":       of(zoo.RefCodec.Refs, zoo.RefCodec.Pointers, zoo.RefCodec.Nullable, zoo.RefCodec.Objects != nil),
		"Stored":    of(zoo.StoredCodec.Refs, zoo.StoredCodec.Pointers, zoo.StoredCodec.Nullable, zoo.StoredCodec.Objects != nil),
		"time.Time": of(codec.Time.Refs, codec.Time.Pointers, codec.Time.Nullable, codec.Time.Objects != nil),
		"[]byte":    of(codec.Bytes.Refs, codec.Bytes.Pointers, codec.Bytes.Nullable, codec.Bytes.Objects != nil),
	}
	want := map[string]flags{
		"Room":      {Refs: true, Objects: true},
		"City":      {},
		"Node":      {Refs: true, Pointers: true, Objects: true},
		"Names":     {Refs: true, Nullable: true, Objects: true},
		"Ref":       {Refs: true, Pointers: true, Nullable: true, Objects: true},
		"Stored":    {Refs: true},
		"time.Time": {},
		"[]byte":    {Refs: true, Nullable: true, Objects: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
