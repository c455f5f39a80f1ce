// Package panics recovers from panics outside and inside.
//
//corpus:want GET /a 500: /a
//corpus:want GET /b broken: /b
package panics

import (
	"net/http"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/a", func(http.ResponseWriter, *http.Request) { panic("a") })
	mux.HandleFunc("/b", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	return http.ListenAndServe(addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch err := recover(); err {
			case nil:
			case http.ErrAbortHandler:
				panic(err)
			default:
				http.Error(w, "panic", http.StatusInternalServerError)
			}
		}()
		mux.ServeHTTP(w, r)
	}))
}
