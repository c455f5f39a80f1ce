// Package slowgin measures engines of gin as package slowpoke measures muxes.
package slowgin
