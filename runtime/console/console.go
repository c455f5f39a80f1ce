// Package console serves the console of an application: one page that shows its
// services and their figures, workflows, dead letters and state, and what
// the page needs beside the administration of workflows:
//
//	GET /_onefold/                              the page
//	GET /_onefold/api/app                       services, methods with examples, fields
//	GET /_onefold/api/state/{service}/{field}   rows of a field: ?key= or ?from=, ?cursor=, ?limit=
//
// Its figures are the differences of the counters at /metrics, and workflows and
// dead letters come from the API for operators, which package invoke documents.
//
// The page has everything in it, loads nothing from elsewhere, and its policy
// forbids that it could.
package console

import (
	"net/http"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
)

// Path is below which everything of the console and the administration is.
const Path = "/_onefold/"

// A Console is the handler of an application's console.
type Console struct {
	app    *runtime.App
	runner *atomic.Runner
	mux    *http.ServeMux
}

// New returns the console of app, whose state runner reads. It hands what is not its
// own to next, the administration. Everything but the page, which is the same for all, is behind guard.
func New(app *runtime.App, runner *atomic.Runner, guard func(http.Handler) http.Handler, next http.Handler) *Console {
	c := &Console{app: app, runner: runner, mux: http.NewServeMux()}
	c.mux.HandleFunc("GET "+Path+"{$}", servePage)
	handle := func(pattern string, h http.Handler) { c.mux.Handle(pattern, guard(h)) }
	handle("GET "+Path+"api/app", describe(app))
	handle("GET "+Path+"api/state/{service}/{field}", http.HandlerFunc(c.serveState))
	handle("/", next)
	return c
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }
