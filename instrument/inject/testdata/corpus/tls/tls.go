// Package tls serves TLS from a listener, and HTTP/2 over it.
//
//corpus:want tls GET /a 200: /a
//corpus:want h2 GET /a 200: /a
package tls

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
	cert, key := reply.Certificate()
	return http.ServeTLS(l, mux, cert, key)
}
