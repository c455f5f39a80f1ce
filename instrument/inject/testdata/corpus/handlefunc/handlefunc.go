// Package handlefunc registers functions with the default mux.
//
//corpus:want GET /a 200: /a
//corpus:want POST /b 200: POST /b
//corpus:want GET /none 404: (no route)
package handlefunc

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	http.HandleFunc("/a", reply.OK)
	http.HandleFunc("POST /b", reply.OK)
	return http.ListenAndServe(addr, nil)
}
