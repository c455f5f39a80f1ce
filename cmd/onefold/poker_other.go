//go:build !linux

package main

import (
	"fmt"
	"io"
)

// asPoker says that there are no pokers on this system.
func asPoker(_ []string, _, stderr io.Writer) int {
	fmt.Fprintln(stderr, "onefold: a poker needs Linux")
	return exitFailure
}
