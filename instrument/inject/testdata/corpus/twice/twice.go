// Package twice mounts one mux at two places.
//
//corpus:want GET /a/x 200: /a/x
//corpus:want GET /b/x 200: /b/x
//corpus:want GET /x 200: /x
package twice

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	inner := http.NewServeMux()
	inner.HandleFunc("/x", reply.OK)
	mux := http.NewServeMux()
	mux.Handle("/a/", http.StripPrefix("/a", inner))
	mux.Handle("/b/", http.StripPrefix("/b", inner))
	mux.Handle("/", inner)
	return http.ListenAndServe(addr, mux)
}
