// Package inprocess asks its own mux from a handler: that is a request of its own.
//
//corpus:want GET /a 200: /a + /b
package inprocess

import (
	"net/http"
	"net/http/httptest"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/a", func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/b", nil))
		reply.OK(w, r)
	})
	mux.HandleFunc("/b", reply.OK)
	return http.ListenAndServe(addr, mux)
}
