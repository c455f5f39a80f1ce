package plain

import (
	"reflect"
	"time"
	"unsafe"
)

// Clone returns a copy of v that shares no memory with it, as if it had been
// stored and read back. It follows unexported fields; functions and channels, which
// nothing that is stored has, are shared.
func Clone[T any](v T) T {
	in := reflect.New(reflect.TypeFor[T]()).Elem()
	in.Set(reflect.ValueOf(&v).Elem())
	out := reflect.New(in.Type()).Elem()
	clone(out, in)
	return *out.Addr().Interface().(*T)
}

// clone sets dst to a copy of src. Both are addressable.
func clone(dst, src reflect.Value) {
	switch src.Kind() {
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			clone(dst.Elem(), src.Elem())
		}
	case reflect.Interface:
		if !src.IsNil() {
			dst.Set(cloned(src.Elem()))
		}
	case reflect.Slice:
		if !src.IsNil() {
			dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
			for i := range src.Len() {
				clone(dst.Index(i), src.Index(i))
			}
		}
	case reflect.Array:
		for i := range src.Len() {
			clone(dst.Index(i), src.Index(i))
		}
	case reflect.Map:
		cloneMap(dst, src)
	case reflect.Struct:
		cloneStruct(dst, src)
	default:
		dst.Set(src)
	}
}

func cloneMap(dst, src reflect.Value) {
	if src.IsNil() {
		return
	}
	dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
	for iter := src.MapRange(); iter.Next(); {
		dst.SetMapIndex(cloned(iter.Key()), cloned(iter.Value()))
	}
}

// cloneStruct also takes the monotonic reading from times, which a store does.
func cloneStruct(dst, src reflect.Value) {
	if src.Type() == reflect.TypeFor[time.Time]() {
		*dst.Addr().Interface().(*time.Time) = src.Addr().Interface().(*time.Time).Round(0)
		return
	}
	for i := range src.NumField() {
		clone(field(dst, i), field(src, i))
	}
}

// field returns a field of an addressable struct, an unexported one as if it were exported.
func field(v reflect.Value, i int) reflect.Value {
	f := v.Field(i)
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

// cloned returns a copy of a value that is not addressable.
func cloned(v reflect.Value) reflect.Value {
	in := reflect.New(v.Type()).Elem()
	in.Set(v)
	out := reflect.New(v.Type()).Elem()
	clone(out, in)
	return out
}
