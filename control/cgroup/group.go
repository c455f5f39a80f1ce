package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Group is one control group.
type Group struct {
	*hierarchy
	cpu, account string // folders
}

func (g *Group) dirs() []string { return slices.Compact([]string{g.cpu, g.account}) }

// Path returns the group's folder in the hierarchy of the CPU controller.
func (g *Group) Path() string { return g.cpu }

// SetQuota limits the group to that many CPUs' time; 0 is no limit. The kernel
// takes no less than a hundredth of a CPU.
func (g *Group) SetQuota(cpus float64) error {
	if cpus < 0 {
		return fmt.Errorf("a quota of %g CPUs; want 0 for none, or more", cpus)
	}
	quota := max(int64(cpus*float64(period.Microseconds())), 1000)
	if g.v2 {
		text := strconv.FormatInt(quota, 10)
		if cpus == 0 {
			text = "max"
		}
		return write(filepath.Join(g.cpu, "cpu.max"), fmt.Sprintf("%s %d", text, period.Microseconds()))
	}
	if cpus == 0 {
		quota = -1
	}
	return errors.Join(
		write(filepath.Join(g.cpu, "cpu.cfs_period_us"), strconv.FormatInt(period.Microseconds(), 10)),
		write(filepath.Join(g.cpu, "cpu.cfs_quota_us"), strconv.FormatInt(quota, 10)),
	)
}

// Usage is what a group's processes have used, the dead ones included.
type Usage struct {
	CPU       time.Duration // time on a CPU
	Periods   uint64        // in which the group wanted CPU, of those with a quota
	Throttled uint64        // of them, in which the quota was used up
	Waited    time.Duration // time that the group was held up for that, over all CPUs
}

// Usage returns what has been used so far.
func (g *Group) Usage() (Usage, error) {
	text, err := os.ReadFile(filepath.Join(g.cpu, "cpu.stat"))
	if err != nil {
		return Usage{}, err
	}
	var u Usage
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.ParseUint(value, 10, 64)
		switch name {
		case "nr_periods":
			u.Periods = n
		case "nr_throttled":
			u.Throttled = n
		case "throttled_time": // version 1
			u.Waited = time.Duration(n)
		case "throttled_usec":
			u.Waited = time.Duration(n) * time.Microsecond
		case "usage_usec":
			u.CPU = time.Duration(n) * time.Microsecond
		}
	}
	if g.v2 {
		return u, nil
	}
	text, err = os.ReadFile(filepath.Join(g.account, "cpuacct.usage"))
	if err != nil {
		return Usage{}, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	u.CPU = time.Duration(n)
	return u, err
}

// Kill ends everything in the group at once. What has died takes a moment to go.
func (g *Group) Kill() error {
	text, err := os.ReadFile(filepath.Join(g.cpu, "cgroup.procs"))
	if err != nil {
		return err
	}
	for field := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return nil
}

// Remove removes the group after its processes have ended; it waits a little for
// the kernel to forget them.
func (g *Group) Remove() error {
	var err error
	for range 100 {
		err = nil
		for _, dir := range g.dirs() {
			if rm := os.Remove(dir); rm != nil && !os.IsNotExist(rm) {
				err = rm
			}
		}
		if err == nil || !errors.Is(err, syscall.EBUSY) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return err
}
