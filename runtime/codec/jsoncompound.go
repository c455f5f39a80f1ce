package codec

import (
	"slices"
	"strings"
)

// EncodeJSONSlice appends a slice.
func EncodeJSONSlice[S ~[]E, E any](e *JSONEncoder, v *S, elem func(*JSONEncoder, *E)) {
	if *v == nil {
		e.Null()
		return
	}
	EncodeJSONArray(e, []E(*v), elem)
}

// DecodeJSONSlice reads a slice.
func DecodeJSONSlice[S ~[]E, E any](d *JSONDecoder, v *S, elem func(*JSONDecoder, *E)) {
	if d.isNull() {
		return
	}
	s := S{}
	for a := d.Array(); a.Next(); {
		var zero E
		s = append(s, zero)
		elem(d, &s[len(s)-1])
	}
	*v = slices.Clip(s)
}

// EncodeJSONArray appends an array, which v is a slice of.
func EncodeJSONArray[E any](e *JSONEncoder, v []E, elem func(*JSONEncoder, *E)) {
	if e.enter() {
		e.Array()
		for i := range v {
			if i > 0 {
				e.b = append(e.b, ',')
			}
			elem(e, &v[i])
		}
		e.EndArray()
	}
	e.leave()
}

// DecodeJSONArray reads an array of that length into the slice v of it.
func DecodeJSONArray[E any](d *JSONDecoder, v []E, elem func(*JSONDecoder, *E)) {
	n := 0
	for a := d.Array(); a.Next(); n++ {
		if n == len(v) {
			d.fail("want array of %d, found more", len(v))
			return
		}
		elem(d, &v[n])
	}
	if n < len(v) {
		d.fail("want array of %d, found %d", len(v), n)
	}
}

// EncodeJSONPointer appends what a pointer points to, or null.
func EncodeJSONPointer[P ~*E, E any](e *JSONEncoder, v *P, elem func(*JSONEncoder, *E)) {
	if *v == nil {
		e.Null()
		return
	}
	if e.enter() {
		elem(e, *v)
	}
	e.leave()
}

// DecodeJSONPointer reads a value that a pointer is to point to, or null.
func DecodeJSONPointer[P ~*E, E any](d *JSONDecoder, v *P, elem func(*JSONDecoder, *E)) {
	if d.isNull() {
		return
	}
	p := new(E)
	elem(d, p)
	*v = p
}

// EncodeJSONMap appends a map as an object, its members in the order of their names.
func EncodeJSONMap[M ~map[K]V, K comparable, V any](e *JSONEncoder, v *M, key Key[K], elem func(*JSONEncoder, *V)) {
	switch {
	case *v == nil:
		e.Null()
		return
	case key.Text == nil:
		e.Fail("a map with these keys has no JSON form")
		return
	}
	if !e.enter() {
		return
	}
	type member struct {
		name string
		key  K
	}
	members := make([]member, 0, len(*v))
	for k := range *v {
		name, err := key.Text(k)
		if err != nil {
			e.Fail(err.Error())
			return
		}
		members = append(members, member{name, k})
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	e.Object()
	var value V
	for i, m := range members {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.b = append(appendQuoted(e.b, m.name), ':')
		value = (*v)[m.key]
		elem(e, &value)
	}
	e.EndObject()
	e.leave()
}

// DecodeJSONMap reads a map from an object.
func DecodeJSONMap[M ~map[K]V, K comparable, V any](d *JSONDecoder, v *M, key Key[K], elem func(*JSONDecoder, *V)) {
	if d.isNull() {
		return
	}
	if key.ParseText == nil {
		d.fail("a map with these keys has no JSON form")
		return
	}
	m := make(M)
	for o := d.members(); o.next(); {
		name := string(o.name)
		k, err := key.ParseText(name)
		if _, dup := m[k]; err == nil && dup {
			err = failf("duplicate key")
		}
		var value V
		if err != nil {
			d.Fail(err.Error())
		} else {
			elem(d, &value)
		}
		if d.err != nil {
			d.err.inKey(string(appendQuoted(nil, name)))
			return
		}
		m[k] = value
	}
	*v = m
}
