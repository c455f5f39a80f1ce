package poker

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// quotaOf reads the tightest quota of a process's control groups, its own and all
// above.
func quotaOf(pid int) Quota {
	q := Quota{}
	var set unix.CPUSet
	if unix.SchedGetaffinity(pid, &set) == nil {
		q.Affinity = set.Count()
	}
	for _, controller := range []string{"cpu", ""} {
		root, err := mountPoint(controller)
		if err != nil {
			continue
		}
		dir, err := groupOf(strconv.Itoa(pid), controller)
		if err != nil {
			continue
		}
		for ; strings.HasPrefix(dir, root); dir = filepath.Dir(dir) {
			q.tighten(dir)
		}
	}
	return q
}

// tighten takes the quota of one group if it is the smallest so far.
func (q *Quota) tighten(dir string) {
	quota, period := readQuota(dir)
	if quota <= 0 || period <= 0 {
		return
	}
	if cores := quota / period; q.Cores == 0 || cores < q.Cores {
		q.Cores, q.Period = cores, int64(period*1000)
		q.Throttled = int64(keyed(filepath.Join(dir, "cpu.stat"), "nr_throttled"))
	}
}

// readQuota returns a group's quota and period in microseconds, in either version.
func readQuota(dir string) (quota, period float64) {
	if fields := strings.Fields(read(filepath.Join(dir, "cpu.max"))); len(fields) == 2 {
		quota, _ = strconv.ParseFloat(fields[0], 64) // "max" is none
		period, _ = strconv.ParseFloat(fields[1], 64)
		return quota, period
	}
	quota, _ = strconv.ParseFloat(strings.TrimSpace(read(filepath.Join(dir, "cpu.cfs_quota_us"))), 64)
	period, _ = strconv.ParseFloat(strings.TrimSpace(read(filepath.Join(dir, "cpu.cfs_period_us"))), 64)
	return quota, period
}

func read(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(data)
}

// NetworkSent returns the bytes that the network namespace of a process has sent to
// elsewhere: on a machine of one service, or in a pod, what the service has sent. What stays on
// the machine is not looked at, as it is of all services together.
func NetworkSent(pid int) int64 { return sentBytes(read(fmt.Sprintf("/proc/%d/net/dev", pid))) }

// sentBytes reads the form of /proc/net/dev: two lines of titles, then an interface each.
func sentBytes(table string) int64 {
	const sent = 8 // behind the figures of what was received
	sum := int64(0)
	for line := range strings.Lines(table) {
		name, figures, ok := strings.Cut(line, ":")
		if fields := strings.Fields(figures); ok && strings.TrimSpace(name) != "lo" && len(fields) > sent {
			n, _ := strconv.ParseInt(fields[sent], 10, 64) // the kernel writes numbers
			sum += n
		}
	}
	return sum
}

// keyed reads a number from a file of keys and values.
func keyed(name, key string) float64 {
	for line := range strings.Lines(read(name)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == key {
			v, _ := strconv.ParseFloat(fields[1], 64)
			return v
		}
	}
	return 0
}

// members returns the processes of a group.
func members(group int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return []int{group}
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && groupID(pid) == group {
			pids = append(pids, pid)
		}
	}
	return pids
}

// processorTime returns the nanoseconds that processes have used. It is read from the
// kernel's clock of each process, since the ticks of /proc are too coarse for windows
// of seconds.
func processorTime(pids []int) int64 {
	total := int64(0)
	for _, pid := range pids {
		if ns, err := processClock(pid); err == nil { // else it has just ended
			total += ns
		}
	}
	return total
}

// groupID returns the process group of a process, 0 for one that has ended.
func groupID(pid int) int {
	pgid, err := unix.Getpgid(pid)
	if err != nil {
		return 0
	}
	return pgid
}

// processClock reads the processor time of a process; see clock_getcpuclockid(3).
func processClock(pid int) (int64, error) {
	const sched = 2
	var ts unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|sched), &ts)
	return ts.Nano(), err
}
