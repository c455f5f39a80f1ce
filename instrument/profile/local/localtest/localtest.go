// Package localtest runs the services of tests under pokers. The test binary is the
// poker, so nothing has to be built.
package localtest

import (
	"net"
	"os"
	"testing"

	"github.com/onefold/onefold/instrument/poker/entry"
	"github.com/onefold/onefold/instrument/profile/local"
)

// pokerArgument is the first argument of the test binary when it is a poker.
const pokerArgument = "poker"

// Poker makes this process a poker if it was started as one; else it returns. Each
// TestMain calls it first.
func Poker() {
	if len(os.Args) > 1 && os.Args[1] == pokerArgument {
		os.Exit(entry.Run(os.Args[2:], os.Stdout, os.Stderr, pokerArgument))
	}
}

// Start starts an application under pokers, until the end of the test.
func Start(t testing.TB, config *local.Config) *local.System {
	t.Helper()
	sys, err := local.Start(t.Context(), config, PokerCommand(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(); err != nil {
			t.Error(err)
		}
	})
	return sys
}

// PokerCommand returns the command line of a poker, without its flags.
func PokerCommand(t testing.TB) []string {
	t.Helper()
	return []string{Executable(t), pokerArgument}
}

// Executable returns the test binary, which may be a service, too.
func Executable(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

// Free returns addresses at which nobody listens.
func Free(t testing.TB, n int) []string {
	t.Helper()
	var addresses []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // only when all are found, so that they differ
		addresses = append(addresses, l.Addr().String())
	}
	return addresses
}
