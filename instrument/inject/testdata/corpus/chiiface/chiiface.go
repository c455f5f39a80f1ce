// Package chiiface registers with chi through an interface of its own, and walks the routes.
//
//corpus:want GET /a 200: GET /a
package chiiface

import (
	"fmt"
	"net/http"

	"example.com/corpus/reply"
	"github.com/go-chi/chi/v5"
)

type getter interface {
	Get(string, http.HandlerFunc)
}

type app struct{ chi.Router }

func Main(addr string) error {
	a := app{chi.NewRouter()}
	var g getter = a
	g.Get("/a", reply.OK)
	return chiServe(addr, a)
}

func chiServe(addr string, r chi.Router) error {
	routes := 0
	chi.Walk(r, func(string, string, http.Handler, ...func(http.Handler) http.Handler) error { routes++; return nil })
	if routes != 1 {
		return fmt.Errorf("%d routes", routes)
	}
	return (&http.Server{Addr: addr, Handler: r}).ListenAndServe()
}
