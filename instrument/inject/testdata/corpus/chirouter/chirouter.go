// Package chirouter is a router of chi with all its methods.
//
//corpus:want GET /a 200: GET /a
//corpus:want POST /b/1 200: POST /b/{id}
//corpus:want PUT /c 200: PUT /c
//corpus:want GET /d 200: GET /d
//corpus:want GET /none 404: (no route)
//corpus:want GET /healthz 200: -
package chirouter

import (
	"net/http"

	"example.com/corpus/reply"
	"github.com/go-chi/chi/v5"
)

func Main(addr string) error {
	r := chi.NewRouter()
	r.Get("/a", reply.OK)
	r.Post("/b/{id}", reply.OK)
	r.Method("PUT", "/c", http.HandlerFunc(reply.OK))
	r.HandleFunc("/d", reply.OK)
	r.Get("/healthz", reply.OK)
	return http.ListenAndServe(addr, r)
}
