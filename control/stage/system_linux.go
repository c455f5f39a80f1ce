package stage

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// attributes puts a process in a group of its own, for signals to all that it
// starts, and has the kernel kill it when this process dies.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// ticks is how many units of CPU time in /proc make a second: USER_HZ, 100 on
// every architecture that Go has.
const ticks = 100

// cpuTime returns the CPU time that a process has used; see proc_pid_stat(5).
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name before may hold anything else
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("malformed /proc/pid/stat")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err1, err2)
}
