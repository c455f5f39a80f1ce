// Package evaluated evaluates the pattern once, and in order.
//
//corpus:want GET /1 200: /1
package evaluated

import (
	"fmt"
	"net/http"

	"example.com/corpus/reply"
)

var calls int

func next() string { calls++; return fmt.Sprintf("/%d", calls) }

func handler() http.HandlerFunc {
	if calls != 1 {
		panic("evaluated in another order")
	}
	return reply.OK
}

func Main(addr string) error {
	http.Handle(next(), handler())
	return http.ListenAndServe(addr, nil)
}
