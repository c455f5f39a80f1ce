// Package ginengine is an engine of gin.
//
//corpus:want GET /a 200: GET /a
//corpus:want POST /rooms/7 200: POST /rooms/:id
//corpus:want GET /v1/x 200: GET /v1/x
//corpus:want GET /none 404: (no route)
//corpus:want PUT /any 200: PUT /any
//corpus:want GET /s 200: -
package ginengine

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

func Main(addr string) error {
	gin.SetMode(gin.ReleaseMode)
	ok := func(c *gin.Context) { c.String(http.StatusOK, "ok") }
	r := gin.New()
	r.GET("/a", ok)
	r.POST("/rooms/:id", ok)
	r.Any("/any", ok)
	r.GET("/s", ok) //onefold:skip
	v1 := r.Group("/v1")
	v1.Use(func(c *gin.Context) { c.Next() })
	v1.GET("/x", ok)
	return r.Run(addr)
}
