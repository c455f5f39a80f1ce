//go:build ignore

package slowgin

import (
	"github.com/gin-gonic/gin"

	"github.com/onefold/onefold/instrument/slowpoke"
)

// Engine measures all routes of an engine.
func Engine(e *gin.Engine) *gin.Engine {
	e.Use(func(c *gin.Context) {
		f := slowpoke.Begin(c.Request)
		defer f.End()
		f.Route(c.Request.Method, c.FullPath())
		c.Next()
	})
	return e
}

// Skip leaves the requests of a handler out.
func Skip(h gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer slowpoke.SkipRequest(c.Request)()
		h(c)
	}
}
