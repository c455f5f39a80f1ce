package storable

import (
	"go/types"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// JSONForm is how values of a type become JSON, or are read from it.
type JSONForm uint8

// The JSON forms.
const (
	JSONStructure JSONForm = iota // by what they consist of
	JSONTime                      // time.Time: RFC 3339
	JSONMethod                    // MarshalJSON, UnmarshalJSON
	JSONText                      // a string, by MarshalText, UnmarshalText
)

// EncodeForm returns how values of type t become JSON.
func EncodeForm(t types.Type) JSONForm { return jsonForm(t, marshalJSON, marshalText) }

// DecodeForm returns how values of type t are read from JSON.
func DecodeForm(t types.Type) JSONForm { return jsonForm(t, unmarshalJSON, unmarshalText) }

func jsonForm(t types.Type, asJSON, asText *types.Func) JSONForm {
	t = types.Unalias(t)
	if _, ok := t.(*types.Pointer); ok {
		return JSONStructure // a nil pointer is null, whatever it points to
	}
	switch {
	case isNamed(t, "time", "Time"):
		return JSONTime
	case has(t, asJSON):
		return JSONMethod
	case has(t, asText):
		return JSONText
	}
	return JSONStructure
}

// ByteString reports whether a slice of elem is base64 in JSON.
func ByteString(elem types.Type) bool {
	b, ok := elem.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Uint8 && EncodeForm(elem) == JSONStructure
}

// KeyForm is how a map's keys become names of JSON members.
type KeyForm uint8

// The key forms.
const (
	NoKey    KeyForm = iota // they cannot
	PlainKey                // strings as they are, integers in decimal
	TextKey                 // MarshalText, UnmarshalText
)

// KeyEncodeForm returns how keys of type t become names.
func KeyEncodeForm(t types.Type) KeyForm {
	switch {
	case isString(t):
		return PlainKey
	case valueHas(t, marshalText):
		return TextKey
	}
	return plainKey(t)
}

// KeyDecodeForm returns how keys of type t are read from names.
func KeyDecodeForm(t types.Type) KeyForm {
	if has(t, unmarshalText) {
		return TextKey
	}
	return plainKey(t)
}

func plainKey(t types.Type) KeyForm {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&(types.IsString|types.IsInteger) != 0 {
		return PlainKey
	}
	return NoKey
}

func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// JSON returns what prevents values of type t from being sent as JSON, nil if
// nothing does. It does not ask whether they can be stored.
func (c Checker) JSON(t types.Type) *Problem {
	w := walker{Checker: c, seen: map[types.Type]bool{}}
	return w.json(t)
}

func (w *walker) json(t types.Type) *Problem {
	t = types.Unalias(t)
	if w.seen[t] {
		return nil
	}
	w.seen[t] = true
	if isNamed(t, "encoding/json", "Number") {
		return w.problem(t, "use int64, float64 or string", "json.Number changes its meaning outside encoding/json")
	}
	if EncodeForm(t) != JSONStructure && DecodeForm(t) != JSONStructure {
		return nil
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsComplex != 0 {
			return w.problem(t, "send the two parts", "complex numbers have no JSON form")
		}
		return nil
	case *types.Slice:
		return w.in("[]", u.Elem(), w.json)
	case *types.Array:
		return w.in("[]", u.Elem(), w.json)
	case *types.Pointer:
		return w.json(u.Elem())
	case *types.Map:
		if KeyEncodeForm(u.Key()) == NoKey || KeyDecodeForm(u.Key()) == NoKey {
			return w.problem(t, "use string or integer keys, or give the key type MarshalText and UnmarshalText", "a map with these keys has no JSON form")
		}
		return w.in("[]", u.Elem(), w.json)
	case *types.Struct:
		for _, f := range JSONFields(u) {
			if p := w.field(f.Var, w.member(f)); p != nil {
				return p
			}
		}
		return nil
	}
	return w.problem(t, "send a concrete type", "%s has no JSON form", kindName(t))
}

// member returns the check of a member's type.
func (w *walker) member(f JSONField) func(types.Type) *Problem {
	if f.String && EncodeForm(deref(f.Var.Type())) != JSONStructure {
		return func(t types.Type) *Problem {
			return w.problem(t, `remove ",string" from its tag`, "a type that marshals itself ignores the option string")
		}
	}
	return w.json
}

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// JSONField is a member that a struct has in JSON.
type JSONField struct {
	Name      string       // of the member
	Var       *types.Var   // the field
	Path      []*types.Var // the embedded fields that lead to it, and the field itself
	OmitEmpty bool
	OmitZero  bool
	String    bool // a scalar, or a pointer to one, inside of a string
	tagged    bool
}

// JSONFields returns the members of struct s as encoding/json sees them: those
// of embedded structs among them, dominated fields left out.
func JSONFields(s *types.Struct) []JSONField {
	all := collect(s, nil, map[*types.Struct]bool{})
	var fields []JSONField
	for _, f := range all {
		if dominant(f, all) {
			fields = append(fields, f)
		}
	}
	return fields
}

// dominant reports whether f is the field that its name means: the one at the least
// depth, the tagged one among several there.
func dominant(f JSONField, all []JSONField) bool {
	for _, g := range all {
		if g.Name != f.Name || slices.Equal(g.Path, f.Path) {
			continue
		}
		if len(g.Path) < len(f.Path) || len(g.Path) == len(f.Path) && (g.tagged || !f.tagged) {
			return false
		}
	}
	return true
}

// collect returns all candidates in the order of their declaration.
func collect(s *types.Struct, path []*types.Var, inside map[*types.Struct]bool) []JSONField {
	if inside[s] {
		return nil // at a greater depth than itself: dominated
	}
	inside[s] = true
	defer delete(inside, s)
	var fields []JSONField
	for i := range s.NumFields() {
		v := s.Field(i)
		tag := reflect.StructTag(s.Tag(i)).Get("json")
		embedded, isStruct := deref(v.Type()).Underlying().(*types.Struct)
		if tag == "-" || v.Name() == "_" || !v.Exported() && !(v.Embedded() && isStruct) {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if !validName(name) {
			name = ""
		}
		here := append(slices.Clip(path), v)
		if name == "" && v.Embedded() && isStruct {
			fields = append(fields, collect(embedded, here, inside)...)
			continue
		}
		if !v.Exported() {
			continue
		}
		f := JSONField{Name: name, Var: v, Path: here, tagged: name != ""}
		if name == "" {
			f.Name = v.Name()
		}
		f.options(strings.Split(options, ","))
		fields = append(fields, f)
	}
	return fields
}

func (f *JSONField) options(options []string) {
	f.OmitEmpty = slices.Contains(options, "omitempty")
	f.OmitZero = slices.Contains(options, "omitzero")
	if slices.Contains(options, "string") {
		b, ok := deref(f.Var.Type()).Underlying().(*types.Basic)
		f.String = ok && b.Info()&types.IsComplex == 0 && b.Kind() != types.UnsafePointer
	}
}

// validName reports whether encoding/json takes s from a tag as a name.
func validName(s string) bool {
	if s == "" {
		return false
	}
	for _, c := range s {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return true
}
