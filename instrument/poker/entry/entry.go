// Package entry is command poker: it starts the service as its child and is to the
// outside as if it were the service. Signals go on to the child, its exit code is
// poker's, and orphans are reaped, since as process 1 nobody else does it. With a
// control channel it also stops and continues the child for a profiler; see package
// poker. It is a package so that onefold can be the poker of the services that it
// starts.
package entry

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"
)

// The exit codes that are not the child's, as those of env(1).
const (
	exitUsage     = 2
	exitFailure   = 125 // poker itself failed
	exitCannotRun = 126 // the command exists and cannot be run
	exitNotFound  = 127
)

// grace is longer than what a service takes to drain, and shorter than what
// Kubernetes waits before it kills the whole container.
const grace = 25 * time.Second

const help = `Usage: poker [flags] command [arguments]

Runs the command as its child: forwards signals to its process group, reaps
orphans, and exits with its exit code, or with 128 and the number of the signal that
ended it. What the command leaves behind in its process group is killed.

With --control it also obeys a profiler: it stops and continues the command for exact
times, and lets it go on when the profiler or poker itself is gone.

Flags:
%s
Examples:
  poker /app/service
  poker --grace 5s -- /app/service --listen :8080
  poker --control unix:/run/cart.sock --name cart -- /app/cart
`

// Run runs poker with the arguments of its command line and returns its exit code.
// prefix is the arguments after which this executable is a poker, for the watchdog
// process that it starts of itself.
func Run(args []string, stdout, stderr io.Writer, prefix ...string) int {
	flags := pflag.NewFlagSet("poker", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SetInterspersed(false) // flags after the command are the command's
	p := parent{log: stderr, pausing: pausing{prefix: prefix}}
	var w watchdog
	var m measuring
	p.flags(flags)
	w.flags(flags)
	m.flags(flags)
	flags.DurationVar(&p.grace, "grace", grace, "how long the command may go on after SIGTERM, SIGINT or SIGQUIT before it is killed")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprintf(stdout, help, flags.FlagUsages())
		return 0
	case err == nil && w.group != 0:
		if err := w.run(p.max); err != nil {
			fmt.Fprintf(stderr, "poker: watchdog: %v\n", err)
			return exitFailure
		}
		return 0
	case err == nil && m.file != "":
		if err := m.run(stdout); err != nil {
			fmt.Fprintf(stderr, "poker: %v\n", err)
			return exitFailure
		}
		return 0
	case err == nil && flags.NArg() == 0:
		err = errors.New("no command is given")
	case err == nil && p.grace < 0:
		err = errors.New("--grace must not be negative")
	case err == nil:
		err = p.check()
	}
	if err != nil {
		fmt.Fprintf(stderr, "poker: %v\nRun poker --help for usage.\n", err)
		return exitUsage
	}
	return p.run(flags.Args())
}

// hide keeps flags that are for poker's own processes out of the help.
func hide(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := f.MarkHidden(name); err != nil {
			panic(err)
		}
	}
}
