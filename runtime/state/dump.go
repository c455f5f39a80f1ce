package state

import (
	"cmp"
	"context"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/onefold/onefold/runtime/atomic"
)

// Entry is an entry of a map or a field of a struct in generic form.
type Entry struct{ Key, Value any }

// Entries are a map, in the order of its keys, or a struct, in the order of its
// fields, in generic form.
type Entries []Entry

// Dump returns the field's value in generic form: see [Generic].
func (f *MapField[K, V]) Dump(ctx context.Context, tx *atomic.Tx) any {
	m := f.In(tx)
	entries := Entries{}
	for k, v := range m.All() {
		entries = append(entries, Entry{Generic(k), Generic(v)})
	}
	return entries
}

// Dump returns the field's value in generic form: see [Generic].
func (f *SliceField[V]) Dump(ctx context.Context, tx *atomic.Tx) any {
	s := f.In(tx)
	return Generic(s.Load())
}

// Dump returns the field's value in generic form: see [Generic].
func (f *ValueField[T]) Dump(ctx context.Context, tx *atomic.Tx) any {
	v := f.In(tx)
	return Generic(v.Get())
}

// Generic returns a copy of v that is made of nil, bool, int64, uint64, float64,
// complex128, string, []byte, []any and [Entries] only. It holds all that v does,
// unexported fields included, is in a fixed order, and is equal for equal values: nil
// and empty stay distinct, pointers are what they point to. What marshals as text
// (times for instance) is that text. There must be no cycles.
func Generic(v any) any {
	if v == nil {
		return nil
	}
	return generic(addressable(reflect.ValueOf(v)))
}

// addressable returns a copy of v whose unexported fields can be read.
func addressable(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

func generic(v reflect.Value) any {
	if text, ok := asText(v); ok {
		return text
	}
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return v.Uint()
	case v.CanFloat():
		return v.Float()
	case v.CanComplex():
		return v.Complex()
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.String:
		return v.String()
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return generic(addressable(v.Elem()))
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return slices.Clone(v.Bytes())
		}
		return genericList(v)
	case reflect.Array:
		return genericList(v)
	case reflect.Map:
		return genericMap(v)
	case reflect.Struct:
		return genericStruct(v)
	}
	panic(fmt.Sprintf("state: a %s cannot be stored", v.Type()))
}

func asText(v reflect.Value) (string, bool) {
	m, ok := v.Addr().Interface().(encoding.TextMarshaler)
	if !ok || v.Kind() == reflect.Pointer {
		return "", false
	}
	text, err := m.MarshalText()
	return string(text), err == nil
}

func genericList(v reflect.Value) any {
	list := make([]any, v.Len())
	for i := range list {
		list[i] = generic(v.Index(i))
	}
	return list
}

func genericMap(v reflect.Value) any {
	if v.IsNil() {
		return nil
	}
	entries := Entries{}
	for it := v.MapRange(); it.Next(); {
		entries = append(entries, Entry{generic(addressable(it.Key())), generic(addressable(it.Value()))})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return compareGeneric(a.Key, b.Key) })
	return entries
}

func genericStruct(v reflect.Value) any {
	entries := make(Entries, v.NumField())
	for i := range entries {
		f := v.Field(i)
		f = reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
		entries[i] = Entry{v.Type().Field(i).Name, generic(f)}
	}
	return entries
}

// compareGeneric orders keys of one map as the store does.
func compareGeneric(a, b any) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case uint64:
		return cmp.Compare(a, b.(uint64))
	case string:
		return strings.Compare(a, b.(string))
	case bool:
		return compareBools(a, b.(bool))
	case []any:
		return slices.CompareFunc(a, b.([]any), compareGeneric)
	case Entries:
		return slices.CompareFunc(a, b.(Entries), func(x, y Entry) int { return compareGeneric(x.Value, y.Value) })
	}
	panic(fmt.Sprintf("state: a %T is no key", a))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
