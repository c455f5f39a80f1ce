package state

import (
	"bytes"
	"fmt"
	syncatomic "sync/atomic"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// field is where a persistent field lives: what all descriptors have in common.
type field struct {
	service, name string
	keys          syncatomic.Pointer[keys]
}

// keys are the keys of a field in one application.
type keys struct {
	app  []byte // the prefix of the application
	root []byte // state/service/field: the value, or the length, or the prefix of all entries
	meta []byte // meta/service/field
}

// Service returns the name of the service that the field belongs to.
func (f *field) Service() string { return f.service }

// Name returns the field's name.
func (f *field) Name() string { return f.name }

func (f *field) String() string { return f.service + "." + f.name }

// in returns the keys of the field for tx. A process runs one application, but
// tests may run several.
func (f *field) in(tx *atomic.Tx) *keys {
	if k := f.keys.Load(); k != nil && bytes.Equal(k.app, tx.Prefix()) {
		return k
	}
	k := &keys{app: bytes.Clone(tx.Prefix()), root: f.key(tx, "state"), meta: f.key(tx, "meta")}
	f.keys.Store(k)
	return k
}

func (f *field) key(tx *atomic.Tx, space string) []byte {
	b := tuple.AppendString(bytes.Clone(tx.Prefix()), space)
	b = tuple.AppendString(b, f.service)
	b = tuple.AppendString(b, f.name)
	return b[:len(b):len(b)]
}

// damaged unwinds tx because the store holds what this program cannot read.
func (f *field) damaged(tx *atomic.Tx, place string, err error) {
	tx.Fail(fmt.Errorf("stored value of %s cannot be read: %w", place, err))
}

// MapField describes a field of type map[K]V.
type MapField[K comparable, V any] struct {
	field
	key  codec.Key[K]
	elem codec.Type[V]
}

// NewMap returns the descriptor of the map called name of a service.
func NewMap[K comparable, V any](service, name string, key codec.Key[K], elem codec.Type[V]) *MapField[K, V] {
	return &MapField[K, V]{field: field{service: service, name: name}, key: key, elem: elem}
}

// In returns the handle of the field in tx.
func (f *MapField[K, V]) In(tx *atomic.Tx) Map[K, V] { return Map[K, V]{field: f, tx: tx} }

// SliceField describes a field of type []V.
type SliceField[V any] struct {
	field
	elem codec.Type[V]
}

// NewSlice returns the descriptor of the slice called name of a service.
func NewSlice[V any](service, name string, elem codec.Type[V]) *SliceField[V] {
	return &SliceField[V]{field: field{service: service, name: name}, elem: elem}
}

// In returns the handle of the field in tx.
func (f *SliceField[V]) In(tx *atomic.Tx) Slice[V] { return Slice[V]{field: f, tx: tx} }

// ValueField describes a field of any other type.
type ValueField[T any] struct {
	field
	typ codec.Type[T]
}

// NewValue returns the descriptor of the single value called name of a service.
func NewValue[T any](service, name string, typ codec.Type[T]) *ValueField[T] {
	return &ValueField[T]{field: field{service: service, name: name}, typ: typ}
}

// In returns the handle of the field in tx.
func (f *ValueField[T]) In(tx *atomic.Tx) Value[T] { return Value[T]{field: f, tx: tx} }
