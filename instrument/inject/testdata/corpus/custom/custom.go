// Package custom has a handler that routes by itself.
//
//corpus:want GET /a 200: (no route)
//corpus:want GET /b 404: (no route)
//corpus:want GET /healthz 200: -
package custom

import (
	"net/http"

	"example.com/corpus/reply"
)

type app struct{}

func (app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/a", "/healthz":
		reply.OK(w, r)
	default:
		http.NotFound(w, r)
	}
}

func Main(addr string) error { return http.ListenAndServe(addr, app{}) }
