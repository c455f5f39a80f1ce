package load

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestSetup: each kind of request is sent as often as it says, and one that fails ends it.
func TestSetup(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.URL.Path]++
		mu.Unlock()
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer server.Close()
	m := &Mix{
		Target: server.URL, Requests: []Request{{Path: "/"}},
		Setup: []Request{{Path: "/add/${seq}", Times: 30}, {Path: "/once"}, {Path: "/broken"}, {Path: "/never"}},
	}
	err := Setup(t.Context(), m, Options{Clients: 1})
	if err == nil || !strings.Contains(err.Error(), "setup: GET /broken: status 418") {
		t.Errorf("error %v, want what was answered", err)
	}
	if len(seen) != 32 || seen["/add/30"] != 1 || seen["/once"] != 1 || seen["/never"] != 0 {
		t.Errorf("requests %v", seen)
	}
}

// TestPicker: the weights are kept at any moment, not only in the long run.
func TestPicker(t *testing.T) {
	weights := []float64{75, 10, 12, 3}
	var requests []Request
	for _, w := range weights {
		requests = append(requests, Request{Weight: w})
	}
	p := newPicker(requests, 7)
	counts := make([]float64, len(weights))
	for n := 1.0; n <= 10_000; n++ {
		counts[p.next()]++
		for kind, w := range weights {
			if off := counts[kind] - n*w/100; off < -4 || off > 4 {
				t.Fatalf("after %g requests %g are of kind %d", n, counts[kind], kind)
			}
		}
	}
}
