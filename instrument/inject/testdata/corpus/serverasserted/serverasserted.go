// Package serverasserted looks at the type of a server's handler.
//
//corpus:want GET /a 200: /a
package serverasserted

import (
	"net/http"

	"example.com/corpus/reply"
)

type app struct{ *http.ServeMux }

func Main(addr string) error {
	s := &http.Server{Addr: addr, Handler: app{http.NewServeMux()}}
	s.Handler.(app).HandleFunc("/a", reply.OK)
	switch h := s.Handler.(type) {
	case app:
		if h != s.Handler {
			panic("another handler")
		}
	default:
		panic("another type")
	}
	return s.ListenAndServe()
}
