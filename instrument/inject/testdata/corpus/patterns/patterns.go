// Package patterns has patterns with methods, wildcards and hosts.
//
//corpus:want GET /rooms/7 200: GET /rooms/{id}
//corpus:want DELETE /rooms/7 405: (no route)
//corpus:want GET /files/a/b 200: /files/{path...}
//corpus:want GET /exact 200: 2 GET /exact/{$}
//corpus:want GET /exact/ 200: GET /exact/{$}
package patterns

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /rooms/{id}", reply.OK)
	mux.HandleFunc("/files/{path...}", reply.OK)
	mux.Handle("GET /exact/{$}", http.HandlerFunc(reply.OK))
	mux.HandleFunc("example.com/rooms/", reply.OK)
	return http.ListenAndServe(addr, mux)
}
