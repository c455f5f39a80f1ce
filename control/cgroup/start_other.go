//go:build !linux

package cgroup

import (
	"errors"
	"os/exec"
)

// Start returns an error: there are no control groups on this system, so New makes none.
func (g *Group) Start(*exec.Cmd) error { return errors.New("no control groups on this system") }
