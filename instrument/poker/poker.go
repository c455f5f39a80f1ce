// Package poker stops and continues a service for exact times, on the orders of a
// coordinator, and reads the service's counters: the half of causal profiling that
// lives beside the service, not in it, since a stopped process can coordinate
// nothing. Command poker runs it.
//
// What protects the service: it is continued when the coordinator's connection
// ends, when a pause exceeds its limit, and, by a watchdog process, when the poker
// dies.
package poker

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Stopper stops and continues a group of processes.
type Stopper interface {
	Stop() error
	Continue() error
	// String says how, for people.
	String() string
}

// MaxPause is the default limit of a pause. Who watches the service must not take it for
// one that hangs: gateways and peers of onefold's own give up after two seconds.
const MaxPause = time.Second

// signals stops a process group with SIGSTOP.
type signals struct{ group int }

// Signals returns a Stopper that sends SIGSTOP and SIGCONT to a process group. It
// refuses groups that a poker must never signal: all processes, init's, its own.
func Signals(group int) (Stopper, error) {
	switch {
	case group <= 1:
		return nil, fmt.Errorf("process group %d: stopping it would stop more than a service", group)
	case group == unix.Getpgrp():
		return nil, errors.New("the service is in the poker's own process group")
	}
	return signals{group}, nil
}

func (s signals) Stop() error     { return unix.Kill(-s.group, unix.SIGSTOP) }
func (s signals) Continue() error { return unix.Kill(-s.group, unix.SIGCONT) }
func (s signals) String() string  { return "SIGSTOP" }
