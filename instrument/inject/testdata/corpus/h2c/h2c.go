// Package h2c serves HTTP/2 without TLS, many requests on one connection.
//
//corpus:want h2c GET /a 200: /a
//corpus:want h2c GET /v1/b 200: /v1/b
//corpus:want h2c GET /c/x 200: /c/
package h2c

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	inner := http.NewServeMux()
	inner.HandleFunc("/b", reply.OK)
	mux := http.NewServeMux()
	mux.HandleFunc("/a", reply.OK)
	mux.HandleFunc("/c/", reply.OK)
	mux.Handle("/v1/", http.StripPrefix("/v1", inner))
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return (&http.Server{Addr: addr, Handler: mux, Protocols: &protocols}).ListenAndServe()
}
