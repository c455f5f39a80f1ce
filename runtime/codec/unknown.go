package codec

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"strings"
)

// Unknown are the fields that a decoder met and the Go type does not have:
// newer code wrote them. They are kept by the path of the struct that holds
// them, so that they can be written back to where they came from.
//
// Within a slice an element is recognised by what it holds, or by its index
// where it was changed in place; the unknown fields of an element that cannot
// be recognised are dropped, never given to another.
type Unknown struct {
	fields   []rawField          // of the struct here, in encoded order
	children map[string]*Unknown // by field name, or by encoded map key
	elems    *unknownElems
}

// rawField is a field with its encoded name and value.
type rawField struct {
	name string
	raw  []byte
}

// unknownElems are the unknown fields in the elements of a slice or array.
type unknownElems struct {
	sums  []uint64 // hash of each element, without its unknown fields
	nodes map[int]*Unknown
}

func (u *Unknown) field(name string) *Unknown { return u.children[name] }

func (u *Unknown) setChild(name string, child *Unknown) *Unknown {
	if u == nil {
		u = &Unknown{}
	}
	if u.children == nil {
		u.children = map[string]*Unknown{}
	}
	u.children[name] = child
	return u
}

func (u *Unknown) addField(name, raw []byte) *Unknown {
	if u == nil {
		u = &Unknown{}
	}
	u.fields = append(u.fields, rawField{string(name), bytes.Clone(raw)})
	return u
}

// compareNames orders field names as their CBOR encodings do.
func compareNames(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

var seed = maphash.MakeSeed()

// plainSum hashes an element without its unknown fields.
func plainSum[E any](v *E, elem func(*Encoder, *E)) uint64 {
	e := NewEncoder(nil)
	elem(e, v)
	b, err := e.Finish()
	if err != nil {
		return 0 // the encoding that asks fails too
	}
	return maphash.Bytes(seed, b)
}

func plainSums[E any](v []E, elem func(*Encoder, *E)) []uint64 {
	sums := make([]uint64, len(v))
	for i := range v {
		sums[i] = plainSum(&v[i], elem)
	}
	return sums
}

// match finds for each element of a slice, given by its hash, the unknown fields
// that were in it when it was loaded.
func (u *unknownElems) match(sums []uint64) []*Unknown {
	found := make([]*Unknown, len(sums))
	used := make([]bool, len(u.sums)) // originals that are accounted for
	settled := make([]bool, len(sums))
	settle := func(now, then int) {
		found[now], used[then], settled[now] = u.nodes[then], true, true
	}
	for i := range min(len(sums), len(u.sums)) {
		if sums[i] == u.sums[i] {
			settle(i, i)
		}
	}
	left := map[uint64][]int{}
	for i, sum := range u.sums {
		if !used[i] {
			left[sum] = append(left[sum], i)
		}
	}
	for i, sum := range sums { // moved
		if was := left[sum]; !settled[i] && len(was) > 0 {
			settle(i, was[0])
			left[sum] = was[1:]
		}
	}
	if len(sums) < len(u.sums) {
		return found // some left: an index says nothing
	}
	for i := range u.sums { // changed in place
		if !settled[i] && !used[i] {
			settle(i, i)
		}
	}
	return found
}
