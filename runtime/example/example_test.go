package example_test

import (
	"testing"

	"github.com/onefold/onefold/runtime/example"
)

func TestExamples(t *testing.T) {
	e := example.New([]byte(`{
		"paths": {"/S/M": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Args"}}}}}}},
		"components": {"schemas": {
			"Args": {"type": "object", "properties": {
				"userID":  {"type": "string"},
				"id":      {"type": "string"},
				"n":       {"type": "integer"},
				"ok":      {"type": "boolean"},
				"at":      {"type": "string", "format": "date-time"},
				"data":    {"type": ["string", "null"], "contentEncoding": "base64"},
				"tags":    {"type": ["array", "null"], "items": {"type": "string"}},
				"pair":    {"type": "array", "items": {"type": "number"}, "minItems": 2},
				"maybe":   {"oneOf": [{"type": "integer"}, {"type": "null"}]},
				"chosen":  {"type": "integer", "example": 42},
				"tree":    {"$ref": "#/components/schemas/Tree"},
				"any":     {}
			}},
			"Tree": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}
		}}
	}`))
	for param, want := range map[string]string{
		"userID": `{"userID": "user-1"}`,
		"id":     `{"id": "id-1"}`,
		"n":      `{"n": 1}`,
		"ok":     `{"ok": true}`,
		"at":     `{"at": "2026-01-02T15:04:05Z"}`,
		"data":   `{"data": "aGVsbG8="}`,
		"tags":   `{"tags": ["tags-1"]}`,
		"pair":   `{"pair": [1,1]}`,
		"maybe":  `{"maybe": 1}`,
		"chosen": `{"chosen": 42}`,
		"tree":   `{"tree": {"kids":[{"kids":[{}]}]}}`,
		"any":    `{"any": null}`,
	} {
		if got, ok := e.Body("/S/M", []string{param}); !ok || got != want {
			t.Errorf("%s: %s, %t; want %s", param, got, ok, want)
		}
	}
	if got, ok := e.Body("/S/M", []string{"n", "userID"}); !ok || got != `{"n": 1, "userID": "user-1"}` {
		t.Errorf("two parameters: %s, %t", got, ok)
	}
	if got, ok := e.Body("/S/Other", []string{"n"}); ok {
		t.Errorf("an endpoint that is not described gives %s", got)
	}
	if got, ok := example.New([]byte("nonsense")).Body("/S/M", nil); !ok || got != "{}" {
		t.Errorf("no parameters: %s, %t", got, ok)
	}
}
