//go:build !linux

package main

import "syscall"

// childAttributes puts a server into a process group of its own, so that it gets signals from
// us only, once each. Only Linux can have it stop when we are killed.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
