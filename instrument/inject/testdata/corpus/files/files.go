// Package files serves files, and redirects.
//
//corpus:want GET /files/go.mod 404: /files/
//corpus:want GET /old 200: /old + /new
//corpus:want GET /dir 200: 2 /dir/
package files

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	mux.Handle("/files/", http.StripPrefix("/files", http.FileServer(http.Dir("/nowhere"))))
	mux.Handle("/old", http.RedirectHandler("/new", http.StatusFound))
	mux.HandleFunc("/new", reply.OK)
	mux.HandleFunc("/dir/", reply.OK)
	return http.ListenAndServe(addr, mux)
}
