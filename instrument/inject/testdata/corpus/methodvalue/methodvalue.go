// Package methodvalue registers through method values.
//
//corpus:want GET /a 200: /a
//corpus:want GET /b 200: /b
//corpus:want GET /c 200: /c
package methodvalue

import (
	"net/http"

	"example.com/corpus/reply"
)

func Main(addr string) error {
	mux := http.NewServeMux()
	register, handle := mux.HandleFunc, mux.Handle
	register("/a", reply.OK)
	handle("/b", http.HandlerFunc(reply.OK))
	add(mux.HandleFunc, "/c")
	serve := http.ListenAndServe
	return serve(addr, mux)
}

func add(to func(string, func(http.ResponseWriter, *http.Request)), path string) { to(path, reply.OK) }
