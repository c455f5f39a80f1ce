package load

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// document is what is needed of an OpenAPI 3 document in JSON.
type document struct {
	OpenAPI string                                `json:"openapi"`
	Servers []struct{ URL string }                `json:"servers"`
	Paths   map[string]map[string]json.RawMessage `json:"paths"`
	// Components holds what $ref points to.
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	OperationID string `json:"operationId"`
	RequestBody *struct {
		Content map[string]struct {
			Schema *schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
	Parameters []struct {
		Name   string  `json:"name"`
		In     string  `json:"in"`
		Schema *schema `json:"schema"`
	} `json:"parameters"`
}

type schema struct {
	Ref        string             `json:"$ref"`
	Type       any                `json:"type"` // a name, or several
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	Enum       []any              `json:"enum"`
	Format     string             `json:"format"`
	AnyOf      []*schema          `json:"anyOf"`
}

// values is how many different values a generated text has.
const values = 100

// FromOpenAPI makes a mix with one request for each operation of an OpenAPI
// document, all of one weight, with values that fit its schemas. Edit the weights
// and values to make it like real traffic. An answer of 422 is no error: it is how
// onefold's services say that a method returned one. The target is the document's
// first server where base is empty.
func FromOpenAPI(doc []byte, base string) (*Mix, error) {
	var d document
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.") {
		return nil, fmt.Errorf("read OpenAPI document: its version is %q, want 3.x", d.OpenAPI)
	}
	if base == "" && len(d.Servers) > 0 {
		base = d.Servers[0].URL
	}
	m := &Mix{Target: base, Protocol: HTTP1}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			if !isMethod(method) {
				continue // parameters, summary and the like stand beside the methods
			}
			var op operation
			if err := json.Unmarshal(d.Paths[path][method], &op); err != nil {
				return nil, fmt.Errorf("read OpenAPI document: %s %s: %w", method, path, err)
			}
			m.Requests = append(m.Requests, d.request(path, strings.ToUpper(method), op))
		}
	}
	return m, m.check()
}

func isMethod(name string) bool {
	return slices.Contains([]string{"get", "put", "post", "delete", "patch", "head", "options"}, name)
}

func (d *document) request(path, method string, op operation) Request {
	r := Request{Name: op.OperationID, Weight: 1, Method: method, Path: path}
	for _, p := range op.Parameters {
		if p.In == "path" {
			r.Path = strings.ReplaceAll(r.Path, "{"+p.Name+"}", fmt.Sprint(d.value(p.Name, p.Schema, 0)))
		}
	}
	if op.RequestBody != nil {
		if content, ok := op.RequestBody.Content["application/json"]; ok {
			r.Body = d.value("value", content.Schema, 0)
		}
	}
	if method == http.MethodPost {
		r.OK = []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent, http.StatusUnprocessableEntity}
	}
	return r
}

// value returns a value, with places, that fits a schema. name is that of the
// parameter or property; its texts begin with it.
func (d *document) value(name string, s *schema, depth int) any {
	const deepest = 8 // of types that hold themselves
	if s == nil || depth > deepest {
		return nil
	}
	if ref, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.value(name, d.Components.Schemas[ref], depth+1)
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	if len(s.AnyOf) > 0 {
		return d.value(name, s.AnyOf[0], depth+1)
	}
	switch s.typeName() {
	case "string":
		return text(name, s.Format)
	case "integer", "number":
		return fmt.Sprintf("${int:1-%d}", values)
	case "boolean":
		return true
	case "array":
		if v := d.value(name, s.Items, depth+1); v != nil {
			return []any{v}
		}
		return []any{}
	case "object":
		object := map[string]any{}
		for property, ps := range s.Properties {
			object[property] = d.value(property, ps, depth+1)
		}
		return object
	}
	return nil
}

// text returns a text of a format.
func text(name, format string) string {
	switch format {
	case "date-time":
		return "2026-01-01T00:00:00Z"
	case "date":
		return "2026-01-01"
	case "uuid":
		return "${uuid}"
	case "byte":
		return "AQID"
	}
	return fmt.Sprintf("%s-${int:1-%d}", name, values)
}

// typeName returns the type, the first that is not null if there are several.
func (s *schema) typeName() string {
	switch t := s.Type.(type) {
	case string:
		return t
	case []any:
		for _, v := range t {
			if name, ok := v.(string); ok && name != "null" {
				return name
			}
		}
	}
	return ""
}
