//go:build unix

package local_test

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// TestMeasured: under pokers each process of the travel application counts the requests
// and calls that it gets, those that it makes, and nothing else.
func TestMeasured(t *testing.T) {
	pages := map[string]*page.Page{}
	p := startParts(t, false, func(service string) []string {
		dir := t.TempDir()
		shared, notify, err := page.Create(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { notify.Close() })
		pages[service] = shared
		return []string{page.Env + "=" + dir}
	})
	for _, r := range []struct{ service, path, body string }{
		{"Hotel", "Hotel/Add", `{"hotelID": "ritz", "capacity": 9}`},
		{"Flight", "Flight/Add", `{"flightID": "LH1", "seats": 9}`},
		{"Frontend", "Frontend/Book", `{"user": "ann", "hotelID": "ritz", "flightID": "LH1"}`},
		{"Frontend", "Frontend/Nothing", `{}`},
	} {
		resp, err := http.Post(p.urls[r.service]+"/"+r.path, "application/json", strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	resp, err := http.Get(p.urls["Hotel"] + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	got := map[string]int64{}
	for service, shared := range pages {
		for _, c := range shared.Counts() {
			got[filepath.Join(service, c.Kind, c.Name)] = c.Value
		}
	}
	if got["store/r/transaction"] < 3 {
		t.Errorf("the store counts %d transactions", got["store/r/transaction"])
	}
	delete(got, "store/r/transaction") // the processes have some of their own
	want := map[string]int64{
		"Frontend/r/Frontend/Book": 1, "Frontend/e/Hotel": 1, "Frontend/e/Flight": 1, "Frontend/e/Orders": 1,
		"Hotel/r/Hotel/Add": 1, "Hotel/r/Hotel/Reserve": 1, "Flight/r/Flight/Add": 1, "Flight/r/Flight/Reserve": 1, "Orders/r/Orders/Place": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}
