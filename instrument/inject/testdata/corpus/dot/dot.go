// Package dot imports net/http with a dot.
//
//corpus:want GET /a 200: /a
//corpus:want GET /b 200: /b
package dot

import (
	. "net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	HandleFunc("/a", reply.OK)
	Handle("/b", HandlerFunc(reply.OK))
	return ListenAndServe(addr, nil)
}
