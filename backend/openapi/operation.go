package openapi

import (
	"go/types"
	"strings"

	"github.com/onefold/onefold/compiler/ir"
)

// operation returns the POST operation of an endpoint.
func (d *document) operation(m *ir.Method) object {
	op := object{
		"operationId": m.Service.Name + "." + m.Name,
		"tags":        []any{m.Service.Name},
		"parameters":  []any{ref("parameters", "IdempotencyKey"), ref("parameters", "Traceparent")},
		"responses":   d.responses(m),
	}
	if m.Kind == ir.Workflow {
		d.workflow(op, m)
	}
	withDoc(op, m.Doc)
	if text := op["description"]; text != nil {
		op["summary"], _, _ = strings.Cut(text.(string), "\n")
	}
	if len(m.Params) > 0 {
		op["requestBody"] = d.requestBody(m)
	}
	return op
}

// requestBody is an object of the parameters by name. Those that may be null may
// be left out.
func (d *document) requestBody(m *ir.Method) object {
	properties, example := object{}, object{}
	var required []any
	for _, p := range m.Params {
		properties[p.Name] = d.schema(p.Type)
		example[p.Name] = d.example(p.Type, 0)
		if !nullable(p.Type) {
			required = append(required, p.Name)
		}
	}
	schema := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return object{
		"required": len(required) > 0,
		"content":  object{"application/json": object{"schema": schema, "example": example}},
	}
}

func (d *document) responses(m *ir.Method) object {
	all := object{"200": object{
		"description": "The result; everything the request did is committed.",
		"headers": object{
			"Onefold-Id":       header("The id of the invocation; a retry may give it in the same header."),
			"Onefold-Replayed": header("true when an earlier request with the same key did the work."),
		},
		"content": object{"application/json": object{"schema": d.result(m)}},
	}}
	for _, status := range []string{"400", "422", "500", "503", "504"} {
		all[status] = ref("responses", "Problem"+status)
	}
	if m.Kind == ir.Workflow {
		ok := all["200"].(object)
		ok["description"] = "The result of the workflow, which has ended."
		ok["headers"].(object)["Onefold-Workflow"] = header("The id of the workflow.")
		all["202"], all["409"] = accepted(), ref("responses", "Problem409")
	}
	return all
}

// result is the schema of a reply: one result is its value, several are an
// object by name or an array, none is null.
func (d *document) result(m *ir.Method) object {
	switch len(m.Results) {
	case 0:
		return object{"type": "null"}
	case 1:
		return d.schema(m.Results[0].Type)
	}
	properties := object{}
	var names, items []any
	named := true
	for _, r := range m.Results {
		named = named && r.Name != ""
		properties[r.Name] = d.schema(r.Type)
		names = append(names, r.Name)
		items = append(items, d.schema(r.Type))
	}
	if named {
		return object{"type": "object", "properties": properties, "required": names}
	}
	return object{"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
}

func nullable(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map, *types.Interface:
		return true
	}
	return false
}

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

func header(text string) object {
	return object{"description": text, "schema": object{"type": "string"}}
}

func parameters(prog *ir.Program) object {
	all := object{
		"IdempotencyKey": object{
			"name": "Idempotency-Key", "in": "header", "schema": object{"type": "string", "maxLength": 255},
			"description": "Requests with the same key are one invocation: it happens once, and each of them gets its reply.",
		},
		"Traceparent": object{
			"name": "traceparent", "in": "header", "schema": object{"type": "string"},
			"description": "W3C trace context.",
		},
	}
	if hasWorkflows(prog) {
		all["Prefer"] = preferParameter()
	}
	return all
}

// problems says what each status of a problem means.
var problems = map[string]string{
	"400": "The request is malformed; nothing ran.",
	"404": "There is no such workflow.",
	"409": "The workflow was cancelled.",
	"422": "The method returned an error and nothing was changed; or the key came with another request before.",
	"500": "The method panicked, or the runtime failed; nothing was changed.",
	"503": "Overload, contention or an unavailable store. The type outcome-unknown tells that the request may have happened: ask again with the same key.",
	"504": "No time left; nothing was changed.",
}

func responses(prog *ir.Program) object {
	all := object{}
	for status, text := range problems {
		if workflowProblems[status] && !hasWorkflows(prog) {
			continue
		}
		all["Problem"+status] = object{
			"description": text,
			"content":     object{"application/problem+json": object{"schema": ref("schemas", "Problem")}},
		}
	}
	return all
}

// problemSchema is the RFC 9457 problem document.
func problemSchema() object {
	text := func(description string) object { return object{"type": "string", "description": description} }
	return object{
		"type":        "object",
		"description": "An RFC 9457 problem document.",
		"required":    []any{"type", "title", "status", "detail"},
		"properties": object{
			"type":      object{"type": "string", "format": "uri", "description": "The kind of problem."},
			"title":     text("The kind of problem, for people."),
			"status":    object{"type": "integer"},
			"detail":    text("What happened; of an application error its text."),
			"code":      text("The first error value of the specification that the error wraps, such as hotel.ErrUnknown."),
			"codes":     object{"type": "array", "items": object{"type": "string"}, "description": "All of them."},
			"error":     object{"type": "object", "description": "An error of an exported type, whole.", "properties": object{"type": object{"type": "string"}, "value": object{}}},
			"parameter": text("The parameter that is malformed."),
			"endpoints": object{"type": "array", "items": object{"type": "string"}},
			"id":        text("The invocation; a retry may give it in Onefold-Id."),
		},
	}
}
