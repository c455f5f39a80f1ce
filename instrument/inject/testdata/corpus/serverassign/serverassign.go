// Package serverassign gives a server its handler later.
//
//corpus:want GET /a 200: /a
//corpus:want GET /x 404: (no route)
package serverassign

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	var s http.Server
	s.Addr = addr
	mux := http.NewServeMux()
	s.Handler = mux
	mux.HandleFunc("/a", reply.OK)
	return s.ListenAndServe()
}
