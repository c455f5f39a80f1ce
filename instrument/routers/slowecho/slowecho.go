//go:build ignore

package slowecho

import (
	"github.com/labstack/echo/v4"

	"github.com/onefold/onefold/instrument/slowpoke"
)

// Echo measures all routes of a server.
func Echo(e *echo.Echo) *echo.Echo {
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			f := slowpoke.Begin(c.Request())
			defer f.End()
			f.Route(c.Request().Method, c.Path())
			return next(c)
		}
	})
	return e
}

// Skip leaves the requests of a handler out.
func Skip(h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		defer slowpoke.SkipRequest(c.Request())()
		return h(c)
	}
}
