package cgroup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Start starts cmd in the group. In version 1 the calling thread moves to the
// group and back, so the caller's goroutine must be locked to it.
func (g *Group) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	if g.v2 {
		dir, err := os.Open(g.cpu)
		if err != nil {
			return err
		}
		defer dir.Close()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
		return cmd.Start()
	}
	if err := enter(g.dirs()); err != nil {
		return fmt.Errorf("enter the control group: %w", err)
	}
	err := cmd.Start()
	if back := enter(g.hierarchy.dirs()); err == nil && back != nil {
		cmd.Process.Kill()
		err = fmt.Errorf("leave the control group: %w", back)
	}
	return err
}

// enter moves the calling thread to version 1 groups.
func enter(dirs []string) error {
	for _, dir := range dirs {
		if err := write(filepath.Join(dir, "tasks"), "0"); err != nil {
			return err
		}
	}
	return nil
}
