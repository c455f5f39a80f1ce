package codec

import "unsafe"

// asBytes returns v as []byte, sharing its memory.
func asBytes[S ~[]E, E Byte](v S) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v))
}

// ofBytes returns b as a slice of another byte type, sharing its memory. An
// empty b gives an empty slice, not nil.
func ofBytes[S ~[]E, E Byte](b []byte) S {
	if len(b) == 0 {
		return S{}
	}
	return S(unsafe.Slice((*E)(unsafe.Pointer(unsafe.SliceData(b))), len(b)))
}

// Kind says what sort of memory an Object is.
type Kind uint8

// The kinds of objects.
const (
	Pointee  Kind = iota + 1 // what a pointer points to
	Elements                 // the elements of a slice, up to its length
	Table                    // the entries of a map; its address only identifies it
)

// Object is a piece of memory that a value refers to.
type Object struct {
	Kind Kind
	Addr unsafe.Pointer
	Size uintptr // bytes; 0 for a Table
}

// Visit is shown an object, and reports whether to go on to the objects that it
// refers to. It must say no to objects it has seen, or a cycle has no end.
type Visit func(o Object) (descend bool)

// VisitPointer shows what *v points to; elem, which may be nil, goes on from there.
func VisitPointer[P ~*E, E any](v *P, visit Visit, elem func(*E, Visit)) {
	p := (*E)(*v)
	if p == nil {
		return
	}
	size := unsafe.Sizeof(*p)
	if (size == 0 || visit(Object{Pointee, unsafe.Pointer(p), size})) && elem != nil {
		elem(p, visit)
	}
}

// VisitSlice shows the elements of *v; elem, which may be nil, goes on from each.
func VisitSlice[S ~[]E, E any](v *S, visit Visit, elem func(*E, Visit)) {
	s := []E(*v)
	if size := uintptr(len(s)) * sizeof[E](); size > 0 && visit(Object{Elements, unsafe.Pointer(unsafe.SliceData(s)), size}) {
		VisitArray(s, visit, elem)
	}
}

// VisitArray goes on from each element of an array, which v is a slice of.
func VisitArray[E any](v []E, visit Visit, elem func(*E, Visit)) {
	if elem == nil {
		return
	}
	for i := range v {
		elem(&v[i], visit)
	}
}

// VisitMap shows the map *v; elem, which may be nil, goes on from each value.
func VisitMap[M ~map[K]V, K comparable, V any](v *M, visit Visit, elem func(*V, Visit)) {
	m := map[K]V(*v)
	if m == nil || !visit(Object{Table, *(*unsafe.Pointer)(unsafe.Pointer(&m)), 0}) || elem == nil {
		return
	}
	for _, value := range m {
		elem(&value, visit)
	}
}

func sizeof[E any]() uintptr {
	var zero E
	return unsafe.Sizeof(zero)
}
