package codec

import "bytes"

// EncodeSlice appends a slice.
func EncodeSlice[S ~[]E, E any](e *Encoder, v *S, elem func(*Encoder, *E)) {
	if *v == nil {
		e.null()
		return
	}
	EncodeArray(e, []E(*v), elem)
}

// DecodeSlice reads a slice.
func DecodeSlice[S ~[]E, E any](d *Decoder, v *S, elem func(*Decoder, *E)) {
	if d.isNull() {
		return
	}
	n, ok := d.length(majorArray, 1)
	if !ok || !d.enter() {
		return
	}
	defer d.leave()
	// A short input must not claim much memory: elements may be large.
	s := make(S, 0, min(n, 16+4096/int(max(sizeof[E](), 1))))
	var node *Unknown
	for i := range n {
		var zero E
		s = append(s, zero)
		elem(d, &s[i])
		if d.err != nil {
			d.err.inIndex(i)
			return
		}
		node = d.keepElem(node, i)
	}
	*v = s[:n:n]
	d.unknown = node
}

// keepElem takes the unknown fields of the element decoded last into node.
func (d *Decoder) keepElem(node *Unknown, i int) *Unknown {
	if d.unknown == nil {
		return node
	}
	if node == nil {
		node = &Unknown{elems: &unknownElems{nodes: map[int]*Unknown{}}}
	}
	node.elems.nodes[i] = d.unknown
	d.unknown = nil
	return node
}

// EncodeArray appends an array, which v is a slice of.
func EncodeArray[E any](e *Encoder, v []E, elem func(*Encoder, *E)) {
	if !e.enter() {
		return
	}
	node := e.node
	e.head(majorArray, uint64(len(v)))
	if node != nil {
		encodeKeeping(e, v, elem, node)
		e.leave()
		return
	}
	for i := range v {
		elem(e, &v[i])
	}
	e.leave()
}

// encodeKeeping appends the elements of a slice with their unknown fields.
func encodeKeeping[E any](e *Encoder, v []E, elem func(*Encoder, *E), node *Unknown) {
	nodes := make([]*Unknown, len(v))
	if node.elems != nil {
		sums := plainSums(v, elem)
		if node.elems.sums == nil { // Load encodes what it loaded
			node.elems.sums = sums
		}
		nodes = node.elems.match(sums)
	}
	for i := range v {
		e.node = nodes[i]
		elem(e, &v[i])
	}
	e.node = nil
}

// DecodeArray reads an array into the slice v of it.
func DecodeArray[E any](d *Decoder, v []E, elem func(*Decoder, *E)) {
	if !d.tuple(len(v)) || !d.enter() {
		return
	}
	defer d.leave()
	var node *Unknown
	for i := range v {
		elem(d, &v[i])
		if d.err != nil {
			d.err.inIndex(i)
			return
		}
		node = d.keepElem(node, i)
	}
	d.unknown = node
}

// EncodePointer appends what a pointer points to, which cannot be null.
func EncodePointer[P ~*E, E any](e *Encoder, v *P, elem func(*Encoder, *E)) {
	if *v == nil {
		e.null()
		return
	}
	if e.enter() {
		elem(e, *v)
	}
	e.leave()
}

// DecodePointer reads what EncodePointer wrote.
func DecodePointer[P ~*E, E any](d *Decoder, v *P, elem func(*Decoder, *E)) {
	if d.isNull() {
		return
	}
	if d.enter() {
		p := new(E)
		elem(d, p)
		*v = p
	}
	d.leave()
}

// EncodeBox appends what a pointer points to, which may be null: in an array of one.
func EncodeBox[P ~*E, E any](e *Encoder, v *P, elem func(*Encoder, *E)) {
	if *v != nil {
		e.head(majorArray, 1)
	}
	EncodePointer(e, v, elem)
}

// DecodeBox reads what EncodeBox wrote.
func DecodeBox[P ~*E, E any](d *Decoder, v *P, elem func(*Decoder, *E)) {
	if d.isNull() || !d.tuple(1) || !d.enter() {
		return
	}
	p := new(E)
	elem(d, p)
	*v = p
	d.leave()
}

// EncodeMap appends a map, its entries in the order of the encoded keys.
func EncodeMap[M ~map[K]V, K comparable, V any](e *Encoder, v *M, key Key[K], elem func(*Encoder, *V)) {
	if *v == nil {
		e.null()
		return
	}
	if !e.enter() {
		return
	}
	node := e.node
	e.node = nil
	e.head(majorMap, uint64(len(*v)))
	keys := encodeKeys(e, *v, key)
	var value V
	for _, k := range keys {
		if e.err != nil {
			break
		}
		e.b = append(e.b, k.encoded...)
		if node != nil {
			e.node = node.children[string(k.encoded)]
		}
		value = (*v)[k.key]
		elem(e, &value)
	}
	e.node = nil
	e.leave()
}

// DecodeMap reads a map.
func DecodeMap[M ~map[K]V, K comparable, V any](d *Decoder, v *M, key Key[K], elem func(*Decoder, *V)) {
	if d.isNull() {
		return
	}
	n, ok := d.length(majorMap, 2)
	if !ok || !d.enter() {
		return
	}
	defer d.leave()
	m := make(M, min(n, 64))
	var node *Unknown
	var prev []byte
	for range n {
		start := d.i
		var k K
		key.Value.Decode(d, &k)
		encoded := d.b[start:d.i]
		if d.err == nil && prev != nil && bytes.Compare(prev, encoded) >= 0 {
			d.fail("map keys are not in order")
		}
		if d.unknown != nil { // without them, two keys could be one
			d.fail("map key with unknown fields")
		}
		if d.err != nil {
			return
		}
		prev = encoded
		var value V
		elem(d, &value)
		if d.err != nil {
			d.err.inKey(key.name(k))
			return
		}
		m[k] = value
		if d.unknown != nil {
			node = node.setChild(string(encoded), d.unknown)
			d.unknown = nil
		}
	}
	*v = m
	d.unknown = node
}
