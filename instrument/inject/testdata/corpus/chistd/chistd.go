// Package chistd mounts a router of chi in a mux, and leaves one of its routes out.
//
//corpus:want GET /api/a 200: GET /api/a
//corpus:want GET /api/b 200: -
package chistd

import (
	"net/http"

	"example.com/corpus/reply"
	"github.com/go-chi/chi/v5"
)

func Main(addr string) error {
	r := chi.NewRouter()
	r.Get("/a", reply.OK)
	r.Get("/b", reply.OK) //onefold:skip
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", r))
	return http.ListenAndServe(addr, mux)
}
