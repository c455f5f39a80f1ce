package invoke_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/invoke"
)

func TestReplies(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	for _, test := range []struct{ path, body, want string }{
		{"/Bank/Deposit", `{"account":"a","amount":5}`, `200 5`},
		{"/Bank/Deposit", ` { "amount" : 2, "account" : "a" } `, `200 7`},
		{"/Bank/Balance", `{"account":"a"}`, `200 {"balance":7,"ok":true}`},
		{"/Audit/Note", `{}`, `200 null`},
		{"/Audit/Note", ``, `200 null`},
	} {
		resp := f.post(test.path, test.body)
		if got := text(resp); got != test.want {
			t.Errorf("POST %s %s = %s, want %s", test.path, test.body, got, test.want)
		}
		if got := resp.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type is %q", got)
		}
		if got := resp.Header["Onefold-Replayed"]; got != nil {
			t.Errorf("Onefold-Replayed is %q where there is nothing to replay", got)
		}
		if id, err := uuid.Parse(resp.Header.Get("Onefold-Id")); err != nil || id.Version() != 7 {
			t.Errorf("Onefold-Id is %q, want a UUIDv7", resp.Header.Get("Onefold-Id"))
		}
	}
	if f.log.Len() > 0 {
		t.Errorf("logged: %s", f.log)
	}
}

// problem decodes a problem document.
func problem(t *testing.T, resp *http.Response) invoke.Problem {
	t.Helper()
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type is %q, want application/problem+json", got)
	}
	var p invoke.Problem
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		t.Fatalf("problem document: %v", err)
	}
	if p.Status != resp.StatusCode {
		t.Errorf("the document says %d, the reply is %d", p.Status, resp.StatusCode)
	}
	if p.Title == "" {
		t.Errorf("problem of type %s has no title", p.Type)
	}
	return p
}

// The title is fixed by the type, and ids are fresh.
var ignoreTitle = cmpopts.IgnoreFields(invoke.Problem{}, "Title", "ID")

func TestApplicationErrors(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	for _, test := range []struct {
		path, body string
		want       invoke.Problem
	}{
		{"/Bank/Deposit", `{"account":"a","amount":-1}`, invoke.Problem{
			Detail: "deposit to a: bank: negative amount", Code: "bank.ErrNegative", Codes: []string{"bank.ErrNegative"},
		}},
		{"/Bank/Fail", `{"how":"plain"}`, invoke.Problem{Detail: "no sentinel, \"quotes\" and \uFFFD bytes"}},
		{"/Bank/Fail", `{"how":"limit"}`, invoke.Problem{
			Detail: "no: over the limit of 7", Error: &invoke.ErrorValue{Type: "bank.LimitError", Value: []byte(`{"Limit":7}`)},
		}},
		{"/Bank/Fail", `{"how":"joined"}`, invoke.Problem{
			Detail: "outer: first: audit: refused\nbank: account is frozen\naudit: refused",
			Code:   "audit.ErrAudit", Codes: []string{"audit.ErrAudit", "bank.ErrFrozen"},
		}},
	} {
		test.want.Type, test.want.Status = invoke.TypeApplication, 422
		got := problem(t, f.post(test.path, test.body))
		if diff := cmp.Diff(test.want, got, ignoreTitle); diff != "" {
			t.Errorf("POST %s %s (-want +got):\n%s", test.path, test.body, diff)
		}
		if got.ID != "" {
			t.Errorf("the document has id %s, which later deliveries do not have", got.ID)
		}
	}
	if got := text(f.post("/Bank/Balance", `{"account":"trace"}`)); got != `200 {"balance":0,"ok":false}` {
		t.Errorf("a request that failed left a trace: %s", got)
	}
}

func TestUnwritableReply(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	p := problem(t, f.post("/Bank/Fail", `{"how":"unwritable"}`))
	if p.Status != 500 || p.Type != invoke.TypeInternal || !strings.Contains(p.Detail, "NaN is no JSON number") {
		t.Errorf("problem is %+v, want an internal one that says what cannot be written", p)
	}
	if got := text(f.post("/Bank/Balance", `{"account":"trace"}`)); got != `200 {"balance":0,"ok":false}` {
		t.Errorf("a reply that cannot be written left a trace: %s", got)
	}
}

func TestPanic(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	resp := f.post("/Bank/Fail", `{"how":"panic"}`, "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	p := problem(t, resp)
	if p.Status != 500 || p.Type != invoke.TypeInternal || p.ID == "" {
		t.Errorf("problem is %+v, want an internal one with an id", p)
	}
	if strings.Contains(p.Detail, "secret") || strings.Contains(p.Detail, ".go") {
		t.Errorf("the client is told %q", p.Detail)
	}
	for _, want := range []string{"a secret of the server", "bank_test.go", p.ID, "method=Bank.Fail", "trace=0af7651916cd43dd8448eb211c80319c"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, f.log)
		}
	}
	if got := resp.Header.Get("Traceresponse"); !strings.HasPrefix(got, "00-0af7651916cd43dd8448eb211c80319c-") {
		t.Errorf("traceresponse is %q", got)
	}
}

