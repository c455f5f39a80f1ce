// Package grpchttp serves gRPC and HTTP at one address, by an HTTP server.
//
//corpus:want grpc GET / 0: 2 /corpus.Echo/Unary + /corpus.Echo/Stream + 3 edge
//corpus:want GET /a 200: /a
package grpchttp

import (
	"net/http"
	"strings"

	"example.com/corpus/echo"
	"example.com/corpus/reply"
	"google.golang.org/grpc"
)

func Main(addr string) error {
	g := grpc.NewServer()
	g.RegisterService(&echo.Service, echo.Server{})
	mux := http.NewServeMux()
	mux.HandleFunc("/a", reply.OK)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP1(true)
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			g.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	return (&http.Server{Addr: addr, Handler: both, Protocols: &protocols}).ListenAndServe()
}
