package invoke_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/invoke"
)

// malformedBodies are bodies for Deposit, each with the parameter that the
// answer must name; "" where it is the body as a whole.
var malformedBodies = []struct{ body, param string }{
	{`{}`, "account"},
	{`{"account":"a"}`, "amount"},
	{`{"amount":1}`, "account"},
	{`{"account":1,"amount":1}`, "account"},
	{`{"account":null,"amount":1}`, "account"},
	{`{"account":["a"],"amount":1}`, "account"},
	{`{"account":"\ud800","amount":1}`, ""},
	{`{"account":"a","amount":"1"}`, "amount"},
	{`{"account":"a","amount":1.5}`, "amount"},
	{`{"account":"a","amount":1e3}`, "amount"},
	{`{"account":"a","amount":true}`, "amount"},
	{`{"account":"a","amount":9223372036854775808}`, "amount"},
	{`{"account":"a","amount":{}}`, "amount"},
	{`{"account":"a","amount":1,"more":1}`, "more"},
	{`{"Account":"a","amount":1}`, "account"},
	{`{"account":"a","account":"b","amount":1}`, "account"},
	{`null`, ""},
	{`[]`, ""},
	{`"account"`, ""},
	{`17`, ""},
	{`{`, ""},
	{`{"account":"a","amount":1`, ""},
	{`{"account":"a","amount":1}}`, ""},
	{`{"account":"a","amount":1} {}`, ""},
	{`{"account":"a","amount":}`, ""},
	{`{"account":"a","amount":01}`, ""},
	{`{"account":"a" "amount":1}`, ""},
	{`{'account':'a'}`, ""},
	{`{account:"a"}`, ""},
	{"{\"account\":\"a\nb\",\"amount\":1}", ""},
	{"\x00", ""},
	{"{\"account\":\"\xff\",\"amount\":1}", ""},
	{strings.Repeat(`[`, 100_000), ""},
	{`{"p":0` + many() + `}`, ""},
	{`{"account":` + strings.Repeat(`{"a":`, 50_000), ""},
}

// many returns as many members as a body can hold.
func many() string {
	var b strings.Builder
	for i := range 90_000 {
		fmt.Fprintf(&b, `,"%x":0`, i)
	}
	return b.String()
}

func TestMalformedInput(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	for _, test := range malformedBodies {
		p := problem(t, f.post("/Bank/Deposit", test.body))
		if p.Status != 400 || p.Type != invoke.TypeInput || p.Parameter != test.param {
			t.Errorf("%.80q: %d %s about parameter %q (%s), want 400 about %q", test.body, p.Status, p.Type, p.Parameter, p.Detail, test.param)
		}
		if !strings.Contains(p.Detail, test.param) {
			t.Errorf("%.80q: the text does not name %s: %s", test.body, test.param, p.Detail)
		}
	}
	if n := f.runs.Load(); n != 0 {
		t.Errorf("the method ran %d times on malformed input", n)
	}
}

// FuzzRequest sends arbitrary requests: whatever comes in, the answer is a reply
// or a problem of the client's.
func FuzzRequest(f *testing.F) {
	for _, test := range malformedBodies {
		f.Add("POST", "/Bank/Deposit", "application/json", "", "", "", test.body)
	}
	f.Add("POST", "/Bank/Deposit", "application/json", "k", "", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", deposit)
	f.Add("POST", "/Bank/Balance", "", "", "01912d68-783e-7c5b-8000-0242ac120002", "", `{"account":"a"}`)
	f.Add("GET", "/metrics", "", "", "", "", "")
	f.Add("PUT", "/Bank", "", "", "", "", "")

	front := serve(f, invoke.Options{}, protocol.Options{})
	f.Fuzz(func(t *testing.T, method, path, contentType, key, id, trace, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Method, r.URL.Path = method, path
		for name, value := range map[string]string{"Content-Type": contentType, "Idempotency-Key": key, "Onefold-Id": id, "Traceparent": trace} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if path == "/Bank/Slow" || path == "/Bank/Fail" {
			return // panics and waits are the method's
		}
		if resp := front.do(r); resp.StatusCode >= 500 {
			t.Errorf("%s %q gives %s", method, path, text(resp))
		}
	})
}
