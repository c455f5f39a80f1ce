// Package connect has handlers as Connect generates them.
//
//corpus:want POST /acme.v1.Ping/Say 200: /acme.v1.Ping/Say
//corpus:want POST /acme.v1.Ping/None 404: /acme.v1.Ping/None
//corpus:want POST /acme.v1.Pong/Say 200: /acme.v1.Pong/Say
package connect

import (
	"net/http"

	"example.com/corpus/reply"
)

func NewPingHandler() (string, http.Handler) {
	return "/acme.v1.Ping/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/acme.v1.Ping/Say" {
			http.NotFound(w, r)
			return
		}
		reply.OK(w, r)
	})
}

func NewPongHandler(opts ...string) (string, http.Handler) {
	return "/acme.v1.Pong/", http.HandlerFunc(reply.OK)
}

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.Handle(NewPingHandler())
	path, handler := NewPongHandler("option")
	mux.Handle(path, handler)
	return http.ListenAndServe(addr, mux)
}
