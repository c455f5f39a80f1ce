// Package gorilla is a router of gorilla/mux.
//
//corpus:want GET /a 200: GET /a
//corpus:want POST /rooms/7 200: POST /rooms/{id:[0-9]+}
//corpus:want GET /h 200: GET /h
//corpus:want GET /f 200: GET /f
//corpus:want GET /none 404: (no route)
//corpus:want GET /s 200: -
package gorilla

import (
	"net/http"

	"example.com/corpus/reply"
	"github.com/gorilla/mux"
)

func Main(addr string) error {
	r := mux.NewRouter()
	r.HandleFunc("/a", reply.OK).Methods("GET")
	r.Handle("/rooms/{id:[0-9]+}", http.HandlerFunc(reply.OK)).Methods("POST")
	r.Path("/h").Handler(http.HandlerFunc(reply.OK))
	r.Methods("GET").Path("/f").HandlerFunc(reply.OK)
	r.HandleFunc("/s", reply.OK) //onefold:skip
	return http.ListenAndServe(addr, r)
}
