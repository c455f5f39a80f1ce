package openapi_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/backend/openapi"
	"github.com/onefold/onefold/compiler/compiletest"
)

// TestDocument compares the paths and schemas of each archive with its section
// want.json; the rest of a document is the same for all.
func TestDocument(t *testing.T) {
	compiletest.Run(t, "testdata/*.txtar", func(t *testing.T, c *compiletest.Case) {
		prog, diags := c.Build(t)
		c.Want(t, diags)
		data, err := openapi.Document(prog, c.Name, "1")
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Paths      map[string]any
			Components struct{ Schemas map[string]any }
		}
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		delete(doc.Components.Schemas, "Problem")
		for _, path := range doc.Paths {
			post, ok := path.(map[string]any)["post"].(map[string]any)
			if !ok {
				continue // it asks for the outcome of a workflow
			}
			delete(post, "parameters")
			responses := post["responses"].(map[string]any)
			post["responses"] = responses["200"].(map[string]any)["content"]
			if accepted, ok := responses["202"]; ok {
				post["accepted"] = accepted
			}
		}
		got, err := json.MarshalIndent(map[string]any{"paths": doc.Paths, "schemas": doc.Components.Schemas}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		c.Golden(t, "want.json", string(got)+"\n")
	})
}

// TestReferences checks the committed documents of all applications: every
// reference leads somewhere, and operation ids are unique.
func TestReferences(t *testing.T) {
	files, err := filepath.Glob("../../testdata/apps/*/gen/openapi.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if diff := cmp.Diff("3.1.0", doc["openapi"]); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", file, diff)
		}
		w := walker{t: t, file: file, doc: doc, ids: map[string]bool{}}
		w.visit(doc)
		if len(w.ids) == 0 {
			t.Errorf("%s: no operations", file)
		}
	}
}

type walker struct {
	t    *testing.T
	file string
	doc  map[string]any
	ids  map[string]bool
}

func (w *walker) visit(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			w.visit(e)
		}
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok && !w.resolves(ref) {
			w.t.Errorf("%s: %s leads nowhere", w.file, ref)
		}
		if id, ok := v["operationId"].(string); ok {
			if w.ids[id] {
				w.t.Errorf("%s: operation id %s is there twice", w.file, id)
			}
			w.ids[id] = true
		}
		for _, e := range v {
			w.visit(e)
		}
	}
}

func (w *walker) resolves(ref string) bool {
	var at any = w.doc
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		object, ok := at.(map[string]any)
		if !ok || object[name] == nil {
			return false
		}
		at = object[name]
	}
	return true
}
