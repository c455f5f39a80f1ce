package snapshot

import (
	"reflect"
	"unsafe"
)

// copied returns an addressable copy of v.
func copied(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// field returns field i of the addressable struct v, settable even where it is unexported.
func field(v reflect.Value, i int) reflect.Value {
	f := v.Field(i)
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

// isSync reports whether t is a type of package sync, whose values must not be copied.
func isSync(t reflect.Type) bool { return t.PkgPath() == "sync" }

// isLeaf reports whether values of t are not looked into: those of package sync,
// and times, whose zone is shared by the whole process.
func isLeaf(t reflect.Type) bool { return isSync(t) || t.PkgPath() == "time" }

// holdsSync reports whether a value of t contains one of package sync.
func holdsSync(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return holdsSync(t.Elem())
	case reflect.Struct:
		if isSync(t) {
			return true
		}
		for i := range t.NumField() {
			if holdsSync(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}
