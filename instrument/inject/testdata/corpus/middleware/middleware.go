// Package middleware wraps handlers in middleware that replaces writer and request.
//
//corpus:want GET /a 200: /a
//corpus:want GET /b 403: (no route)
package middleware

import (
	"context"
	"net/http"

	"example.com/corpus/reply"
)

type key struct{}

type writer struct{ http.ResponseWriter }

func (w writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/b" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		next.ServeHTTP(writer{w}, r.WithContext(context.WithValue(r.Context(), key{}, 1)))
	})
}

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.Handle("/a", middleware(http.HandlerFunc(reply.OK)))
	mux.HandleFunc("/b", reply.OK)
	return http.ListenAndServe(addr, middleware(middleware(mux)))
}
