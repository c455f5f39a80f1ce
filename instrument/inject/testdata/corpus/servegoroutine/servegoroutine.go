// Package servegoroutine serves in goroutines and defers.
//
//corpus:want GET /a 200: /a
package servegoroutine

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	failed := make(chan error)
	http.HandleFunc("/a", reply.OK)
	go func() {
		defer close(failed)
		defer http.ListenAndServe(addr, nil)
	}()
	go http.ListenAndServe("256.0.0.1:0", nil)
	return <-failed
}
