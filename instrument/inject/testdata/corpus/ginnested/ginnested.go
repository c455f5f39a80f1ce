// Package ginnested is an engine of gin behind a server, with a mux in it.
//
//corpus:want GET /std/x 200: GET /std/x
//corpus:want GET /a 200: GET /a
//corpus:want GET /p 500: GET /p
package ginnested

import (
	"io"
	"net/http"

	"example.com/corpus/reply"
	"github.com/gin-gonic/gin"
)

func Main(addr string) error {
	gin.SetMode(gin.ReleaseMode)
	gin.DefaultErrorWriter, gin.DefaultWriter = io.Discard, io.Discard
	r := gin.Default()
	r.GET("/a", gin.WrapF(reply.OK))
	r.GET("/p", func(*gin.Context) { panic("p") })
	mux := http.NewServeMux()
	mux.HandleFunc("/std/x", reply.OK)
	r.Any("/std/*rest", gin.WrapH(mux))
	s := &http.Server{Addr: addr, Handler: r}
	if _, ok := s.Handler.(*gin.Engine); !ok {
		panic("another handler")
	}
	return s.ListenAndServe()
}
