//go:build ignore

package slowchi

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/onefold/onefold/instrument/slowpoke"
)

// Router measures all routes of a router. chi knows the route when the handler has
// run; routers that are mounted in one another share what they know.
func Router(r *chi.Mux) *chi.Mux {
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f := slowpoke.Begin(r)
			defer f.End()
			defer count(f, r)
			next.ServeHTTP(w, r)
		})
	})
	return r
}

func count(f slowpoke.Flight, r *http.Request) {
	if c := chi.RouteContext(r.Context()); c != nil && len(c.RoutePatterns) > 0 {
		f.Route(r.Method, c.RoutePatterns...)
	}
}
