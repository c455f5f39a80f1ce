// Package handle registers handlers with the default mux, which the server names.
//
//corpus:want GET /a 200: /a
//corpus:want GET /dir/x 200: /dir/
package handle

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	http.Handle("/a", http.HandlerFunc(reply.OK))
	http.Handle("/dir/", http.HandlerFunc(reply.OK))
	return http.ListenAndServe(addr, http.DefaultServeMux)
}
