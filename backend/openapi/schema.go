package openapi

import (
	"go/types"
	"strings"

	"github.com/onefold/onefold/compiler/names"
	"github.com/onefold/onefold/compiler/storable"
)

// schema returns the JSON schema of what values of t are on the wire: what
// encoding/json makes of them.
func (d *document) schema(t types.Type) object {
	t = types.Unalias(t)
	if named, ok := t.(*types.Named); ok {
		return d.named(named)
	}
	return d.structure(t)
}

// named returns a reference to the component of a named type; types that are a
// plain string or number on the wire need none.
func (d *document) named(t *types.Named) object {
	switch storable.EncodeForm(t) {
	case storable.JSONTime:
		return object{"type": "string", "format": "date-time"}
	case storable.JSONMethod:
		return d.documented(t, object{})
	case storable.JSONText:
		return d.documented(t, object{"type": "string"})
	}
	if t.Obj().Pkg() == nil {
		return d.structure(t.Underlying())
	}
	key := types.TypeString(t, nil)
	name, known := d.names[key]
	if !known {
		name = d.componentName(t)
		d.names[key] = name
		d.schemas[name] = object{} // taken, and recursive types end here
		d.schemas[name] = d.documented(t, d.structure(t.Underlying()))
	}
	return ref("schemas", name)
}

// componentName returns the type's name, with its package's where that is taken.
func (d *document) componentName(t *types.Named) string {
	name := typeName(t)
	if _, taken := d.schemas[name]; taken {
		name = names.Upper(t.Obj().Pkg().Name()) + name
	}
	for d.schemas[name] != nil {
		name += "2"
	}
	return name
}

// typeName returns a name for t that has no brackets: PageOrder for Page[Order].
func typeName(t types.Type) string {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return names.Upper(strings.Map(letter, t.String()))
	}
	name := names.Upper(named.Obj().Name())
	for arg := range named.TypeArgs().Types() {
		name += typeName(arg)
	}
	return name
}

func letter(r rune) rune {
	if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
		return r
	}
	return -1
}

func (d *document) documented(t *types.Named, schema object) object {
	return withDoc(schema, d.docs.types[t.Obj().Pos()])
}

func (d *document) structure(t types.Type) object {
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return basic(t)
	case *types.Pointer:
		return object{"anyOf": []any{d.schema(t.Elem()), object{"type": "null"}}}
	case *types.Slice:
		if storable.ByteString(t.Elem()) {
			return object{"type": []any{"string", "null"}, "contentEncoding": "base64"}
		}
		return object{"type": []any{"array", "null"}, "items": d.schema(t.Elem())}
	case *types.Array:
		return object{"type": "array", "items": d.schema(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case *types.Map:
		return object{"type": []any{"object", "null"}, "additionalProperties": d.schema(t.Elem())}
	case *types.Struct:
		return d.object(t)
	}
	return object{}
}

func (d *document) object(t *types.Struct) object {
	properties := object{}
	for _, f := range storable.JSONFields(t) {
		schema := d.schema(f.Var.Type())
		if f.String {
			schema = object{"type": "string"}
		}
		properties[f.Name] = withDoc(schema, d.docs.fields[f.Var.Pos()])
	}
	return object{"type": "object", "properties": properties, "additionalProperties": false}
}

func basic(t *types.Basic) object {
	switch info := t.Info(); {
	case info&types.IsString != 0:
		return object{"type": "string"}
	case info&types.IsBoolean != 0:
		return object{"type": "boolean"}
	case info&types.IsUnsigned != 0:
		return object{"type": "integer", "format": t.Name(), "minimum": 0}
	case info&types.IsInteger != 0:
		if t.Kind() == types.Int {
			return object{"type": "integer", "format": "int64"}
		}
		return object{"type": "integer", "format": t.Name()}
	case t.Kind() == types.Float32:
		return object{"type": "number", "format": "float"}
	}
	return object{"type": "number", "format": "double"}
}

// example returns a value of t to start from in a request by hand.
func (d *document) example(t types.Type, depth int) any {
	if depth > 3 {
		return nil
	}
	switch storable.DecodeForm(t) {
	case storable.JSONTime:
		return "2006-01-02T15:04:05Z"
	case storable.JSONText:
		return "text"
	case storable.JSONMethod:
		return nil
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return basicExample(u)
	case *types.Pointer:
		return d.example(u.Elem(), depth+1)
	case *types.Slice:
		if storable.ByteString(u.Elem()) {
			return "AA=="
		}
		return []any{d.example(u.Elem(), depth+1)}
	case *types.Array:
		if u.Len() > 16 {
			return nil
		}
		list := []any{}
		for range u.Len() {
			list = append(list, d.example(u.Elem(), depth+1))
		}
		return list
	case *types.Map:
		return object{}
	case *types.Struct:
		all := object{}
		for _, f := range storable.JSONFields(u) {
			if !f.String {
				all[f.Name] = d.example(f.Var.Type(), depth+1)
			}
		}
		return all
	}
	return nil
}

func basicExample(t *types.Basic) any {
	switch info := t.Info(); {
	case info&types.IsString != 0:
		return "text"
	case info&types.IsBoolean != 0:
		return true
	}
	return 1
}
