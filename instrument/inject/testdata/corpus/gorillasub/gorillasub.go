// Package gorillasub nests routers of gorilla/mux.
//
//corpus:want GET /v1/rooms/7 200: GET /v1/rooms/{id}
//corpus:want GET /std/x 200: GET /std/x
package gorillasub

import (
	"net/http"

	"example.com/corpus/reply"
	"github.com/gorilla/mux"
)

func Main(addr string) error {
	r := &mux.Router{}
	r.StrictSlash(true)
	v1 := r.PathPrefix("/v1").Subrouter()
	v1.Use(func(next http.Handler) http.Handler { return next })
	v1.PathPrefix("/rooms").Subrouter().HandleFunc("/{id}", reply.OK)
	m := http.NewServeMux()
	m.HandleFunc("/std/x", reply.OK)
	r.PathPrefix("/std/").Handler(m)
	return http.ListenAndServe(addr, r)
}
