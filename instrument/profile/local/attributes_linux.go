package local

import "syscall"

// attributes give a process a group of its own, so that an interrupt at the terminal
// is first of all ours, and an end with us even if we are killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
