// Package timeout has time limits and body limits around handlers.
//
//corpus:want GET /a 200: /a
//corpus:want GET /b 200: /b
//corpus:want GET /c;d 200: /
package timeout

import (
	"net/http"
	"time"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.Handle("/a", http.TimeoutHandler(http.HandlerFunc(reply.OK), time.Minute, "late"))
	mux.Handle("/b", http.MaxBytesHandler(http.HandlerFunc(reply.OK), 10))
	mux.HandleFunc("/", reply.OK)
	return http.ListenAndServe(addr, http.AllowQuerySemicolons(http.TimeoutHandler(mux, time.Minute, "late")))
}
