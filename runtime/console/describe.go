package console

import (
	"encoding/json"
	"net/http"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/example"
)

// The description of an application, as JSON.
type (
	appJSON struct {
		Name      string        `json:"name"`
		Version   string        `json:"version"`
		Workflows bool          `json:"workflows"` // there may be some, or messages
		Services  []serviceJSON `json:"services"`
	}
	serviceJSON struct {
		Name    string       `json:"name"`
		Methods []methodJSON `json:"methods"`
		Fields  []fieldJSON  `json:"fields"`
	}
	methodJSON struct {
		Name    string   `json:"name"`
		Kind    string   `json:"kind"`
		Params  []string `json:"params"`
		Example string   `json:"example"` // a request body to begin with
	}
	fieldJSON struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
)

// describe returns a handler that answers what app consists of.
func describe(app *runtime.App) http.Handler {
	out := appJSON{Name: app.Name, Version: app.Version, Workflows: len(app.Workflows().Methods) > 0, Services: []serviceJSON{}}
	examples := example.New(app.OpenAPI)
	for _, s := range app.Services {
		service := serviceJSON{Name: s.Name, Methods: []methodJSON{}, Fields: []fieldJSON{}}
		for _, m := range s.Methods {
			body, ok := examples.Body("/"+s.Name+"/"+m.Name, m.Params)
			if !ok {
				body = skeleton(m.Params)
			}
			service.Methods = append(service.Methods, methodJSON{m.Name, m.Kind.String(), append([]string{}, m.Params...), body})
		}
		for _, f := range s.Fields {
			service.Fields = append(service.Fields, fieldJSON{f.Name(), f.Type()})
		}
		out.Services = append(out.Services, service)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, out) })
}

// skeleton is a request body whose values are to be filled in.
func skeleton(params []string) string {
	body := map[string]any{}
	for _, p := range params {
		body[p] = nil
	}
	text, _ := json.Marshal(body) // strings and nulls have a form
	return string(text)
}
