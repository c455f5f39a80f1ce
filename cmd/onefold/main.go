// Command onefold compiles plain Go service specs into exactly-once services and
// runs them. Run it without arguments for its commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // findings, or a failure
	exitUsage   = 2
)

// pokerArgument as the first argument makes onefold the poker of a service that it
// has started.
const pokerArgument = "poker"

// errFindings ends a command whose findings have been printed.
var errFindings = errors.New("findings")

// usageError is wrong usage of the command line.
type usageError struct{ error }

// statusError ends onefold with the exit code of a program that it ran.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run is main with everything it touches as a parameter; it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if isVetTool(args) {
		return vetTool(args, stdout, stderr)
	}
	if len(args) > 0 && args[0] == pokerArgument {
		return asPoker(args[1:], stdout, stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot(stdin, stdout, stderr)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	var status statusError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFailure
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command"):
		fmt.Fprintf(stderr, "onefold: %v\nRun '%s --help' for usage.\n", err, cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(stderr, "onefold: %v\n", err)
	return exitFailure
}
