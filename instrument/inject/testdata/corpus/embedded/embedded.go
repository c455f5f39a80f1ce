// Package embedded embeds a mux, by pointer and by value.
//
//corpus:want GET /a 200: /a
//corpus:want GET /b/c 200: /b/c
package embedded

import (
	"net/http"

	"example.com/corpus/reply"
)

type pointer struct {
	*http.ServeMux
	name string
}

type value struct{ http.ServeMux }

func Main(addr string) error {
	outer, inner := pointer{http.NewServeMux(), "outer"}, new(value)
	outer.HandleFunc("/a", reply.OK)
	outer.Handle("/b/", inner)
	inner.HandleFunc("/b/c", reply.OK)
	return http.ListenAndServe(addr, outer)
}
