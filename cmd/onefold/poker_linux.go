package main

import (
	"io"

	"github.com/onefold/onefold/instrument/poker/entry"
)

// asPoker runs onefold as a poker.
func asPoker(args []string, stdout, stderr io.Writer) int {
	return entry.Run(args, stdout, stderr, pokerArgument)
}
