package state_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	syncatomic "sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/state"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
)

// node is a stored struct with everything that a copy may share: a slice, a map
// and a pointer to its own kind.
type node struct {
	N    int
	Next *node
	Tags []string
	meta map[string]int
}

var (
	nodeType = codec.Type[node]{Encode: encodeNode, Decode: decodeNode, Objects: nodeObjects, Refs: true, Pointers: true}
	tagsType = codec.Slice(codec.String)
	metaType = codec.MapOf(codec.StringKey, codec.Int)
)

func encodeNode(e *codec.Encoder, v *node) {
	s := e.Struct(4)
	s.Field("N")
	codec.Int.Encode(e, &v.N)
	s.Field("Next")
	codec.EncodePointer(e, &v.Next, encodeNode)
	s.Field("Tags")
	tagsType.Encode(e, &v.Tags)
	s.Field("meta")
	metaType.Encode(e, &v.meta)
	s.End()
}

func decodeNode(d *codec.Decoder, v *node) {
	for s := d.Struct(4); s.Next(); {
		switch string(s.Name) {
		case "N":
			codec.Int.Decode(d, &v.N)
		case "Next":
			codec.DecodePointer(d, &v.Next, decodeNode)
		case "Tags":
			tagsType.Decode(d, &v.Tags)
		case "meta":
			metaType.Decode(d, &v.meta)
		default:
			s.Unknown()
		}
	}
}

func nodeObjects(v *node, visit codec.Visit) {
	codec.VisitPointer(&v.Next, visit, nodeObjects)
	tagsType.Objects(&v.Tags, visit)
	metaType.Objects(&v.meta, visit)
}

// item is a stored struct that shares a slice but holds no pointer.
type item struct {
	Name string
	Tags []string
}

var itemType = codec.Type[item]{
	Encode: func(e *codec.Encoder, v *item) {
		s := e.Struct(2)
		s.Field("Name")
		codec.String.Encode(e, &v.Name)
		s.Field("Tags")
		codec.EncodeSlice(e, &v.Tags, codec.String.Encode)
		s.End()
	},
	Decode: func(d *codec.Decoder, v *item) {
		for s := d.Struct(2); s.Next(); {
			switch string(s.Name) {
			case "Name":
				codec.String.Decode(d, &v.Name)
			case "Tags":
				codec.DecodeSlice(d, &v.Tags, codec.String.Decode)
			default:
				s.Unknown()
			}
		}
	},
	Objects: func(v *item, visit codec.Visit) { codec.VisitSlice(&v.Tags, visit, nil) },
	Refs:    true,
}

// The fields of a service that has one of each kind.
var (
	nodesField  = state.NewMap("Box", "nodes", codec.StringKey, codec.Pointer(nodeType))
	countsField = state.NewMap("Box", "counts", codec.IntKey, codec.Int)
	itemsField  = state.NewMap("Box", "items", codec.StringKey, itemType)
	queueField  = state.NewSlice("Box", "queue", codec.Pointer(nodeType))
	lineField   = state.NewSlice("Box", "line", itemType)
	totalField  = state.NewValue("Box", "total", codec.Int)
	configField = state.NewValue("Box", "config", nodeType)
)

// box is the service as generated code has it.
type box struct {
	tx     *atomic.Tx
	nodes  state.Map[string, *node]
	counts state.Map[int, int]
	items  state.Map[string, item]
	queue  state.Slice[*node]
	line   state.Slice[item]
	total  state.Value[int]
	config state.Value[node]
}

var boxKey = atomic.NewKey("Box")

func bindBox(tx *atomic.Tx) *box {
	return atomic.Bind(tx, boxKey, func(tx *atomic.Tx) *box {
		return &box{
			tx: tx, nodes: nodesField.In(tx), counts: countsField.In(tx), items: itemsField.In(tx),
			queue: queueField.In(tx), line: lineField.In(tx), total: totalField.In(tx), config: configField.In(tx),
		}
	})
}

// dump returns the whole state in generic form.
func dump(ctx context.Context, tx *atomic.Tx) map[string]any {
	d := map[string]any{}
	for _, f := range []interface {
		Name() string
		Dump(context.Context, *atomic.Tx) any
	}{nodesField, countsField, itemsField, queueField, lineField, totalField, configField} {
		d[f.Name()] = f.Dump(ctx, tx)
	}
	return d
}

func openEngine(t testing.TB) store.Engine {
	t.Helper()
	engine, err := embedded.Open("db", embedded.Options{FS: vfs.NewMem(), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

func newID() (id atomic.ID) {
	rand.Read(id[:])
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(time.Now().UnixMilli())<<16)
	copy(id[:6], stamp[:6])
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

// do runs fn as one fresh request and returns its application error.
func do(t testing.TB, r *atomic.Runner, fn func(ctx context.Context, b *box) error) error {
	t.Helper()
	reply, err := run(r, fn)
	if err != nil {
		t.Fatal(err)
	}
	return reply.Err
}

var methods syncatomic.Uint64

func run(r *atomic.Runner, fn func(ctx context.Context, b *box) error) (atomic.Reply, error) {
	// Another method each time, or branches that met once would not run in parallel again.
	req := atomic.Request{ID: newID(), Fresh: true, Method: "Box.Do", MethodHash: methods.Add(1)}
	return r.Run(context.Background(), req, func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
		return nil, fn(ctx, bindBox(tx))
	})
}

func read(t testing.TB, r *atomic.Runner) (d map[string]any) {
	t.Helper()
	err := r.Read(context.Background(), func(ctx context.Context, tx *atomic.Tx) error {
		d = dump(ctx, tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var errUndo = errors.New("undo")
