// Package excluded is watched by health checks, metrics and profiles.
//
//corpus:want GET /healthz 200: -
//corpus:want GET /metrics 200: -
//corpus:want GET /debug/pprof/cmdline 200: -
//corpus:want GET /debug/vars 200: -
//corpus:want GET /a 200: /a
package excluded

import (
	_ "expvar"
	"net/http"
	_ "net/http/pprof"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	http.HandleFunc("/healthz", reply.OK)
	http.HandleFunc("GET /metrics", reply.OK)
	http.HandleFunc("/a", reply.OK)
	return http.ListenAndServe(addr, nil)
}
