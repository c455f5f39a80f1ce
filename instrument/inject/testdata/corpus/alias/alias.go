// Package alias imports net/http by another name, and has a slowpoke of its own.
//
//corpus:want GET /a 200: /a
package alias

import (
	h "net/http"

	"example.com/corpus/reply"
)

var slowpoke = h.NewServeMux()

func Main(addr string) error {
	slowpoke.HandleFunc("/a", reply.OK)
	return h.ListenAndServe(addr, slowpoke)
}
