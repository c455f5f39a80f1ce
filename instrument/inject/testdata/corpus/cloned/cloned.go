// Package cloned has middleware that clones the request.
//
//corpus:want GET /a 200: /a
package cloned

import (
	"net/http"

	"example.com/corpus/reply"
)

func cloned(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.Clone(r.Context()))
	})
}

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.Handle("/a", cloned(http.HandlerFunc(reply.OK)))
	return http.ListenAndServe(addr, cloned(mux))
}
