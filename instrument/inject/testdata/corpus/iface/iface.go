// Package iface registers through an interface, which only the server sees.
//
//corpus:want GET /a 200: /a
//corpus:want GET /b 200: /b
package iface

import (
	"net/http"

	"example.com/corpus/reply"
)

type registrar interface {
	HandleFunc(string, func(http.ResponseWriter, *http.Request))
}

func add(r registrar, path string) { r.HandleFunc(path, reply.OK) }

func Main(addr string) error {
	mux := http.NewServeMux()
	add(mux, "/a")
	mux.HandleFunc("/b", reply.OK)
	return http.ListenAndServe(addr, mux)
}
