//go:build ignore

package slowmux

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/onefold/onefold/instrument/slowpoke"
)

// Router measures all routes of a router and of its subrouters.
func Router(r *mux.Router) *mux.Router {
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f := slowpoke.Begin(r)
			defer f.End()
			if route := mux.CurrentRoute(r); route != nil {
				path, _ := route.GetPathTemplate() // a route may have none
				f.Route(r.Method, path)
			}
			next.ServeHTTP(w, r)
		})
	})
	return r
}
