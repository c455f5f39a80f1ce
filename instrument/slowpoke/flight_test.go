package slowpoke

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func request(path string) *http.Request { return httptest.NewRequest("GET", path, nil) }

// TestNested: however many wrappers a request passes, and whatever copies they make of
// it, it counts once, for the innermost route.
func TestNested(t *testing.T) {
	value := counts()
	leaf := Route("GET /nested/leaf", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	copies := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, 1))
		leaf.ServeHTTP(w, Clone(r)(r.Context()))
	})
	whole := Handler(Handler(Route("/nested/", Route("/nested/", copies))))
	for range 3 {
		whole.ServeHTTP(httptest.NewRecorder(), request("/nested/leaf"))
	}
	for name, want := range map[string]int64{"GET /nested/leaf": 3, "/nested/": 0, unrouted: 0} {
		if got := value("r", name); got != want {
			t.Errorf("%s counted %d times, want %d", name, got, want)
		}
	}
	if n := inMore.Load(); n != 0 {
		t.Errorf("%d clones are left", n)
	}
}

// TestManyAtOnce: more requests under way than the table holds, of several routes, on
// goroutines of their own.
func TestManyAtOnce(t *testing.T) {
	value := counts()
	const requests, names = 2 * slots, 4
	var inside, all sync.WaitGroup
	inside.Add(requests)
	mux := http.NewServeMux()
	for i := range names {
		mux.Handle(fmt.Sprintf("/many/%d", i), Route(fmt.Sprintf("/many/%d", i), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			inside.Done()
			inside.Wait()
		})))
	}
	whole := Handler(Route("/many/", mux))
	for i := range requests {
		all.Go(func() {
			r := request(fmt.Sprintf("/many/%d", i%names))
			r.Header.Set("Some", "header")
			whole.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	all.Wait()
	for i := range names {
		if got := value("r", fmt.Sprintf("/many/%d", i)); got != requests/names {
			t.Errorf("route %d counted %d times, want %d", i, got, requests/names)
		}
	}
	for i := range table {
		if table[i].key.Load() != 0 {
			t.Fatalf("slot %d is not free", i)
		}
	}
	if inMore.Load() != 0 || value("r", "/many/") != 0 {
		t.Error("something is left")
	}
}

// TestTimedOut: a handler that goes on after its request was answered does not count a
// request that came after it.
func TestTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		value := counts()
		slow := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			f := Begin(r)
			defer f.End()
			time.Sleep(time.Minute)
			f.Route("GET", "/timedout/slow")
		})
		h := Route("/timedout/", http.TimeoutHandler(slow, time.Second, "late"))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request("/timedout/slow"))
		time.Sleep(time.Hour)
		if w.Code != http.StatusServiceUnavailable || value("r", "/timedout/") != 1 || value("r", "GET /timedout/slow") != 0 {
			t.Errorf("status %d, counted %d and %d times", w.Code, value("r", "/timedout/"), value("r", "GET /timedout/slow"))
		}
	})
}

// TestSkip: what is left out is left out of what is around it.
func TestSkip(t *testing.T) {
	value := counts()
	h := Handler(Route("/skip/", Skip(Route("/skip/x", http.NotFoundHandler()))))
	for range 3 {
		h.ServeHTTP(httptest.NewRecorder(), request("/skip/x"))
	}
	if value("r", "/skip/") != 0 || value("r", "/skip/x") != 0 || value("r", unrouted) != 0 {
		t.Error("a request that is to be skipped counts")
	}
}

// TestBare: requests that only tests make are passed on.
func TestBare(t *testing.T) {
	calls := 0
	h := Handler(Route("/bare", Skip(Route("/bare/x", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ })))))
	for _, r := range []*http.Request{nil, {}, {Method: "GET", ProtoMajor: 2}} {
		h.ServeHTTP(nil, r)
	}
	if calls != 3 {
		t.Errorf("%d calls", calls)
	}
}

func TestJoin(t *testing.T) {
	for _, test := range []struct{ outer, inner, want string }{
		{"/api/", "GET /rooms/{id}", "GET /api/rooms/{id}"},
		{"/api/", "GET /api/rooms", "GET /api/rooms"},
		{"GET /api/std/*", "/std/x", "GET /api/std/x"},
		{"/", "/x", "/x"},
		{"POST /{tenant}/", "/x", "POST /x"},
		{"/api", "/api", "/api"},
		{"/api/", "/apix", "/api/apix"},
		{"/api/", "example.com/x", "example.com/x"},
		{unrouted, "GET /x", "GET /x"},
		{"/grpc/", "/pkg.Service/Method", "/grpc/pkg.Service/Method"},
	} {
		if got := join(test.outer, test.inner); got != test.want {
			t.Errorf("join(%q, %q) = %q, want %q", test.outer, test.inner, got, test.want)
		}
	}
}
