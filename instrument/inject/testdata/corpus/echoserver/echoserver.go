// Package echoserver is a server of echo.
//
//corpus:want GET /a 200: GET /a
//corpus:want POST /rooms/7 200: POST /rooms/:id
//corpus:want GET /v1/x 200: GET /v1/x
//corpus:want GET /none 404: (no route)
//corpus:want GET /s 200: -
package echoserver

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

func Main(addr string) error {
	ok := func(c echo.Context) error { return c.String(http.StatusOK, "ok") }
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/a", ok)
	e.POST("/rooms/:id", ok)
	e.GET("/s", ok) //onefold:skip
	e.Group("/v1", func(next echo.HandlerFunc) echo.HandlerFunc { return next }).GET("/x", ok)
	return e.Start(addr)
}