func TestPanicInError(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	for range 2 {
		p := problem(t, f.post("/Bank/Fail", `{"how":"rude"}`, "Idempotency-Key", "k"))
		if p.Status != 500 || p.Type != invoke.TypeInternal || strings.Contains(p.Detail, "secret") {
			t.Errorf("problem is %+v, want an internal one without details", p)
		}
	}
	if n := strings.Count(f.log.String(), "a secret of the error"); n != 2 {
		t.Errorf("the log says it %d times, want 2:\n%s", n, f.log)
	}
	if got := text(f.post("/Audit/Note", "")); got != "200 null" {
		t.Errorf("afterwards: %s", got)
	}
}

func TestWrongAddress(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	all := []string{
		"POST /Audit/Note", "POST /Bank/Deposit", "POST /Bank/Balance", "POST /Bank/Fail", "POST /Bank/Slow", "POST /Bank/Huge",
		"GET /openapi.json", "GET /healthz", "GET /readyz", "GET /metrics",
	}
	for _, test := range []struct {
		method, path string
		want         invoke.Problem
		allow        string
	}{
		{"POST", "/", invoke.Problem{Type: invoke.TypeNotFound, Status: 404, Detail: "there is no /; endpoints lists what there is", Endpoints: all}, ""},
		{"POST", "/bank/deposit", invoke.Problem{Type: invoke.TypeNotFound, Status: 404, Detail: "there is no /bank/deposit; endpoints lists what there is", Endpoints: all[1:6]}, ""},
		{"GET", "/Bank/Deposit/", invoke.Problem{Type: invoke.TypeNotFound, Status: 404, Detail: "there is no /Bank/Deposit/; endpoints lists what there is", Endpoints: all[1:6]}, ""},
		{"GET", "/Bank/Deposit", invoke.Problem{Type: invoke.TypeMethod, Status: 405, Detail: "/Bank/Deposit answers POST, not GET", Endpoints: []string{"POST /Bank/Deposit"}}, "POST"},
		{"POST", "/metrics", invoke.Problem{Type: invoke.TypeMethod, Status: 405, Detail: "/metrics answers GET, HEAD, not POST", Endpoints: []string{"GET /metrics"}}, "GET, HEAD"},
	} {
		resp := f.do(httptest.NewRequest(test.method, test.path, nil))
		if got := resp.Header.Get("Allow"); got != test.allow {
			t.Errorf("%s %s: Allow is %q, want %q", test.method, test.path, got, test.allow)
		}
		if diff := cmp.Diff(test.want, problem(t, resp), ignoreTitle); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.method, test.path, diff)
		}
	}
}

func TestDocuments(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	get := func(path string) string { return text(f.do(httptest.NewRequest("GET", path, nil))) }
	if got := get("/openapi.json"); got != `200 {"openapi":"3.1.0"}` {
		t.Errorf("/openapi.json = %s", got)
	}
	for _, test := range []struct {
		phase       invoke.Phase
		readyz, use string
	}{
		{invoke.Starting, "503 starting", "503"},
		{invoke.Serving, "200 ready", "200"},
		{invoke.Draining, "503 draining", "200"},
	} {
		f.SetPhase(test.phase)
		if got := get("/healthz"); got != "200 ok" {
			t.Errorf("%v: /healthz = %s", test.phase, got)
		}
		if got := get("/readyz"); got != test.readyz {
			t.Errorf("%v: /readyz = %s, want %s", test.phase, got, test.readyz)
		}
		if got := text(f.post("/Audit/Note", ""))[:3]; got != test.use {
			t.Errorf("%v: a request gets %s, want %s", test.phase, got, test.use)
		}
	}
}

func TestMetrics(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	for range 2 {
		f.post("/Bank/Deposit", `{"account":"a","amount":5}`, "Idempotency-Key", "k")
	}
	f.post("/Bank/Deposit", `{"account":"a","amount":-5}`)
	f.post("/Bank/Deposit", `nonsense`)
	got := text(f.do(httptest.NewRequest("GET", "/metrics", nil)))
	const labels = `{service="Bank",method="Deposit"`
	for _, want := range []string{
		`onefold_requests_total` + labels + `,status="200"} 2`,
		`onefold_requests_total` + labels + `,status="422"} 1`,
		`onefold_requests_total` + labels + `,status="400"} 1`,
		`onefold_replays_total` + labels + `} 1`,
		`onefold_commits_total` + labels + `} 1`,
		`onefold_request_seconds_bucket` + labels + `,le="+Inf"} 4`,
		`onefold_request_seconds_count` + labels + `} 4`,
		`onefold_in_flight 0`,
		`onefold_conflicts_total 0`,
	} {
		if !strings.Contains(got, want+"\n") && !strings.HasSuffix(got, want) {
			t.Errorf("metrics lack %s:\n%s", want, got)
		}
	}
}

func TestAccessLog(t *testing.T) {
	f := serve(t, invoke.Options{AccessEvery: 2}, protocol.Options{})
	for range 4 {
		f.post("/Bank/Deposit", `{"account":"private","amount":5}`, "Idempotency-Key", "secret")
	}
	if got := strings.Count(f.log.String(), "msg=request"); got != 2 {
		t.Errorf("%d lines, want 2:\n%s", got, f.log)
	}
	if s := f.log.String(); strings.Contains(s, "secret") || strings.Contains(s, "private") {
		t.Errorf("the log tells secrets:\n%s", s)
	}
}
