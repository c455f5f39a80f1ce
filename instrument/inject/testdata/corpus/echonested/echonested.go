// Package echonested is a server of echo in a mux, with a mux in it.
//
//corpus:want GET /api/std/x 200: GET /api/std/x
//corpus:want GET /api/a 200: GET /api/a
package echonested

import (
	"net/http"

	"example.com/corpus/reply"
	"github.com/labstack/echo/v4"
)

func Main(addr string) error {
	inner := http.NewServeMux()
	inner.HandleFunc("/std/x", reply.OK)
	e := echo.New()
	e.GET("/a", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.Any("/std/*", echo.WrapHandler(inner))
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", e))
	return http.ListenAndServe(addr, mux)
}
