package invoke

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime"
	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/workflow"
)

// Options bound what a [Handler] accepts; the zero value works.
type Options struct {
	// MaxBody is the longest request body, in bytes. Default 1 MiB.
	MaxBody int64
	// MaxInFlight is how many invocations run at once. Default 256.
	MaxInFlight int
	// MaxQueued is how many more may wait for one of them to end. Default 4 × MaxInFlight.
	MaxQueued int
	// QueueWait is how long they wait before they are refused. Default 1 s.
	QueueWait time.Duration
	// Timeout is how long an invocation may take from its arrival on, retries included. Default 10 s.
	Timeout time.Duration
	// Workflows runs the application's workflows. An application that has some needs it.
	Workflows *workflow.Engine
	// Log gets what an operator must see: panics and failures of the store. Default slog.Default().
	Log *slog.Logger
	// AccessEvery logs every n-th request: 1 is all of them. Default 0: none.
	AccessEvery int
	// Now is the clock that fresh ids are minted by. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 256
	}
	if o.MaxQueued == 0 {
		o.MaxQueued = 4 * o.MaxInFlight
	}
	if o.QueueWait == 0 {
		o.QueueWait = time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Handler serves an application. Besides `POST /Service/Method` it answers GET at
// /openapi.json, /healthz (the process lives), /readyz (it wants requests) and /metrics.
type Handler struct {
	app       *runtime.App
	runner    *protocol.Runner
	opts      Options
	endpoints map[string]*endpoint // by path
	order     []*endpoint          // as the application declares them
	documents map[string]document  // what GET answers, by path
	sentinels []sentinel
	gate      *gate
	starts    *gate // of workflows
	origins   http.CrossOriginProtection
	phase     atomic.Int32
	requests  atomic.Uint64 // for the sampling of the access log
}

// An endpoint is one method as the front sees it.
type endpoint struct {
	service  *runtime.Service
	method   *runtime.Method
	name     string // Service.Method
	hash     uint64 // of name
	readOnly bool   // there is nothing to record
	counters counters
}

// A document is something that GET answers.
type document struct {
	contentType string
	body        func() (status int, body []byte)
}

// New returns the handler of app. It is in phase Starting.
func New(app *runtime.App, runner *protocol.Runner, opts Options) *Handler {
	opts = opts.withDefaults()
	h := &Handler{
		app:       app,
		runner:    runner,
		opts:      opts,
		endpoints: map[string]*endpoint{},
		sentinels: sentinelsOf(app),
		gate:      newGate(opts.MaxInFlight, opts.MaxQueued, opts.QueueWait),
		starts:    newGate(opts.MaxInFlight, opts.MaxQueued, opts.QueueWait),
	}
	for _, s := range app.Services {
		for _, m := range s.Methods {
			name := s.Name + "." + m.Name
			if m.Kind == runtime.Workflow && opts.Workflows == nil {
				panic("invoke: " + name + " is a workflow, and Options.Workflows is nil")
			}
			e := &endpoint{
				service:  s,
				method:   m,
				name:     name,
				hash:     hashString(name),
				readOnly: m.Kind == runtime.ReadOnly || m.Kind == runtime.Stateless,
			}
			h.endpoints["/"+s.Name+"/"+m.Name] = e
			h.order = append(h.order, e)
		}
	}
	h.documents = map[string]document{
		"/openapi.json": {"application/json", func() (int, []byte) { return http.StatusOK, app.OpenAPI }},
		"/healthz":      {"text/plain; charset=utf-8", func() (int, []byte) { return http.StatusOK, []byte("ok\n") }},
		"/readyz":       {"text/plain; charset=utf-8", h.readiness},
		"/metrics":      {"text/plain; version=0.0.4; charset=utf-8", func() (int, []byte) { return http.StatusOK, h.appendMetrics(nil) }},
	}
	return h
}

// now returns the time by the handler's clock; real is that of the machine.
func (h *Handler) now(real time.Time) time.Time {
	if h.opts.Now == nil {
		return real
	}
	return h.opts.Now()
}

// A Phase is where in its life a server is.
type Phase int32

// The phases.
const (
	Starting Phase = iota // /readyz fails, invocations are refused
	Serving
	Draining // /readyz fails, so that no more requests are sent here; those that come are served
)

func (p Phase) String() string { return [...]string{"starting", "ready", "draining"}[p] }

// SetPhase moves the handler to a phase.
func (h *Handler) SetPhase(p Phase) { h.phase.Store(int32(p)) }

func (h *Handler) readiness() (int, []byte) {
	p := Phase(h.phase.Load())
	status := http.StatusOK
	if p != Serving {
		status = http.StatusServiceUnavailable
	}
	return status, []byte(p.String() + "\n")
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := h.endpoints[r.URL.Path]
	if e != nil && r.Method == http.MethodPost {
		h.invoke(w, r, e)
		return
	}
	if e != nil {
		h.refuseMethod(w, r, "POST")
		return
	}
	d, ok := h.documents[r.URL.Path]
	run, id := h.run(r.URL.Path)
	switch {
	case run != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		h.serveOutcome(w, r, run, id)
	case run != nil:
		h.refuseMethod(w, r, "GET, HEAD")
	case !ok:
		h.refusePath(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.refuseMethod(w, r, "GET, HEAD")
	default:
		status, body := d.body()
		w.Header().Set("Content-Type", d.contentType)
		w.WriteHeader(status)
		w.Write(body)
	}
}

// run returns the workflow method and the id in the path /Service/Method/id, nil for other paths.
func (h *Handler) run(path string) (*endpoint, string) {
	i := strings.LastIndexByte(path, '/')
	if i <= 0 {
		return nil, ""
	}
	e := h.endpoints[path[:i]]
	if e == nil || e.method.Kind != runtime.Workflow {
		return nil, ""
	}
	return e, path[i+1:]
}

func (h *Handler) refuseMethod(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	p := Problem{
		Type:      TypeMethod,
		Status:    http.StatusMethodNotAllowed,
		Detail:    r.URL.Path + " answers " + allow + ", not " + r.Method,
		Endpoints: []string{strings.Split(allow, ",")[0] + " " + r.URL.Path},
	}
	p.Write(w)
}

// refusePath lists what exists: the methods of the service asked for, or
// everything if there is no such service.
func (h *Handler) refusePath(w http.ResponseWriter, r *http.Request) {
	asked, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var all, same []string
	for _, e := range h.order {
		line := "POST /" + e.service.Name + "/" + e.method.Name
		all = append(all, line)
		if strings.EqualFold(e.service.Name, asked) {
			same = append(same, line)
		}
	}
	p := Problem{
		Type:      TypeNotFound,
		Status:    http.StatusNotFound,
		Detail:    "there is no " + r.URL.Path + "; endpoints lists what there is",
		Endpoints: same,
	}
	if len(same) == 0 {
		p.Endpoints = append(all, "GET /openapi.json", "GET /healthz", "GET /readyz", "GET /metrics")
	}
	p.Write(w)
}
