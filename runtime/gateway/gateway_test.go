package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/gateway"
	"github.com/onefold/onefold/runtime/invoke"
)

// replicas is a transport to replicas in this process. One that is not there
// refuses connections.
type replicas struct {
	mu   sync.Mutex
	live map[string]http.HandlerFunc
}

func (r *replicas) set(host string, h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[host] = h
}

func (r *replicas) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	h := r.live[req.URL.Host]
	r.mu.Unlock()
	if h == nil {
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	}
	w := httptest.NewRecorder()
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		h(w, req)
	}()
	select {
	case broken := <-done:
		if broken != nil {
			return nil, io.ErrUnexpectedEOF
		}
		return w.Result(), nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// serving is a replica that is ready and answers requests with h.
func serving(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			return
		}
		h(w, r)
	}
}

func echo(name string) http.HandlerFunc {
	return serving(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name) })
}

// inBubble runs a test in virtual time with a gateway.
func inBubble(t *testing.T, opts gateway.Options, test func(t *testing.T, g *gateway.Gateway, r *replicas)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &replicas{live: map[string]http.HandlerFunc{}}
		opts.Transport, opts.Log = r, slog.New(slog.DiscardHandler)
		g := gateway.New(opts)
		defer g.Close()
		test(t, g, r)
	})
}

func post(g *gateway.Gateway, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}"))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func problemType(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var p invoke.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("no problem document: %d %s", w.Code, w.Body)
	}
	return p.Type
}

func TestPicksTheIdlest(t *testing.T) {
	inBubble(t, gateway.Options{}, func(t *testing.T, g *gateway.Gateway, r *replicas) {
		var mu sync.Mutex
		got := map[string]int{}
		for _, name := range []string{"a", "b", "c"} {
			r.set(name, serving(func(http.ResponseWriter, *http.Request) {
				mu.Lock()
				got[name]++
				mu.Unlock()
				time.Sleep(time.Second)
			}))
			g.Add("Hotel", name)
		}
		synctest.Wait()
		var clients sync.WaitGroup
		for range 9 {
			clients.Go(func() { post(g, "/Hotel/Add") })
		}
		clients.Wait()
		if diff := cmp.Diff(map[string]int{"a": 3, "b": 3, "c": 3}, got); diff != "" {
			t.Errorf("requests at a time (-want +got):\n%s", diff)
		}
	})
}

// TestDeliversAgainWithTheSameID breaks the first connection: the second delivery
// must be told to be the same request, and the client sees nothing of it.
func TestDeliversAgainWithTheSameID(t *testing.T) {
	for _, header := range [][]string{nil, {"Onefold-Id", "01912d68-783e-7c5b-8000-0242ac120002"}, {"Idempotency-Key", "k"}} {
		inBubble(t, gateway.Options{}, func(t *testing.T, g *gateway.Gateway, r *replicas) {
			var seen []string
			h := serving(func(w http.ResponseWriter, r *http.Request) {
				seen = append(seen, r.Header.Get("Onefold-Id")+"/"+r.Header.Get("Idempotency-Key")+"/"+r.Header.Get("Traceparent"))
				if len(seen) == 1 {
					panic("dies")
				}
				fmt.Fprint(w, "7")
			})
			r.set("a", h)
			g.Add("Hotel", "a")
			w := post(g, "/Hotel/Add", append(header, "Traceparent", "00-x")...)
			if w.Code != 200 || w.Body.String() != "7" || len(seen) != 2 || seen[0] != seen[1] {
				t.Fatalf("%d %s after deliveries %q", w.Code, w.Body, seen)
			}
			if parts := strings.Split(seen[0], "/"); (parts[0] == "") == (parts[1] == "") || parts[2] != "00-x" {
				t.Errorf("the delivery had id, key and trace %q, want one identity and the trace", parts)
			}
		})
	}
}

func TestHangingReplicaLosesItsRequests(t *testing.T) {
	inBubble(t, gateway.Options{}, func(t *testing.T, g *gateway.Gateway, r *replicas) {
		var hanging atomic.Bool
		hang := func(r *http.Request) { <-r.Context().Done() }
		r.set("a", func(w http.ResponseWriter, r *http.Request) {
			if hanging.Load() {
				hang(r)
			} else if r.URL.Path != "/readyz" {
				hanging.Store(true)
				hang(r)
			}
		})
		g.Add("Hotel", "a")
		synctest.Wait()
		start := time.Now()
		var w *httptest.ResponseRecorder
		var client sync.WaitGroup
		client.Go(func() { w = post(g, "/Hotel/Add") })
		synctest.Wait()
		r.set("b", echo("b"))
		g.Add("Hotel", "b")
		client.Wait()
		if w.Body.String() != "b" || time.Since(start) > 3*time.Second {
			t.Errorf("%d %s after %s, want b within the time of a health check", w.Code, w.Body, time.Since(start))
		}
	})
}

