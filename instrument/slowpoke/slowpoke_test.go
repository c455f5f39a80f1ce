package slowpoke

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// counts returns a function that tells how often a counter has counted since.
func counts() (since func(kind, name string) int64) {
	value := func(kind, name string) int64 {
		for _, c := range shared().Counts() {
			if c.Kind == kind && c.Name == name {
				return c.Value
			}
		}
		return 0
	}
	before := map[string]int64{}
	for _, c := range shared().Counts() {
		before[c.Kind+c.Name] = c.Value
	}
	return func(kind, name string) int64 { return value(kind, name) - before[kind+name] }
}

// TestHandler: each request counts once for the pattern that served it; what
// watches a service does not count.
func TestHandler(t *testing.T) {
	value := counts()
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET /rooms/{id}", "POST /rooms", "/healthz", "/metrics", "/panics"} {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {
			if pattern == "/panics" {
				panic(http.ErrAbortHandler)
			}
		})
	}
	server := httptest.NewServer(Handler(mux))
	defer server.Close()
	client := &http.Client{Transport: Transport(nil)}
	send := func(method, path string, times int) {
		for range times {
			req, err := http.NewRequest(method, server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := client.Do(req); err == nil {
				resp.Body.Close()
			}
		}
	}
	send("GET", "/rooms/7", 3)
	send("POST", "/rooms", 2)
	send("GET", "/healthz", 4)
	send("GET", "/metrics", 4)
	send("GET", "/nowhere", 1)
	send("POST", "/panics", 1)
	for name, want := range map[string]int64{
		"GET /rooms/{id}": 3, "POST /rooms": 2, "/healthz": 0, "/metrics": 0, unrouted: 1, "/panics": 1,
	} {
		if got := value("r", name); got != want {
			t.Errorf("%s counted %d times, want %d", name, got, want)
		}
	}
	if got := value("e", strings.TrimPrefix(server.URL, "http://")); got != 15 {
		t.Errorf("%d calls counted, want 15", got)
	}
}

// TestWriter: a wrapped handler gets the server's own ResponseWriter, with all
// that it can do.
func TestWriter(t *testing.T) {
	value := counts()
	mux := http.NewServeMux()
	mux.Handle("/flush", Route("/flush", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "first\n")
		w.(http.Flusher).Flush()
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		if _, ok := w.(io.ReaderFrom); !ok {
			t.Error("no ReaderFrom")
		}
		w.Header().Set(http.TrailerPrefix+"Sum", "1")
	})))
	mux.HandleFunc("/hijack", RouteFunc("/hijack", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(conn, "HTTP/1.1 299 Mine\r\n\r\n")
		conn.Close()
	}))
	server := httptest.NewServer(mux)
	defer server.Close()
	resp, err := http.Get(server.URL + "/flush")
	if err != nil {
		t.Fatal(err)
	}
	body := bufio.NewReader(resp.Body)
	if line, _ := body.ReadString('\n'); line != "first\n" {
		t.Errorf("flushed %q", line)
	}
	io.Copy(io.Discard, body)
	resp.Body.Close()
	if resp.Trailer.Get("Sum") != "1" {
		t.Errorf("trailer %v", resp.Trailer)
	}
	if resp, err = http.Get(server.URL + "/hijack"); err != nil || resp.StatusCode != 299 {
		t.Errorf("hijacked: %v, %v", resp, err)
	}
	if value("r", "/flush") != 1 || value("r", "/hijack") != 1 {
		t.Error("not counted once each")
	}
}

func TestMeasured(t *testing.T) {
	value := counts()
	for path, want := range map[string]bool{
		"/": true, "/healthz": false, "/healthzone": true, "/debug/pprof/heap": false, "/-/time": false, "/-x": true, "/metrics/x": false,
	} {
		if Measured(path) != want {
			t.Errorf("Measured(%s) = %v", path, !want)
		}
	}
	h := http.NotFoundHandler()
	if Route("GET /metrics", h) == nil || value("r", "GET /metrics") != 0 {
		t.Error("a metrics route is measured")
	}
}

// TestManyHosts: names from outside cannot fill memory.
func TestManyHosts(t *testing.T) {
	n := names{page: page.Private, kind: page.Edge}
	for i := range 2 * most {
		n.counter(strings.Repeat("h", i)).Add()
	}
	if all := *n.all.Load(); len(all) > most+1 {
		t.Errorf("%d names", len(all))
	}
}

// TestSleep: a sleep lasts for its time on the virtual clock.
func TestSleep(t *testing.T) {
	before := Now()
	Sleep(3 * time.Millisecond)
	if passed := Now() - before; passed < 3*time.Millisecond {
		t.Errorf("slept %v", passed)
	}
}

// TestNoAllocations: with no experiment the wrapper costs no allocation.
func TestNoAllocations(t *testing.T) {
	r := httptest.NewRequest("GET", "/rooms", nil)
	r.Pattern = "GET /rooms"
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	whole, route := Handler(nothing), Route("GET /rooms", nothing)
	nested := Handler(Route("/", Handler(route)))
	base := Transport(roundTripper{})
	for name, f := range map[string]func(){
		"handler":   func() { whole.ServeHTTP(nil, r) },
		"route":     func() { route.ServeHTTP(nil, r) },
		"nested":    func() { nested.ServeHTTP(nil, r) },
		"router":    func() { f := Begin(r); f.Route("GET", "/v1/*", "/rooms/{id}"); f.End() },
		"request":   func() { Request("/grpc/Method") },
		"transport": func() { _, _ = base.RoundTrip(r) },
	} {
		f()
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %g allocations a request", name, n)
		}
	}
}

type roundTripper struct{}

var errNoServer = errors.New("no server")

func (roundTripper) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNoServer }

// The wrappers that a request passes: of a server, of a mux and of one in it.
func BenchmarkWrappers(b *testing.B) {
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	route := Route("GET /rooms", nothing)
	for _, bench := range []struct {
		name string
		h    http.Handler
	}{{"none", nothing}, {"route", route}, {"server+route", Handler(route)}, {"server+mux+route", Handler(Route("/", route))}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest("GET", "/rooms", nil)
			for b.Loop() {
				bench.h.ServeHTTP(nil, r)
			}
		})
	}
}
