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
)

// hierarchy is where this process is in the machine's groups.
type hierarchy struct {
	v2      bool
	cpu     string // folder of the group, in the hierarchy of the CPU controller
	account string // of CPU accounting; the same for version 2
}

// dirs are the folders, each once.
func (h *hierarchy) dirs() []string { return slices.Compact([]string{h.cpu, h.account}) }

// detect finds the hierarchy of the process whose folder in /proc is proc.
func detect(proc string) (*hierarchy, error) {
	mounts, err := os.ReadFile(filepath.Join(proc, "mountinfo"))
	if err != nil {
		return nil, fmt.Errorf("control groups: %w", err)
	}
	member, err := os.ReadFile(filepath.Join(proc, "cgroup"))
	if err != nil {
		return nil, fmt.Errorf("control groups: %w", err)
	}
	h := &hierarchy{v2: true}
	for line := range strings.Lines(string(mounts)) {
		root, point, kind, options := parseMount(line)
		switch {
		case kind == "cgroup2" && h.cpu == "":
			h.cpu = groupDir(root, point, pathIn(string(member), ""))
			h.account = h.cpu
			if has, _ := os.ReadFile(filepath.Join(h.cpu, "cgroup.controllers")); !slices.Contains(strings.Fields(string(has)), "cpu") {
				h.cpu = ""
			}
		case kind == "cgroup" && slices.Contains(options, "cpu"):
			h.v2, h.cpu = false, groupDir(root, point, pathIn(string(member), "cpu"))
		}
		if kind == "cgroup" && slices.Contains(options, "cpuacct") {
			h.account = groupDir(root, point, pathIn(string(member), "cpuacct"))
		}
	}
	if h.cpu == "" {
		return nil, errors.New("no control group of this process has the cpu controller")
	}
	return h, nil
}

// parseMount takes a line of mountinfo apart: see proc_pid_mountinfo(5).
func parseMount(line string) (root, point, kind string, options []string) {
	before, after, _ := strings.Cut(line, " - ")
	b, a := strings.Fields(before), strings.Fields(after)
	if len(b) < 5 || len(a) < 3 {
		return "", "", "", nil
	}
	return b[3], b[4], a[0], strings.Split(a[2], ",")
}

// pathIn returns the group that a process is in, from the lines of its cgroup
// file: "number:controllers:path". No controllers is version 2.
func pathIn(lines, controller string) string {
	for line := range strings.Lines(lines) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && (parts[1] == controller || controller != "" && slices.Contains(strings.Split(parts[1], ","), controller)) {
			return parts[2]
		}
	}
	return "/"
}

// groupDir returns the folder of a group in a hierarchy whose group root is mounted at point.
func groupDir(root, point, path string) string {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(root, "/"))
	if !ok {
		rest = ""
	}
	return filepath.Join(point, rest)
}

// selfSuffix ends the name of the group that a process moves itself to.
const selfSuffix = "-self"

// delegate makes the cpu controller available below the process's group. In version 2
// a group with controllers for its children has no processes of its own, so this
// process moves down, if it is alone.
func (h *hierarchy) delegate(pid int) error {
	control := filepath.Join(h.cpu, "cgroup.subtree_control")
	if now, err := os.ReadFile(control); err == nil && slices.Contains(strings.Fields(string(now)), "cpu") {
		return nil
	}
	err := write(control, "+cpu")
	if !errors.Is(err, syscall.EBUSY) {
		return err
	}
	members, err := os.ReadFile(filepath.Join(h.cpu, "cgroup.procs"))
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(members)) != strconv.Itoa(pid) {
		return fmt.Errorf("control group %s has other processes too; start this in a scope of its own, as with systemd-run --scope -p Delegate=yes", h.cpu)
	}
	self := filepath.Join(h.cpu, prefix+strconv.Itoa(pid)+selfSuffix)
	if err := os.Mkdir(self, 0o755); err != nil {
		return err
	}
	if err := write(filepath.Join(self, "cgroup.procs"), strconv.Itoa(pid)); err != nil {
		return err
	}
	return write(control, "+cpu")
}

// restore undoes delegate, as far as it goes: the groups are gone anyway.
func (h *hierarchy) restore(pid int) {
	self := filepath.Join(h.cpu, prefix+strconv.Itoa(pid)+selfSuffix)
	if _, err := os.Stat(self); err != nil {
		return
	}
	write(filepath.Join(h.cpu, "cgroup.subtree_control"), "-cpu")
	write(filepath.Join(h.cpu, "cgroup.procs"), strconv.Itoa(pid))
	os.Remove(self)
}
