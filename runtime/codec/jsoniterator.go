package codec

import "bytes"

// jsonMembers iterates over the members of an object.
type jsonMembers struct {
	d       *JSONDecoder
	name    []byte // valid until the next call
	escaped bool   // name is in the scratch buffer
	started bool
}

// members begins an object. Iterating to the end closes it.
func (d *JSONDecoder) members() jsonMembers {
	if d.next() != '{' {
		d.mismatch("object")
	} else if d.enter() {
		d.i++
	}
	return jsonMembers{d: d}
}

func (m *jsonMembers) next() bool {
	d := m.d
	if d.err != nil {
		return false
	}
	c := d.next()
	if c == '}' {
		d.i++
		d.leave()
		return false
	}
	if m.started {
		if c != ',' {
			d.mismatch(`"," or "}"`)
			return false
		}
		d.i++
	}
	m.started = true
	if d.next() != '"' {
		d.mismatch("member name")
		return false
	}
	start := d.i + 1
	m.name = d.text()
	m.escaped = d.i-start-1 != len(m.name)
	if d.err == nil && d.next() != ':' {
		d.mismatch(`":"`)
	}
	d.i++
	return d.err == nil
}

// JSONObject iterates over the members of an object that become the fields of
// a struct.
type JSONObject struct {
	Name []byte // of the member whose value is next

	members jsonMembers
	seen    [8][]byte
	n       int
	more    [][]byte // seen after the first ones
}

// Object begins the object of a struct:
//
//	for o := d.Object(); o.Next(); {
//		switch string(o.Name) {
//		case "capacity":
//			DecodeJSONInt(d, &v.Capacity)
//		…
//		default:
//			o.Unknown()
//		}
//	}
func (d *JSONDecoder) Object() JSONObject { return JSONObject{members: d.members()} }

// Next moves to the next member and reports whether there is one.
func (o *JSONObject) Next() bool {
	d := o.members.d
	if d.err != nil {
		if o.members.started {
			d.err.inField(string(o.Name))
		}
		return false
	}
	if !o.members.next() {
		return false
	}
	o.Name = o.members.name
	if o.members.escaped {
		o.Name = bytes.Clone(o.Name)
	}
	for _, name := range o.seen[:min(o.n, len(o.seen))] {
		if bytes.Equal(name, o.Name) {
			d.fail("duplicate field")
		}
	}
	for _, name := range o.more {
		if bytes.Equal(name, o.Name) {
			d.fail("duplicate field")
		}
	}
	if d.err != nil {
		d.err.inField(string(o.Name))
		return false
	}
	if o.n < len(o.seen) {
		o.seen[o.n] = o.Name
	} else {
		o.more = append(o.more, o.Name)
	}
	o.n++
	return true
}

// Unknown fails because of a member that no field has.
func (o *JSONObject) Unknown() { o.members.d.fail("unknown field") }

// JSONArray iterates over the elements of an array.
type JSONArray struct {
	d *JSONDecoder
	i int // index of the current element; -1 before the first
}

// Array begins an array. Iterating to the end closes it.
func (d *JSONDecoder) Array() JSONArray {
	if d.next() != '[' {
		d.mismatch("array")
	} else if d.enter() {
		d.i++
	}
	return JSONArray{d: d, i: -1}
}

// Next moves to the next element and reports whether there is one.
func (a *JSONArray) Next() bool {
	d := a.d
	if d.err != nil {
		if a.i >= 0 {
			d.err.inIndex(a.i)
		}
		return false
	}
	c := d.next()
	if c == ']' {
		d.i++
		d.leave()
		return false
	}
	if a.i >= 0 {
		if c != ',' {
			d.mismatch(`"," or "]"`)
			return false
		}
		d.i++
	}
	a.i++
	if d.next() == ']' { // a comma before the end
		d.mismatch("value")
		return false
	}
	return true
}
