// Package cancelled sees that its client has gone.
//
//corpus:want cancel GET /wait 0: /wait
//corpus:want GET /gone 200: /gone
package cancelled

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	gone := make(chan struct{}, 100)
	http.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	})
	http.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) {
		<-gone
		reply.OK(w, r)
	})
	return http.ListenAndServe(addr, nil)
}
