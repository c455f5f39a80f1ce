// Package listentls serves TLS at an address.
//
//corpus:want tls GET /a 200: /a
package listentls

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	http.HandleFunc("/a", reply.OK)
	cert, key := reply.Certificate()
	return http.ListenAndServeTLS(addr, cert, key, nil)
}
