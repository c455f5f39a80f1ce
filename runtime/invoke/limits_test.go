package invoke_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/store"
)

func TestBodies(t *testing.T) {
	f := serve(t, invoke.Options{MaxBody: 100}, protocol.Options{})
	pad := strings.Repeat(" ", 100-len(deposit))
	for _, test := range []struct {
		name, body string
		header     [2]string
		length     int64 // -1 is chunked
		status     int
		kind       string
	}{
		{"at the limit", deposit + pad, [2]string{"Content-Type", "application/json"}, 100, 200, ""},
		{"with parameters", deposit, [2]string{"Content-Type", `Application/JSON; charset="utf-8"`}, int64(len(deposit)), 200, ""},
		{"chunked", deposit, [2]string{"Content-Type", "application/json"}, -1, 200, ""},
		{"too long", deposit + pad + " ", [2]string{"Content-Type", "application/json"}, 101, 413, invoke.TypeBodyTooLarge},
		{"too long, chunked", deposit + pad + " ", [2]string{"Content-Type", "application/json"}, -1, 413, invoke.TypeBodyTooLarge},
		{"no type", deposit, [2]string{}, int64(len(deposit)), 415, invoke.TypeMediaType},
		{"form", deposit, [2]string{"Content-Type", "application/x-www-form-urlencoded"}, int64(len(deposit)), 415, invoke.TypeMediaType},
		{"empty form", "", [2]string{"Content-Type", "text/plain"}, 0, 415, invoke.TypeMediaType},
		{"compressed", deposit, [2]string{"Content-Encoding", "gzip"}, int64(len(deposit)), 415, invoke.TypeMediaType},
		{"empty", "", [2]string{}, 0, 400, invoke.TypeInput}, // the parameters are missing
		{"empty from another origin", "", [2]string{"Sec-Fetch-Site", "cross-site"}, 0, 403, invoke.TypeCrossOrigin},
	} {
		r := httptest.NewRequest("POST", "/Bank/Deposit", strings.NewReader(test.body))
		r.ContentLength = test.length
		if test.header[0] != "" {
			r.Header.Set(test.header[0], test.header[1])
		}
		resp := f.do(r)
		if resp.StatusCode != test.status {
			t.Errorf("%s: %s, want %d", test.name, text(resp), test.status)
		} else if test.kind != "" {
			if p := problem(t, resp); p.Type != test.kind {
				t.Errorf("%s: %+v, want %s", test.name, p, test.kind)
			}
		}
	}
	r := httptest.NewRequest("POST", "/Bank/Deposit", iotest.ErrReader(errors.New("connection lost")))
	r.Header.Set("Content-Type", "application/json")
	if p := problem(t, f.do(r)); p.Type != invoke.TypeInput || !strings.Contains(p.Detail, "connection lost") {
		t.Errorf("a body that cannot be read: %+v", p)
	}
}

func TestOverload(t *testing.T) {
	f := serve(t, invoke.Options{MaxInFlight: 1, MaxQueued: 1, QueueWait: time.Millisecond}, protocol.Options{})
	done := make(chan string)
	go func() { done <- text(f.post("/Bank/Slow", "")) }()
	release := <-f.gate
	resp := f.post("/Bank/Deposit", deposit)
	if p := problem(t, resp); p.Type != invoke.TypeOverload || p.Status != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("problem is %+v, Retry-After %q; want an overload with Retry-After", p, resp.Header.Get("Retry-After"))
	}
	close(release)
	if got := <-done; got != "200 true" {
		t.Errorf("the slow request: %s", got)
	}
	if got := text(f.post("/Bank/Deposit", deposit)); got != "200 5" {
		t.Errorf("after the overload: %s", got)
	}
}

// TestFailures maps what the store may answer to what clients are told.
func TestFailures(t *testing.T) {
	failing := func(err error) func(store.Engine, context.Context, *store.Commit) (store.Version, error) {
		return func(store.Engine, context.Context, *store.Commit) (store.Version, error) { return 0, err }
	}
	hanging := func(_ store.Engine, ctx context.Context, _ *store.Commit) (store.Version, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	for _, test := range []struct {
		name   string
		path   string
		fault  func(store.Engine, context.Context, *store.Commit) (store.Version, error)
		status int
		kind   string
		detail string
	}{
		{"too large", "/Bank/Huge", nil, 422, invoke.TypeTooLarge, "Bank.Huge exceeds the limits"},
		{"too large, what to do", "/Bank/Huge", nil, 422, invoke.TypeTooLarge, "workflow"},
		{"conflicts", "/Bank/Deposit", failing(store.ErrConflict), 503, invoke.TypeContention, "nothing was changed"},
		{"full", "/Bank/Deposit", failing(fmt.Errorf("%w: /secret/path", store.ErrFull)), 507, invoke.TypeStorageFull, "nothing was changed"},
		{"closed", "/Bank/Deposit", failing(store.ErrClosed), 503, invoke.TypeUnavailable, "stopping"},
		{"time", "/Bank/Deposit", hanging, 504, invoke.TypeTimeout, "Bank.Deposit did not finish in time"},
		{"disk", "/Bank/Deposit", failing(errors.New("input/output error at /secret/path")), 500, invoke.TypeInternal, "log"},
	} {
		opts := invoke.Options{}
		if test.kind == invoke.TypeTimeout {
			opts.Timeout = 20 * time.Millisecond
		}
		f := serve(t, opts, protocol.Options{Attempts: 2})
		if test.fault != nil {
			f.fault.Store(&test.fault)
		}
		body := deposit
		if test.path == "/Bank/Huge" {
			body = ""
		}
		p := problem(t, f.post(test.path, body))
		if p.Status != test.status || p.Type != test.kind || !strings.Contains(p.Detail, test.detail) {
			t.Errorf("%s: %+v, want %d %s with %q", test.name, p, test.status, test.kind, test.detail)
		}
		if strings.Contains(p.Detail, "secret") {
			t.Errorf("%s: the client is told %q", test.name, p.Detail)
		}
		if logged := strings.Contains(f.log.String(), "secret"); logged != (test.status == 500 || test.status == 507) {
			t.Errorf("%s: the log says %q", test.name, f.log)
		}
	}
}
