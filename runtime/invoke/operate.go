package invoke

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/workflow"
)

// operators is the API for those who run the application; the documentation of the
// package says what it answers.
type operators struct {
	h   *Handler
	mux *http.ServeMux
}

// Operators returns the handler of the operators' API, /_onefold/api/…. Whoever gets to it may see
// and change everything: put [Guard] before it.
func (h *Handler) Operators() http.Handler {
	o := &operators{h: h, mux: http.NewServeMux()}
	const root = "/_onefold/api/"
	handle := func(method, path string, fn func(w http.ResponseWriter, r *http.Request) error) {
		o.mux.HandleFunc(method+" "+root+path, func(w http.ResponseWriter, r *http.Request) {
			if err := fn(w, r); err != nil {
				o.fail(w, err)
			}
		})
	}
	handle("GET", "workflows", o.list)
	handle("GET", "workflows/{id}", o.status)
	handle("GET", "workflows/{id}/history", o.history)
	handle("POST", "workflows/{id}/cancel", o.cancel)
	handle("POST", "workflows/{id}/retry", o.retry)
	handle("POST", "workflows/{id}/signals/{name}", o.signal)
	handle("GET", "dead", o.dead)
	o.mux.HandleFunc("/", o.unknown)
	return o
}

// ServeHTTP implements http.Handler.
func (o *operators) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if o.h.opts.Workflows == nil {
		p := Problem{Type: TypeNotFound, Status: http.StatusNotFound, Detail: "this server runs no workflows"}
		p.Write(w)
		return
	}
	o.mux.ServeHTTP(w, r)
}

// unknown answers what no pattern matches.
func (o *operators) unknown(w http.ResponseWriter, r *http.Request) {
	p := Problem{
		Type: TypeNotFound, Status: http.StatusNotFound, Detail: "there is no " + r.Method + " " + r.URL.Path + "; endpoints lists what there is",
		Endpoints: []string{
			"GET /_onefold/api/workflows", "GET /_onefold/api/workflows/{id}", "GET /_onefold/api/workflows/{id}/history",
			"POST /_onefold/api/workflows/{id}/cancel", "POST /_onefold/api/workflows/{id}/retry",
			"POST /_onefold/api/workflows/{id}/signals/{name}", "GET /_onefold/api/dead",
		},
	}
	p.Write(w)
}

// fail replies with what went wrong.
func (o *operators) fail(w http.ResponseWriter, err error) {
	var refused refusal
	if !errors.As(err, &refused) {
		refused.Problem = o.call().failure(err)
	}
	refused.Write(w)
}

// refusal is a problem on its way through functions that return errors.
type refusal struct{ *Problem }

func (r refusal) Error() string { return r.Detail }

// call returns a call for what the API shares with methods.
func (o *operators) call() *call {
	now := time.Now()
	return &call{h: o.h, e: operation, start: now, id: NewID(o.h.now(now))}
}

// operation stands for the method in what a call logs and replies.
var operation = &endpoint{name: "the operators' API"}

// The longest and the usual page.
const (
	maxPage = 1000
	page    = 100
)

// pageOf returns which page the request asks for.
func pageOf(r *http.Request) (cursor string, limit int, err error) {
	limit = page
	if text := r.FormValue("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return "", 0, refusal{malformed("limit is " + strconv.Quote(text) + "; want 1 to " + strconv.Itoa(maxPage))}
		}
	}
	return r.FormValue("cursor"), limit, nil
}

// searchFor is how long a list may look for the first workflow that it is to hold.
const searchFor = 500 * time.Millisecond

func (o *operators) list(w http.ResponseWriter, r *http.Request) error {
	cursor, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	f := workflow.Filter{Method: r.FormValue("method"), Limit: limit, Cursor: cursor}
	if text := r.FormValue("status"); text != "" {
		var ok bool
		if f.Status, ok = workflow.ParseStatus(text); !ok {
			return refusal{malformed("status is " + strconv.Quote(text) + "; want running, suspended, parked, completed, failed or cancelled")}
		}
	}
	list, next, err := o.h.opts.Workflows.List(r.Context(), f)
	for begun := time.Now(); err == nil && len(list) == 0 && next != "" && time.Since(begun) < searchFor; {
		f.Cursor = next
		list, next, err = o.h.opts.Workflows.List(r.Context(), f)
	}
	if err != nil {
		return err
	}
	return reply(w, struct {
		Workflows []workflow.Info `json:"workflows"`
		Next      string          `json:"next,omitempty"`
	}{append([]workflow.Info{}, list...), next})
}

func (o *operators) status(w http.ResponseWriter, r *http.Request) error {
	info, err := o.h.opts.Workflows.Status(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return reply(w, info)
}

func (o *operators) history(w http.ResponseWriter, r *http.Request) error {
	history, err := o.h.opts.Workflows.History(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return reply(w, history)
}

func (o *operators) cancel(w http.ResponseWriter, r *http.Request) error {
	return done(w, o.h.opts.Workflows.Cancel(r.Context(), r.PathValue("id")))
}

func (o *operators) retry(w http.ResponseWriter, r *http.Request) error {
	return done(w, o.h.opts.Workflows.Retry(r.Context(), r.PathValue("id")))
}

func (o *operators) signal(w http.ResponseWriter, r *http.Request) error {
	c := o.call()
	if p := c.readBody(w, r); p != nil {
		return refusal{p}
	}
	req := atomic.Request{ID: c.id, Fresh: true}
	if p := c.identify(r, &req); p != nil {
		return refusal{p}
	}
	return done(w, o.h.opts.Workflows.Signal(r.Context(), req, r.PathValue("id"), r.PathValue("name"), c.body))
}

func (o *operators) dead(w http.ResponseWriter, r *http.Request) error {
	cursor, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	list, next, err := o.h.opts.Workflows.DeadLetters(r.Context(), cursor, limit)
	if err != nil {
		return err
	}
	return reply(w, struct {
		Dead []workflow.DeadLetter `json:"dead"`
		Next string                `json:"next,omitempty"`
	}{append([]workflow.DeadLetter{}, list...), next})
}

// reply sends v as JSON.
func reply(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header()["Content-Type"] = plainJSON
	_, err = w.Write(append(body, '\n'))
	_ = err // the client has gone
	return nil
}

// done replies that something was done, unless err says that it was not.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
