package invoke_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime"
	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/store/memory"
	"github.com/onefold/onefold/runtime/workflow"
)

// countMethod counts how often it runs, by name.
var countMethod = &workflow.Target[string, int]{
	Name: "Flow.Count", Args: codec.String, Result: codec.Int,
	Call: func(_ context.Context, tx *protocol.Tx, name string) (int, error) {
		n, _ := get(tx, name)
		tx.Add(accountKey(tx, name), 1)
		return n + 1, nil
	},
}

// flow is a workflow whose parameter is a name.
func flow(name string, body func(ctx context.Context, run *workflow.Run, name string) (string, error)) *runtime.Method {
	return &runtime.Method{Name: name, Kind: runtime.Workflow, Params: []string{"name"}, Durable: &workflow.Definition[string, string]{
		Name: "Flow." + name, Code: "1", Args: codec.String, Result: codec.String,
		Parse:   func(in *codec.Args) string { return codec.Arg(in, "name", codec.String) },
		Body:    body,
		Signals: []workflow.SignalType{workflow.SignalOf("approve", codec.String)},
	}}
}

// approve counts, waits two days for an approval, and counts again.
var approve = flow("Approve", func(ctx context.Context, run *workflow.Run, name string) (string, error) {
	n, err := workflow.Step(ctx, run, countMethod, name)
	if err != nil {
		return "", err
	}
	by, ok, err := workflow.Await(ctx, run, "approve", 48*time.Hour, codec.String)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fmt.Errorf("approve %s: %w", name, errFrozen)
	}
	m, err := workflow.Step(ctx, run, countMethod, name)
	return fmt.Sprintf("%s by %s %d %d", name, by, n, m), err
})

// pausing is slow in its step, as one is that waits for a busy store.
var pausing = flow("Pause", func(ctx context.Context, run *workflow.Run, name string) (string, error) {
	time.Sleep(12 * time.Second)
	n, err := workflow.Step(ctx, run, countMethod, name)
	run.Sleep(3 * time.Second)
	return fmt.Sprint(n), err
})

var (
	quick = flow("Quick", func(ctx context.Context, run *workflow.Run, name string) (string, error) {
		n, err := workflow.Step(ctx, run, countMethod, name)
		return fmt.Sprint(n), err
	})
	broken = flow("Broken", func(context.Context, *workflow.Run, string) (string, error) { panic("a secret of the server") })
	poison = flow("Poison", func(ctx context.Context, run *workflow.Run, name string) (string, error) {
		if _, err := workflow.Step(ctx, run, countMethod, name); err != nil {
			return "", err
		}
		panic("poison")
	})
	parent = flow("Parent", func(ctx context.Context, run *workflow.Run, name string) (string, error) {
		return workflow.Child(ctx, run, approve.Durable.(*workflow.Definition[string, string]), name)
	})
)

// flows is a served application of workflows, in virtual time.
type flows struct {
	t *testing.T
	*invoke.Handler
	operators http.Handler
	engine    *workflow.Engine
}

func serveFlows(t *testing.T, fn func(f *flows)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		app := &runtime.App{Name: "flows", Services: []*runtime.Service{{
			Name: "Flow",
			Methods: []*runtime.Method{approve, quick, broken, poison, parent, pausing, {
				Name: "Count", Kind: runtime.Atomic, Params: []string{"name"}, Durable: countMethod,
			}},
			Sentinels: []runtime.Sentinel{{Name: "bank.ErrFrozen", Err: errFrozen}},
		}}}
		runner := protocol.NewRunner(memory.New(), protocol.Options{})
		log := slog.New(slog.DiscardHandler)
		engine, err := workflow.New(runner, app.Workflows(), workflow.Options{Log: log, MaxFailures: 3})
		if err != nil {
			t.Fatal(err)
		}
		f := &flows{t: t, Handler: invoke.New(app, runner, invoke.Options{Workflows: engine, Log: log}), engine: engine}
		f.operators = f.Operators()
		f.SetPhase(invoke.Serving)
		ctx, cancel := context.WithCancel(t.Context())
		go engine.Loop(ctx)
		defer engine.Close()
		defer cancel()
		fn(f)
	})
}

// a reply, with what of it a test looks at.
type flowReply struct {
	status   int
	body     string
	workflow string
	location string
	replayed string
}

