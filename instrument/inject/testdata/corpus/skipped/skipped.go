// Package skipped leaves routes out.
//
//corpus:want GET /a 200: /a
//corpus:want GET /b 200: -
//corpus:want GET /c 200: -
//corpus:want GET /d 200: -
//corpus:want GET /n/x 200: -
package skipped

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/a", reply.OK)
	mux.HandleFunc("/b", reply.OK) //onefold:skip
	//onefold:skip the cron job
	mux.Handle("/c", http.HandlerFunc(reply.OK))
	internal(mux)
	return http.ListenAndServe(addr, mux)
}

// internal is for operators.
//
//onefold:skip
func internal(mux *http.ServeMux) {
	mux.HandleFunc("/d", reply.OK)
	inner := http.NewServeMux()
	inner.HandleFunc("/n/x", reply.OK)
	mux.Handle("/n/", inner)
}
