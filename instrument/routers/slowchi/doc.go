// Package slowchi measures routers of chi as package slowpoke measures muxes.
package slowchi
