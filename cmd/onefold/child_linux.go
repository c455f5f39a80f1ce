package main

import "syscall"

// childAttributes puts a server into a process group of its own, so that it gets signals from
// us only, once each, and has it stop when we are killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
