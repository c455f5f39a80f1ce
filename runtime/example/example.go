// Package example makes up requests to try an application with, from its OpenAPI
// document.
package example

import (
	"encoding/json"
	"strings"
)

// Examples makes request bodies up from an OpenAPI document.
type Examples struct {
	document struct {
		Paths map[string]struct {
			Post struct {
				RequestBody struct {
					Content map[string]struct{ Schema schema }
				}
			}
		}
		Components struct{ Schemas map[string]schema }
	}
}

// schema is as much of JSON Schema as examples need.
type schema struct {
	Ref        string `json:"$ref"`
	Type       any    // a string, or several
	Format     string
	Encoding   string `json:"contentEncoding"`
	Properties map[string]schema
	Items      *schema
	MinItems   int
	AnyOf      []schema
	OneOf      []schema
	Example    json.RawMessage
}

// New reads an OpenAPI document; without one there are no examples.
func New(openAPI []byte) *Examples {
	e := new(Examples)
	if json.Unmarshal(openAPI, &e.document) != nil {
		return new(Examples)
	}
	return e
}

// Body returns a request body for the endpoint at path, with params in their
// order; ok is false where the document says too little.
func (e *Examples) Body(path string, params []string) (body string, ok bool) {
	if len(params) == 0 {
		return "{}", true
	}
	s := e.resolve(e.document.Paths[path].Post.RequestBody.Content["application/json"].Schema)
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range params {
		p, known := s.Properties[name]
		if !known {
			return "", false
		}
		if i > 0 {
			b.WriteString(", ")
		}
		key, _ := json.Marshal(name)
		value, err := json.Marshal(e.value(name, p, 0))
		if err != nil {
			return "", false
		}
		b.Write(key)
		b.WriteString(": ")
		b.Write(value)
	}
	return b.String() + "}", true
}

func (e *Examples) resolve(s schema) schema {
	const local = "#/components/schemas/"
	for range 10 {
		name, ok := strings.CutPrefix(s.Ref, local)
		if !ok {
			break
		}
		s = e.document.Components.Schemas[name]
	}
	return s
}

// maxDepth is how deep examples go into types that may hold themselves.
const maxDepth = 4

// value makes up a value for something called name.
func (e *Examples) value(name string, s schema, depth int) any {
	s = e.resolve(s)
	if len(s.Example) > 0 {
		return s.Example
	}
	if some := append(s.AnyOf, s.OneOf...); len(some) > 0 {
		return e.value(name, some[0], depth)
	}
	switch s.kind() {
	case "integer", "number":
		return 1
	case "boolean":
		return true
	case "string":
		return s.text(name)
	case "array":
		list := make([]any, s.length(depth))
		for i := range list {
			list[i] = e.value(name, *s.Items, depth+1)
		}
		return list
	case "object":
		object := map[string]any{}
		for field, of := range s.Properties {
			if depth < maxDepth {
				object[field] = e.value(field, of, depth+1)
			}
		}
		return object
	}
	return nil
}

// length returns how many elements an array gets.
func (s schema) length(depth int) int {
	if s.Items == nil {
		return 0
	}
	if s.MinItems == 0 && depth < maxDepth {
		return 1
	}
	return s.MinItems
}

// kind returns the type, or of several the first that is not null.
func (s schema) kind() string {
	switch t := s.Type.(type) {
	case string:
		return t
	case []any:
		for _, one := range t {
			if one != "null" {
				kind, _ := one.(string)
				return kind
			}
		}
	}
	return ""
}

// text makes up a string: "hotel-1" for hotelID.
func (s schema) text(name string) string {
	switch {
	case s.Format == "date-time":
		return "2026-01-02T15:04:05Z"
	case s.Encoding == "base64" || s.Format == "byte":
		return "aGVsbG8="
	}
	for _, suffix := range []string{"IDs", "Ids", "ID", "Id"} {
		if short := strings.TrimSuffix(name, suffix); short != "" {
			name = short
		}
	}
	return strings.ToLower(name) + "-1"
}
