// Package serve serves a listener.
//
//corpus:want GET /a 200: /a
package serve

import (
	"net"
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/a", reply.OK)
	return http.Serve(l, mux)
}