// TestWaitsForAReplica has none at first, and one that is not ready.
func TestWaitsForAReplica(t *testing.T) {
	inBubble(t, gateway.Options{}, func(t *testing.T, g *gateway.Gateway, r *replicas) {
		var ready atomic.Bool
		r.set("a", func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/readyz" && !ready.Load():
				w.WriteHeader(503)
			case r.URL.Path != "/readyz":
				fmt.Fprint(w, "a")
			}
		})
		g.Add("Hotel", "a")
		time.AfterFunc(5*time.Second, func() { ready.Store(true) })
		if w := post(g, "/Hotel/Add"); w.Body.String() != "a" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		g.Remove("Hotel", "a")
		if w := post(g, "/Hotel/Add"); w.Code != 503 || problemType(t, w) != invoke.TypeUnavailable {
			t.Errorf("without replicas: %d %s", w.Code, w.Body)
		}
	})
}

func refusing(kind string) http.HandlerFunc {
	return serving(func(w http.ResponseWriter, r *http.Request) {
		p := invoke.Problem{Type: kind, Status: 503}
		p.Write(w)
	})
}

func TestStoppingReplicaIsPassedBy(t *testing.T) {
	inBubble(t, gateway.Options{}, func(t *testing.T, g *gateway.Gateway, r *replicas) {
		r.set("a", refusing(invoke.TypeUnavailable))
		r.set("b", echo("b"))
		g.Add("Hotel", "a")
		g.Add("Hotel", "b")
		synctest.Wait()
		for range 4 {
			if w := post(g, "/Hotel/Add"); w.Body.String() != "b" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
	})
}

// TestOutcomeUnknown lets a first delivery go missing: an answer to the second that
// says that nothing was changed says nothing of the first.
func TestOutcomeUnknown(t *testing.T) {
	for _, second := range []string{invoke.TypeContention, invoke.TypeTimeout} {
		inBubble(t, gateway.Options{}, func(t *testing.T, g *gateway.Gateway, r *replicas) {
			var deliveries atomic.Int32
			r.set("a", serving(func(w http.ResponseWriter, req *http.Request) {
				if deliveries.Add(1) == 1 {
					panic("dies")
				}
				refusing(second)(w, req)
			}))
			g.Add("Hotel", "a")
			if w := post(g, "/Hotel/Add"); problemType(t, w) != invoke.TypeOutcomeUnknown || w.Header().Get("Onefold-Id") == "" {
				t.Errorf("second delivery says %s: %d %s with id %q", second, w.Code, w.Body, w.Header().Get("Onefold-Id"))
			}
			if w := post(g, "/Hotel/Add"); problemType(t, w) != second {
				t.Errorf("a lone delivery says %s: %d %s", second, w.Code, w.Body)
			}
		})
	}
}

// TestDrain removes a replica while it has a request and others come.
func TestDrain(t *testing.T) {
	inBubble(t, gateway.Options{}, func(t *testing.T, g *gateway.Gateway, r *replicas) {
		slow := func(name string) http.HandlerFunc {
			return serving(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(3 * time.Second)
				fmt.Fprint(w, name)
			})
		}
		r.set("a", slow("a"))
		g.Add("Hotel", "a")
		synctest.Wait()
		var first, second *httptest.ResponseRecorder
		var clients sync.WaitGroup
		clients.Go(func() { first = post(g, "/Hotel/Add") })
		synctest.Wait()
		r.set("b", slow("b"))
		g.Add("Hotel", "b")
		start := time.Now()
		clients.Go(func() {
			g.Drain(context.Background(), "Hotel", "a")
			if took := time.Since(start); took != 3*time.Second {
				t.Errorf("drained after %s, want 3s", took)
			}
		})
		synctest.Wait()
		clients.Go(func() { second = post(g, "/Hotel/Add") })
		clients.Wait()
		if first.Body.String() != "a" || second.Body.String() != "b" {
			t.Errorf("replies %s and %s, want a and b", first.Body, second.Body)
		}
		want := []gateway.Status{{Service: "Hotel", Replicas: []gateway.Replica{{Address: "b", State: gateway.Up, Requests: 1}}}}
		if diff := cmp.Diff(want, g.Status()); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
	})
}

func TestLimits(t *testing.T) {
	inBubble(t, gateway.Options{MaxInFlight: 1, MaxBody: 1, Timeout: time.Second}, func(t *testing.T, g *gateway.Gateway, r *replicas) {
		g.Add("Hotel", "a")
		if w := post(g, "/Hotel/Add"); w.Code != 413 || problemType(t, w) != invoke.TypeBodyTooLarge {
			t.Errorf("long body: %d %s", w.Code, w.Body)
		}
		var waiting sync.WaitGroup
		get := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
			return w
		}
		waiting.Go(func() { get() })
		synctest.Wait()
		if w := get(); w.Code != 503 || problemType(t, w) != invoke.TypeOverload {
			t.Errorf("beyond the limit: %d %s", w.Code, w.Body)
		}
		waiting.Wait()
		if w := post(g, "/Motel/Add"); w.Code != 404 || !strings.Contains(w.Body.String(), "POST /Hotel/") {
			t.Errorf("unknown service: %d %s", w.Code, w.Body)
		}
	})
}

// TestSockets passes a request on over a real socket.
func TestSockets(t *testing.T) {
	path := t.TempDir() + "/a.sock"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: echo("hello")}
	go server.Serve(l)
	defer server.Close()
	g := gateway.New(gateway.Options{})
	defer g.Close()
	g.Add("Hotel", "unix://"+path)
	if w := post(g, "/Hotel/Add"); w.Body.String() != "hello" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
