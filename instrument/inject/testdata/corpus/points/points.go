// Package points counts work that is no request.
//
//corpus:want GET /a 200: /a + point:orders
package points

import (
	"net/http"

	"example.com/corpus/reply"
)

//onefold:point orders
func consume() int {
	total := 0
	for i := range 3 {
		total += i
	}
	return total
}

func Main(addr string) error {
	http.HandleFunc("/a", func(w http.ResponseWriter, r *http.Request) {
		consume()
		reply.OK(w, r)
	})
	return http.ListenAndServe(addr, nil)
}
