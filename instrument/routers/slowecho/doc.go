// Package slowecho measures servers of echo as package slowpoke measures muxes.
package slowecho
