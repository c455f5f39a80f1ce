// Package serverliteral gives a server its handler in a literal.
//
//corpus:want GET /a 200: /a
package serverliteral

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/a", reply.OK)
	s := &http.Server{
		Addr:    addr,
		Handler: mux, // the handler
	}
	return s.ListenAndServe()
}
