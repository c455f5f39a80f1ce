// Package nested nests muxes, with and without the prefix.
//
//corpus:want GET /v1/a 200: GET /v1/a
//corpus:want GET /v2/a 200: GET /v2/a
//corpus:want GET /v2/none 404: /v2/
//corpus:want GET /deep/er/x 200: /deep/er/x
package nested

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	stripped := http.NewServeMux()
	stripped.HandleFunc("GET /a", reply.OK)
	whole := http.NewServeMux()
	whole.HandleFunc("GET /v2/a", reply.OK)
	deepest, deeper := http.NewServeMux(), http.NewServeMux()
	deepest.HandleFunc("/x", reply.OK)
	deeper.Handle("/er/", http.StripPrefix("/er", deepest))
	mux := http.NewServeMux()
	mux.Handle("/v1/", http.StripPrefix("/v1", stripped))
	mux.Handle("/v2/", whole)
	mux.Handle("/deep/", http.StripPrefix("/deep", deeper))
	return http.ListenAndServe(addr, mux)
}
