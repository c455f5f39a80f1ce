// Package table registers from a table of functions.
//
//corpus:want GET /a 200: /a
//corpus:want POST /b 200: POST /b
package table

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	for _, r := range []struct {
		register func(string, func(http.ResponseWriter, *http.Request))
		pattern  string
	}{{http.HandleFunc, "/a"}, {http.DefaultServeMux.HandleFunc, "POST /b"}} {
		r.register(r.pattern, reply.OK)
	}
	return http.ListenAndServe(addr, nil)
}
