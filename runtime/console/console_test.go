package console_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/testdata/apps/travel/gen"
)

// travel returns the server of the travel application with some state.
func travel(t *testing.T, token string) http.Handler {
	t.Helper()
	engine, err := embedded.Open("data", embedded.Options{FS: vfs.NewMem(), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	server, err := local.New(t.Context(), gen.App(), engine, local.Options{AdminToken: token})
	if err != nil {
		t.Fatal(err)
	}
	h := server.Handler()
	for _, body := range []string{`{"hotelID":"ritz","capacity":1}`, `{"hotelID":"<b>","capacity":2}`} {
		r := request("POST", "/Hotel/Add", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if w := do(h, r); w.Code != http.StatusOK {
			t.Fatal(w.Body)
		}
	}
	return h
}

// request is one from this machine.
func request(method, path string, body *strings.Reader) *http.Request {
	if body == nil {
		body = strings.NewReader("")
	}
	r := httptest.NewRequest(method, path, body)
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "127.0.0.1:8080"
	return r
}

func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestState(t *testing.T) {
	h := travel(t, "")
	for _, test := range []struct {
		path string
		code int
		want string
	}{
		{"Hotel/rooms", 200, `{"rows":[{"key":"\u003cb\u003e","value":{"Capacity":2,"Guests":null}},{"key":"ritz","value":{"Capacity":1,"Guests":null}}]}`},
		{"Hotel/rooms?limit=1", 200, `"next":"`},
		{"Hotel/rooms?from=c", 200, `{"rows":[{"key":"ritz",`},
		{"Hotel/rooms?key=ritz", 200, `{"rows":[{"key":"ritz",`},
		{"Hotel/rooms?key=savoy", 200, `{"rows":[]}`},
		{"Hotel/total", 200, `{"rows":[{"key":null,"value":0}]}`},
		{"Orders/placed?key=x", 400, `\"x\" is no key of Orders.placed: want an index`},
		{"Hotel/rooms?limit=9999", 400, `limit is \"9999\"; want 1 to 1000`},
		{"Hotel/nothing", 404, `there is no field Hotel.nothing`},
	} {
		w := do(h, request("GET", "/_onefold/api/state/"+test.path, nil))
		if w.Code != test.code || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s: %d %s, want %d %s", test.path, w.Code, w.Body, test.code, test.want)
		}
	}
}

func TestDescription(t *testing.T) {
	w := do(travel(t, ""), request("GET", "/_onefold/api/app", nil))
	for _, want := range []string{
		`"name":"travel"`,
		`{"name":"Total","kind":"read-only","params":[],"example":"{}"}`,
		`{"name":"Reserve","kind":"atomic","params":["hotelID","userID"],"example":"{\"hotelID\": \"hotel-1\", \"userID\": \"user-1\"}"}`,
		`{"name":"rooms","type":"map[string]hotel.Room"}`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the description lacks %s:\n%s", want, w.Body)
		}
	}
}

// TestPage checks what keeps the page to itself: its policy names the hashes of the
// style and the script in it, and nothing in it can run or load anything else.
func TestPage(t *testing.T) {
	w := do(travel(t, ""), request("GET", "/_onefold/", nil))
	policy, body := w.Header().Get("Content-Security-Policy"), w.Body.String()
	for _, want := range []string{"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy lacks %s: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy allows too much: %s", policy)
	}
	for _, never := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", `style="`, "<link rel=\"stylesheet\"", "<script src"} {
		if strings.Contains(body, never) {
			t.Errorf("the page has %s", never)
		}
	}
	if found := regexp.MustCompile(`<[a-z]+ [^>]*\bon[a-z]+=`).FindString(body); found != "" {
		t.Errorf("an inline handler: %s", found)
	}
	for _, url := range regexp.MustCompile(`https?://[^'"\s)]+`).FindAllString(body, -1) {
		if url != "http://www.w3.org/2000/svg" { // the name of SVG, which nobody loads
			t.Errorf("the page names %s", url)
		}
	}
}

// TestGuard checks who is let through.
func TestGuard(t *testing.T) {
	open, closed := travel(t, ""), travel(t, "secret")
	const path = "/_onefold/api/app"
	for _, test := range []struct {
		name string
		h    http.Handler
		with func(r *http.Request)
		want int
	}{
		{"from this machine", open, func(*http.Request) {}, 200},
		{"by name", open, func(r *http.Request) { r.Host = "localhost:8080" }, 200},
		{"over IPv6", open, func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:4", "[::1]:8080" }, 200},
		{"from another machine", open, func(r *http.Request) { r.RemoteAddr = "192.0.2.7:40000" }, 403},
		{"under another name", open, func(r *http.Request) { r.Host = "rebound.example" }, 403},
		{"under a name that begins so", open, func(r *http.Request) { r.Host = "127.0.0.1.example:8080" }, 403},
		{"through a proxy", open, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7") }, 403},
		{"a token where none is asked for", open, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 200},
		{"without the token", closed, func(*http.Request) {}, 401},
		{"with a wrong token", closed, func(r *http.Request) { r.Header.Set("Authorization", "Bearer secre") }, 401},
		{"with an empty token", closed, func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, 401},
		{"with the token from elsewhere", closed, func(r *http.Request) {
			r.RemoteAddr, r.Host = "192.0.2.7:40000", "console.example"
			r.Header.Set("Authorization", "Bearer secret")
		}, 200},
		{"changes from a page of elsewhere", open, func(r *http.Request) {
			r.Method = "POST"
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}, 403},
	} {
		r := request("GET", path, nil)
		test.with(r)
		if w := do(test.h, r); w.Code != test.want {
			t.Errorf("%s: %d %s, want %d", test.name, w.Code, w.Body, test.want)
		}
	}
}

// TestAccess checks that all but the page itself is for those who have access.
func TestAccess(t *testing.T) {
	open, closed := travel(t, ""), travel(t, "secret")
	for _, path := range []string{"api/app", "api/state/Hotel/rooms", "api/workflows", "api/nothing"} {
		r := request("GET", "/_onefold/"+path, nil)
		if w := do(closed, r); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without the token: %d %s", path, w.Code, w.Body)
		}
		r.Header.Set("Authorization", "Bearer secret")
		if w := do(closed, r); w.Code == http.StatusUnauthorized {
			t.Errorf("%s with the token: %d %s", path, w.Code, w.Body)
		}
		r.Host = "rebound.example"
		if w := do(open, r); w.Code != http.StatusForbidden {
			t.Errorf("%s under another name: %d %s", path, w.Code, w.Body)
		}
	}
	if w := do(closed, request("GET", "/_onefold/", nil)); w.Code != http.StatusOK {
		t.Errorf("the page itself, which asks for the token: %d", w.Code)
	}
}
