// Package serverwrapped wraps the handler that a server has.
//
//corpus:want GET /a 200: /a
package serverwrapped

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/a", reply.OK)
	s := http.Server{Addr: addr, Handler: mux}
	s.Handler = logged(s.Handler)
	return s.ListenAndServe()
}

func logged(h http.Handler) http.Handler {
	if _, ok := h.(*http.ServeMux); !ok {
		panic("not the mux that the server was given")
	}
	return http.HandlerFunc(h.ServeHTTP)
}
