package load_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/instrument/load"
)

func TestParseMix(t *testing.T) {
	const good = `
target: http://127.0.0.1:8080
requests:
  - path: /rooms
  - {name: book, weight: 3, path: /book, body: {user: "u-${int:1-9}"}, ok: [200, 422]}
`
	m, err := load.ParseMix(strings.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	if m.Protocol != load.HTTP1 || m.Requests[0].Method != "GET" || m.Requests[1].Method != "POST" || m.Requests[0].Name != "GET /rooms" {
		t.Errorf("defaults: %+v", m)
	}
	for text, want := range map[string]string{
		"":                                       "empty",
		"requests: [{path: /}]":                  "no target",
		"target: http://x":                       "no requests",
		"target: ftp://x\nrequests: [{path: /}]": "want a URL",
		"target: http://x\nrequests: [{path: a}]":                             "begins with /",
		"target: http://x\nrequests: [{path: /, wait: 3}]":                    "wait not found",
		"target: http://x\nrequests: [{path: /, weight: -1}]":                 "negative",
		"target: http://x\nprotocol: spdy\nrequests: [{path: /}]":             "want http1",
		"target: http://x\nrequests: [{path: /, rpc: a.B/C}]":                 "protocol: grpc",
		"target: x:1\nprotocol: grpc\nrequests: [{rpc: a.B.C}]":               "package.Service/Method",
		"target: http://x\nrequests: [{path: \"/${int:9-1}\", method: GET}]":  "want ${int:LOW-HIGH}",
		"target: http://x\nrequests: [{path: \"/${when}\", method: GET}]":     "unknown: there are int",
		"target: http://x\nrequests: [{path: /, headers: {A: \"${int:a}\"}}]": "header A",
	} {
		m, err := load.ParseMix(strings.NewReader(text))
		if err == nil {
			_, err = load.New(t.Context(), m, load.Options{Clients: 1})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, opts := range []load.Options{{}, {Clients: 1, Rate: 2}, {Clients: 1, Poisson: true}} {
		if _, err := load.New(t.Context(), m, opts); err == nil {
			t.Errorf("options %+v were accepted", opts)
		}
	}
}

// TestFromOpenAPI: our own document of the travel application gives a mix that
// reads back as it was written.
func TestFromOpenAPI(t *testing.T) {
	doc, err := os.ReadFile("../../testdata/apps/travel/gen/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := load.FromOpenAPI(doc, "http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	const want = `  - name: Frontend.Book
    weight: 1
    method: POST
    path: /Frontend/Book
    body:
      flightID: flightID-${int:1-100}
      hotelID: hotelID-${int:1-100}
      user: user-${int:1-100}
    ok: [200, 201, 202, 204, 422]
`
	if !strings.Contains(b.String(), want) {
		t.Errorf("no Frontend.Book as wanted in:\n%s", b.String())
	}
	back, err := load.ParseMix(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if _, err := load.FromOpenAPI([]byte(`{"swagger": "2.0"}`), ""); err == nil {
		t.Error("a Swagger 2 document was accepted")
	}
	if _, err := load.FromOpenAPI(doc, ""); err == nil || !strings.Contains(err.Error(), "no target") {
		t.Errorf("a document without servers, and no base: %v", err)
	}
}

// FuzzMix: whatever is read, preparing it ends with a mix or an error.
func FuzzMix(f *testing.F) {
	f.Add("target: http://x\nrequests: [{path: \"/${int:1-2}\", body: {a: \"${seq}\"}}]")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := load.ParseMix(strings.NewReader(text))
		if err != nil || m.Protocol == load.GRPC {
			return
		}
		if r, err := load.New(t.Context(), m, load.Options{Clients: 1}); (r == nil) == (err == nil) {
			t.Errorf("New returned %v, %v", r, err)
		}
	})
}
