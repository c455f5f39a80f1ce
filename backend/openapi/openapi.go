// Package openapi writes the OpenAPI 3.1 document of an application: a POST
// operation for each endpoint, and a component for each named type that crosses
// the wire, with the comments of the spec.
package openapi

import (
	"bytes"
	"encoding/json"

	"github.com/onefold/onefold/compiler/ir"
)

// Document returns the document of prog, indented JSON with sorted keys, so that
// it is the same for the same program.
func Document(prog *ir.Program, title, version string) ([]byte, error) {
	d := &document{prog: prog, schemas: object{}, docs: newDocs(prog), names: map[string]string{}}
	d.schemas["Problem"] = problemSchema()
	if hasWorkflows(prog) {
		d.schemas["Workflow"] = workflowSchema()
	}
	paths := object{}
	var tags []any
	for _, s := range prog.Services {
		tags = append(tags, withDoc(object{"name": s.Name}, s.Doc))
		for _, m := range s.Methods {
			paths["/"+s.Name+"/"+m.Name] = object{"post": d.operation(m)}
			if m.Kind == ir.Workflow {
				paths["/"+s.Name+"/"+m.Name+"/{id}"] = object{"get": d.outcome(m)}
			}
		}
	}
	root := object{
		"openapi":    "3.1.0",
		"info":       object{"title": title, "version": version},
		"paths":      paths,
		"tags":       tags,
		"components": object{"schemas": d.schemas, "parameters": parameters(prog), "responses": responses(prog)},
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(root)
	return b.Bytes(), err
}

// object is a JSON object; encoding/json sorts its keys.
type object map[string]any

// document is the document while it is written.
type document struct {
	prog    *ir.Program
	schemas object
	docs    *docs
	names   map[string]string // component name by type, as go/types writes it
}
