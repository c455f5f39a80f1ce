// Package chinested nests routers of chi, and a mux in them.
//
//corpus:want GET /v1/rooms/7 200: GET /v1/rooms/{id}
//corpus:want GET /v1/ 200: GET /v1
//corpus:want GET /m/x 200: GET /m/x
//corpus:want GET /mux/y 200: /mux/y
//corpus:want GET /g 200: GET /g
//corpus:want GET /w 200: GET /w
package chinested

import (
	"net/http"

	"example.com/corpus/reply"
	"github.com/go-chi/chi/v5"
)

func Main(addr string) error {
	r := chi.NewRouter()
	r.Route("/v1", func(r chi.Router) {
		r.Get("/", reply.OK)
		r.Route("/rooms", func(r chi.Router) { r.Get("/{id}", reply.OK) })
	})
	r.Group(func(r chi.Router) {
		r.Use(func(next http.Handler) http.Handler { return next })
		r.Get("/g", reply.OK)
	})
	r.With(func(next http.Handler) http.Handler { return next }).Get("/w", reply.OK)
	m := chi.NewMux()
	m.Get("/x", reply.OK)
	r.Mount("/m", m)
	mux := http.NewServeMux()
	mux.HandleFunc("/mux/y", reply.OK)
	r.Mount("/mux", mux)
	return http.ListenAndServe(addr, r)
}
