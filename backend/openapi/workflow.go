package openapi

import (
	"github.com/onefold/onefold/compiler/ir"
)

// hasWorkflows reports whether the document describes workflows.
func hasWorkflows(prog *ir.Program) bool {
	for _, s := range prog.Services {
		if s.Flows() {
			return true
		}
	}
	return false
}

// workflowProblems are what only workflows reply.
var workflowProblems = map[string]bool{"404": true, "409": true}

// workflow adds what the operation that starts a workflow has more than others.
func (d *document) workflow(op object, m *ir.Method) {
	op["parameters"] = append(op["parameters"].([]any), ref("parameters", "Prefer"))
	if m.Schedule != "" {
		op["x-onefold-schedule"] = m.Schedule
	}
	signals := object{}
	for _, s := range m.Signals(d.prog) {
		signals[s.Name] = d.schema(s.Type)
	}
	if len(signals) > 0 {
		op["x-onefold-signals"] = signals
	}
}

// outcome returns the GET operation that asks for the outcome of a workflow.
func (d *document) outcome(m *ir.Method) object {
	responses := d.responses(m)
	responses["404"] = ref("responses", "Problem404")
	return object{
		"operationId": m.Service.Name + "." + m.Name + ".outcome",
		"tags":        []any{m.Service.Name},
		"summary":     "Replies what the workflow " + m.Name + " ended in, or what it is at.",
		"parameters": []any{
			object{"name": "id", "in": "path", "required": true, "schema": object{"type": "string"}, "description": "The workflow, as Onefold-Workflow names it."},
			ref("parameters", "Prefer"), ref("parameters", "Traceparent"),
		},
		"responses": responses,
	}
}

// accepted is the reply about a workflow that has not ended.
func accepted() object {
	return object{
		"description": "The workflow will run to its end, whatever happens.",
		"headers": object{
			"Location":         header("Where to ask for the outcome."),
			"Onefold-Workflow": header("The id of the workflow."),
			"Retry-After":      header("When to ask, in seconds."),
		},
		"content": object{"application/json": object{"schema": ref("schemas", "Workflow")}},
	}
}

func preferParameter() object {
	return object{
		"name": "Prefer", "in": "header", "schema": object{"type": "string", "examples": []any{"respond-async", "wait=10"}},
		"description": "respond-async replies 202 as soon as the workflow is sure to run, wait=SECONDS after so long at the latest (RFC 7240).",
	}
}

// workflowSchema is what is said of a workflow that has not ended.
func workflowSchema() object {
	return object{
		"type":        "object",
		"description": "A workflow.",
		"required":    []any{"id", "method", "status"},
		"properties": object{
			"id":     object{"type": "string"},
			"method": object{"type": "string", "description": "Service.Method."},
			"status": object{"type": "string", "enum": []any{"running", "suspended", "parked", "completed", "failed", "cancelled"}},
		},
	}
}
