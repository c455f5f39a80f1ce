// Package snapshot saves everything that a set of pointers reaches, and puts it
// back in place: maps are refilled, pointees and slice elements overwritten, so
// that whoever holds a pointer, map or slice of the graph sees the old contents
// again and every alias inside the graph stays an alias.
//
// It follows unexported fields. Values of package sync are neither saved nor
// restored, and neither functions nor channels are followed.
package snapshot

import (
	"fmt"
	"reflect"
	"unsafe"
)

// A Snapshot is the contents of a graph of memory at one moment. It does not
// change, and may be restored any number of times.
type Snapshot struct {
	blocks []block
	tables []table
}

// A block is memory that holds n values of one type: a pointee or the array
// behind a slice, up to its capacity.
type block struct {
	live  reflect.Value // slice over the memory itself
	saved reflect.Value // slice with the contents it had
}

// A table is a map with the entries it had.
type table struct {
	live         reflect.Value
	keys, values []reflect.Value
}

// Take saves what the roots, which must be non-nil pointers, reach.
func Take(roots ...any) *Snapshot {
	w := walker{snap: new(Snapshot), seen: map[place]bool{}, refers: map[reflect.Type]bool{}}
	for _, root := range roots {
		v := reflect.ValueOf(root)
		if v.Kind() != reflect.Pointer || v.IsNil() {
			panic(fmt.Sprintf("snapshot: root is %T, want a non-nil pointer", root))
		}
		w.follow(v)
	}
	return w.snap
}

// Restore gives everything that was saved its contents back.
func (s *Snapshot) Restore() {
	for _, b := range s.blocks {
		for i := range b.live.Len() {
			assign(b.live.Index(i), b.saved.Index(i))
		}
	}
	for _, t := range s.tables {
		t.live.Clear()
		for i, k := range t.keys {
			t.live.SetMapIndex(k, t.values[i])
		}
	}
}

// assign copies src to dst, leaving alone what belongs to package sync.
func assign(dst, src reflect.Value) {
	t := dst.Type()
	switch {
	case isSync(t):
	case !holdsSync(t):
		dst.Set(src)
	case t.Kind() == reflect.Array:
		for i := range t.Len() {
			assign(dst.Index(i), src.Index(i))
		}
	default:
		for i := range t.NumField() {
			assign(field(dst, i), field(src, i))
		}
	}
}

// place identifies memory that was saved. The type belongs to it: a struct and
// its first field share an address.
type place struct {
	at  unsafe.Pointer
	typ reflect.Type
	n   int
}

type walker struct {
	snap   *Snapshot
	seen   map[place]bool
	refers map[reflect.Type]bool // whether values of the type may refer to memory
}

// follow saves the memory that v refers to. Structs and arrays must be
// addressable, so that their unexported fields can be read.
func (w *walker) follow(v reflect.Value) {
	if !w.mayRefer(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !isLeaf(v.Type().Elem()) {
			w.block(v.UnsafePointer(), v.Type().Elem(), 1)
		}
	case reflect.Slice:
		w.block(v.UnsafePointer(), v.Type().Elem(), v.Cap())
	case reflect.Map:
		w.table(v)
	case reflect.Interface:
		if !v.IsNil() {
			w.follow(copied(v.Elem()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			w.follow(field(v, i))
		}
	case reflect.Array:
		for i := range v.Len() {
			w.follow(v.Index(i))
		}
	}
}

// first reports whether the memory is seen for the first time.
func (w *walker) first(at unsafe.Pointer, t reflect.Type, n int) bool {
	p := place{at, t, n}
	if at == nil || w.seen[p] {
		return false
	}
	w.seen[p] = true
	return true
}

func (w *walker) block(at unsafe.Pointer, elem reflect.Type, n int) {
	if n == 0 || elem.Size() == 0 || !w.first(at, elem, n) {
		return
	}
	live := reflect.SliceAt(elem, at, n)
	saved := reflect.MakeSlice(reflect.SliceOf(elem), n, n)
	for i := range n {
		assign(saved.Index(i), live.Index(i))
	}
	w.snap.blocks = append(w.snap.blocks, block{live, saved})
	if w.mayRefer(elem) {
		for i := range n {
			w.follow(live.Index(i))
		}
	}
}

func (w *walker) table(m reflect.Value) {
	if !w.first(m.UnsafePointer(), m.Type(), 0) {
		return
	}
	t := table{live: m}
	for iter := m.MapRange(); iter.Next(); {
		k, v := copied(iter.Key()), copied(iter.Value())
		t.keys, t.values = append(t.keys, k), append(t.values, v)
		w.follow(k)
		w.follow(v)
	}
	w.snap.tables = append(w.snap.tables, t)
}

// mayRefer reports whether a value of type t may refer to memory outside it.
func (w *walker) mayRefer(t reflect.Type) bool {
	refers, ok := w.refers[t]
	if ok {
		return refers
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		refers = true
	case reflect.Array:
		refers = t.Len() > 0 && w.mayRefer(t.Elem())
	case reflect.Struct:
		for i := 0; i < t.NumField() && !refers && !isLeaf(t); i++ {
			refers = w.mayRefer(t.Field(i).Type)
		}
	}
	w.refers[t] = refers
	return refers
}
