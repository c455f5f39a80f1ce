//go:build !linux

package stage

import (
	"syscall"
	"time"
)

// attributes puts a process in a group of its own, for signals to all that it starts.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// cpuTime returns 0: only Linux says what a process uses.
func cpuTime(int) (time.Duration, error) { return 0, nil }