func (f *flows) ask(h http.Handler, method, path, body string, headers ...string) flowReply {
	f.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	resp := w.Result()
	b, _ := io.ReadAll(resp.Body)
	get := resp.Header.Get
	return flowReply{resp.StatusCode, strings.TrimSpace(string(b)), get("Onefold-Workflow"), get("Location"), get("Onefold-Replayed")}
}

func (f *flows) post(path, body string, headers ...string) flowReply {
	f.t.Helper()
	return f.ask(f.Handler, "POST", path, body, headers...)
}

// operate asks the operators' API; the reply's body must be that of a 200 or 204.
func (f *flows) operate(method, path, body string, into any) {
	f.t.Helper()
	reply := f.ask(f.operators, method, "/_onefold/api/"+path, body)
	if reply.status != 200 && reply.status != 204 {
		f.t.Fatalf("%s %s: %d %s", method, path, reply.status, reply.body)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(reply.body), into); err != nil {
			f.t.Fatalf("%s %s: %v: %s", method, path, err, reply.body)
		}
	}
}

func (f *flows) expect(what string, want, got any) {
	f.t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(flowReply{})); diff != "" {
		f.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

const flowID = "00dc6acf-ac00-7000-8000-000000000001" // of the time at which bubbles begin

func TestWorkflowReplies(t *testing.T) {
	serveFlows(t, func(f *flows) {
		got := f.post("/Flow/Quick", `{"name":"a"}`)
		f.expect("a workflow that ends at once", flowReply{status: 200, body: `"1"`, workflow: got.workflow}, got)
		for _, replayed := range []string{"false", "true"} {
			got = f.post("/Flow/Quick", `{"name":"a"}`, "Onefold-Id", flowID)
			f.expect("with an id", flowReply{status: 200, body: `"2"`, workflow: flowID, replayed: replayed}, got)
		}
		for _, replayed := range []string{"false", "true"} {
			got = f.post("/Flow/Quick", `{"name":"a"}`, "Idempotency-Key", "k")
			f.expect("with a key", flowReply{status: 200, body: `"3"`, workflow: got.workflow, replayed: replayed}, got)
		}
		for _, test := range []struct {
			what, path, body string
			headers          []string
			status           int
			want             string
		}{
			{"other arguments", "/Flow/Quick", `{"name":"b"}`, []string{"Idempotency-Key", "k"}, 422, invoke.TypeMismatch},
			{"another method", "/Flow/Approve", `{"name":"a"}`, []string{"Idempotency-Key", "k"}, 422, invoke.TypeMismatch},
			{"another method, in the background", "/Flow/Approve", `{"name":"a"}`, []string{"Idempotency-Key", "k", "Prefer", "respond-async"}, 422, invoke.TypeMismatch},
			{"a missing parameter", "/Flow/Quick", `{}`, nil, 400, invoke.TypeInput},
			{"a parameter too many", "/Flow/Quick", `{"name":"a","x":1}`, nil, 400, invoke.TypeInput},
			{"an id of the future", "/Flow/Quick", `{"name":"a"}`, []string{"Onefold-Id", "01dc6acf-ac00-7000-8000-000000000001"}, 400, invoke.TypeInput},
			{"an old id", "/Flow/Quick", `{"name":"a"}`, []string{"Onefold-Id", "00cc6acf-ac00-7000-8000-000000000001"}, 422, invoke.TypeExpired},
			{"a panic before anything is stored", "/Flow/Broken", `{"name":"a"}`, nil, 500, invoke.TypeInternal},
		} {
			got := f.post(test.path, test.body, test.headers...)
			var p invoke.Problem
			if json.Unmarshal([]byte(got.body), &p); got.status != test.status || p.Type != test.want {
				t.Errorf("%s: %d %s, want %d %s", test.what, got.status, got.body, test.status, test.want)
			}
			if strings.Contains(got.body, "secret") {
				t.Errorf("%s tells too much: %s", test.what, got.body)
			}
		}
	})
}

// A client that does not want to wait, or for which it takes too long, gets an address to ask at; one
// that lost the connection attaches again.
func TestWorkflowInTheBackground(t *testing.T) {
	serveFlows(t, func(f *flows) {
		at := "/Flow/Approve/" + flowID
		waits := flowReply{status: 202, body: `{"id":"` + flowID + `","method":"Flow.Approve","status":"suspended"}`, workflow: flowID, location: at}
		begun := time.Now()
		f.expect("a wait beyond the limit", waits, f.post("/Flow/Approve", `{"name":"a"}`, "Onefold-Id", flowID))
		f.expect("the limit", 10*time.Second, time.Since(begun))
		f.expect("a shorter one", waits, f.post("/Flow/Approve", `{"name":"a"}`, "Onefold-Id", flowID, "Prefer", "wait=2"))
		f.expect("the limits", 12*time.Second, time.Since(begun))
		f.expect("none", waits, f.post("/Flow/Approve", `{"name":"a"}`, "Onefold-Id", flowID, "Prefer", "respond-async"))
		f.expect("a question", waits, f.ask(f.Handler, "GET", at, ""))
		f.expect("the limits then", 12*time.Second, time.Since(begun))

		ctx, cancel := context.WithTimeout(f.t.Context(), time.Second)
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, "POST", "/Flow/Approve", strings.NewReader(`{"name":"a"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Onefold-Id", flowID)
		f.ServeHTTP(httptest.NewRecorder(), r)
		f.expect("a client that goes", 13*time.Second, time.Since(begun))

		go func() {
			time.Sleep(5 * time.Second)
			f.operate("POST", "workflows/"+flowID+"/signals/approve", `"ann"`, nil)
		}()
		want := flowReply{status: 200, body: `"a by ann 1 2"`, workflow: flowID, replayed: "true"}
		f.expect("attached again", want, f.post("/Flow/Approve", `{"name":"a"}`, "Onefold-Id", flowID))
		f.expect("in the background", want, f.post("/Flow/Approve", `{"name":"a"}`, "Onefold-Id", flowID, "Prefer", "respond-async"))
		want.replayed = ""
		f.expect("a question after the end", want, f.ask(f.Handler, "GET", at, ""))
		for _, path := range []string{"/Flow/Quick/" + flowID, "/Flow/Approve/00dc6acf-ac00-7000-8000-000000000002", "/Flow/Approve/x", "/Flow/Approve/" + flowID + "%2F1"} {
			if got := f.ask(f.Handler, "GET", path, ""); got.status != 404 {
				t.Errorf("GET %s: %d %s", path, got.status, got.body)
			}
		}
		f.expect("another verb", 405, f.ask(f.Handler, "POST", at, "").status)
	})
}

// The reply to a start in the background comes when the workflow is sure to run, also if another
// client's start of it has stored nothing yet.
func TestAcceptedWorkflowsRun(t *testing.T) {
	serveFlows(t, func(f *flows) {
		begun := time.Now()
		got := f.post("/Flow/Pause", `{"name":"p"}`, "Onefold-Id", flowID)
		f.expect("a start whose first step is slow", 202, got.status)
		f.expect("the time until it is stored", 12*time.Second, time.Since(begun))
		time.Sleep(10 * time.Second) // its replay pauses, too
		reply := f.ask(f.Handler, "GET", got.location, "", "Prefer", "wait=6")
		f.expect("its end", flowReply{status: 200, body: `"1"`, workflow: flowID}, reply)
	})
}

// A workflow that ends in an error, or was cancelled, replies as one that does at once.
func TestWorkflowErrors(t *testing.T) {
	serveFlows(t, func(f *flows) {
		f.post("/Flow/Approve", `{"name":"a"}`, "Onefold-Id", flowID, "Prefer", "respond-async")
		time.Sleep(49 * time.Hour)
		want := `{"type":"urn:onefold:application-error","title":"the method returned an error","status":422,"detail":"approve a: bank: account is frozen","code":"bank.ErrFrozen","codes":["bank.ErrFrozen"]}`
		got := f.ask(f.Handler, "GET", "/Flow/Approve/"+flowID, "")
		f.expect("error", flowReply{status: 422, body: want, workflow: flowID}, got)

		got = f.post("/Flow/Approve", `{"name":"b"}`, "Idempotency-Key", "b", "Prefer", "respond-async")
		f.operate("POST", "workflows/"+got.workflow+"/cancel", "", nil)
		reply := f.post("/Flow/Approve", `{"name":"b"}`, "Idempotency-Key", "b")
		if reply.status != 409 || !strings.Contains(reply.body, invoke.TypeCancelled) {
			t.Errorf("cancelled: %+v", reply)
		}
	})
}

// What operators see and do.
func TestOperators(t *testing.T) {
	serveFlows(t, func(f *flows) {
		f.post("/Flow/Quick", `{"name":"q"}`)
		f.post("/Flow/Poison", `{"name":"p"}`, "Prefer", "respond-async")
		f.post("/Flow/Parent", `{"name":"c"}`, "Onefold-Id", flowID, "Prefer", "respond-async")
		time.Sleep(time.Hour)

		var list struct {
			Workflows []workflow.Info
			Next      string
		}
		f.operate("GET", "workflows?limit=3", "", &list)
		f.expect("a page", 3, len(list.Workflows))
		next := list.Next
		list.Workflows, list.Next = nil, ""
		f.operate("GET", "workflows?limit=3&cursor="+next, "", &list)
		f.expect("the last page", 1, len(list.Workflows))
		f.expect("its end", "", list.Next)
		f.operate("GET", "workflows?limit=1&status=completed", "", &list)
		f.expect("the completed one", "Flow.Quick", list.Workflows[0].Method)
		f.operate("GET", "workflows?method=Flow.Parent", "", &list)
		f.expect("the parent", []string{flowID}, []string{list.Workflows[0].ID})

		child := url.PathEscape(flowID + "/1")
		var info workflow.Info
		f.operate("GET", "workflows/"+child, "", &info)
		f.expect("the child waits for", []string{"signal approve"}, info.Awaits)
		f.expect("its parent", flowID, info.Parent)
		f.operate("POST", "workflows/"+child+"/signals/approve", `"bob"`, nil)
		f.expect("the end", `"c by bob 1 2"`, f.post("/Flow/Parent", `{"name":"c"}`, "Onefold-Id", flowID).body)

		var h workflow.History
		f.operate("GET", "workflows/"+flowID+"/history", "", &h)
		f.expect("arguments", `"c"`, string(h.ArgsJSON))
		f.expect("result", `"c by bob 1 2"`, string(h.ResultJSON))
		f.expect("steps", []string{"child Flow.Approve", "call Flow.Count", "await approve", "call Flow.Count"}, stepNames(&h))
		if err := f.engine.Check(&h); err != nil {
			t.Errorf("replay of the history: %v", err)
		}

		var dead struct{ Dead []workflow.DeadLetter }
		f.operate("GET", "dead", "", &dead)
		f.expect("dead letters", []string{"Flow.Poison panic: poison"}, []string{dead.Dead[0].Method + " " + dead.Dead[0].Reason})
		f.operate("POST", "workflows/"+dead.Dead[0].ID+"/retry", "", nil)
		dead.Dead = nil
		f.operate("GET", "dead", "", &dead)
		f.expect("dead letters after the retry", 0, len(dead.Dead))
	})
}

// stepNames returns the steps of a workflow and its children.
func stepNames(h *workflow.History) (names []string) {
	for _, s := range h.Steps {
		names = append(names, s.Kind+" "+s.Name)
		if s.Child != nil {
			names = append(names, stepNames(s.Child)...)
		}
	}
	return names
}

func TestOperatorsRefuse(t *testing.T) {
	serveFlows(t, func(f *flows) {
		f.post("/Flow/Quick", `{"name":"q"}`, "Onefold-Id", flowID)
		for _, test := range []struct {
			method, path, body string
			status             int
			want               string
		}{
			{"GET", "workflows/x", "", 404, invoke.TypeNoWorkflow},
			{"GET", "workflows/x/history", "", 404, invoke.TypeNoWorkflow},
			{"GET", "workflows?status=lost", "", 400, `status is \"lost\"; want running`},
			{"GET", "workflows?limit=0", "", 400, `want 1 to 1000`},
			{"GET", "workflows?cursor=x", "", 400, `cursor`},
			{"GET", "dead?cursor=x", "", 400, `cursor`},
			{"POST", "workflows/x/cancel", "", 404, invoke.TypeNoWorkflow},
			{"POST", "workflows/x/retry", "", 404, invoke.TypeNoWorkflow},
			{"POST", "workflows/" + flowID + "/cancel", "", 409, invoke.TypeEnded},
			{"POST", "workflows/" + flowID + "/signals/approve", `"x"`, 409, invoke.TypeEnded},
			{"POST", "workflows/" + flowID + "/signals/approve", `7`, 400, `approve`},
			{"POST", "workflows/" + flowID + "/signals/aprove", `"x"`, 400, `there are: approve`},
			{"GET", "nothing", "", 404, "GET /_onefold/api/dead"},
		} {
			got := f.ask(f.operators, test.method, "/_onefold/api/"+test.path, test.body)
			if got.status != test.status || !strings.Contains(got.body, test.want) {
				t.Errorf("%s %s: %d %s, want %d %s", test.method, test.path, got.status, got.body, test.status, test.want)
			}
		}
	})
}
