// Package results passes the results of one call on.
//
//corpus:want GET /a 200: /a
package results

import (
	"net/http"

	"example.com/corpus/reply"
)

func route() (string, http.Handler) { return "/a", http.HandlerFunc(reply.OK) }

func where(addr string) (string, http.Handler) { return addr, http.DefaultServeMux }

func Main(addr string) error {
	http.Handle(route())
	return http.ListenAndServe(where(addr))
}
