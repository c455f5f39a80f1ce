// Package slowmux measures routers of gorilla/mux as package slowpoke measures muxes.
package slowmux
