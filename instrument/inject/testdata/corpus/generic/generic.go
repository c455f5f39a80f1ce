// Package generic registers in generic functions and types.
//
//corpus:want GET /a 200: /a
//corpus:want GET /b 200: /b
package generic

import (
	"net/http"

	"example.com/corpus/reply"
)

type registrar interface {
	HandleFunc(string, func(http.ResponseWriter, *http.Request))
}

type service[M interface{ *http.ServeMux }] struct{ mux M }

func (s service[M]) add(path string) { (*http.ServeMux)(s.mux).HandleFunc(path, reply.OK) }

func add[H http.Handler](mux *http.ServeMux, path string, h H) { mux.Handle(path, h) }

func Main(addr string) error {
	mux := http.NewServeMux()
	add(mux, "/a", http.HandlerFunc(reply.OK))
	service[*http.ServeMux]{mux}.add("/b")
	return http.ListenAndServe(addr, mux)
}
