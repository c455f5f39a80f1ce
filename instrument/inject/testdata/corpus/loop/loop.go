// Package loop registers closures in a loop.
//
//corpus:want GET /0 200: /0
//corpus:want GET /1 200: /1
//corpus:want GET /2 200: /2
package loop

import (
	"fmt"
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	for i := range 3 {
		path := fmt.Sprintf("/%d", i)
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				panic("another closure")
			}
			reply.OK(w, r)
		})
	}
	return http.ListenAndServe(addr, mux)
}
