package poker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/onefold/onefold/instrument/precise"
)

// freezer stops a control group. Unlike a signal to a process group it reaches
// processes that have left the group, and nobody in it can catch or see it.
type freezer struct {
	dir            string // of the service's control group
	file           string // to write
	stop, cont     string // what to write
	state, stopped string // file that says when all are stopped, and what it then holds
}

// Freezer moves a process into a control group of its own and returns a Stopper
// for that. It needs a writable freezer, of either version of control groups.
// Cleanup removes the group when its processes have ended. FreezerAt makes the same
// Stopper from its folder.
func Freezer(pid int) (s Stopper, dir string, cleanup func(), err error) {
	var problems []error
	for _, v := range []func() (freezer, error){version2, version1} {
		f, err := v()
		if err == nil {
			err = f.enter(pid)
		}
		if err == nil {
			return f, f.dir, func() { _ = os.Remove(f.dir) }, nil // a group with processes in it stays
		}
		problems = append(problems, err)
	}
	return nil, "", nil, fmt.Errorf("no freezer: %w", errors.Join(problems...))
}

// FreezerAt returns the Stopper of a control group that Freezer made.
func FreezerAt(dir string) Stopper {
	if _, err := os.Stat(filepath.Join(dir, "freezer.state")); err == nil {
		return frozen1(dir)
	}
	return frozen2(dir)
}

func frozen1(dir string) freezer {
	return freezer{dir: dir, file: "freezer.state", stop: "FROZEN", cont: "THAWED", state: "freezer.state", stopped: "FROZEN"}
}

func frozen2(dir string) freezer {
	return freezer{dir: dir, file: "cgroup.freeze", stop: "1", cont: "0", state: "cgroup.events", stopped: "frozen 1"}
}

func version1() (freezer, error) {
	parent, err := ownGroup("freezer")
	return frozen1(filepath.Join(parent, groupName())), err
}

func version2() (freezer, error) {
	parent, err := ownGroup("")
	return frozen2(filepath.Join(parent, groupName())), err
}

func groupName() string { return "onefold-poker-" + strconv.Itoa(os.Getpid()) }

// enter makes the group and moves the process into it.
func (f freezer) enter(pid int) error {
	if err := os.Mkdir(f.dir, 0o755); err != nil {
		return err
	}
	for _, file := range []string{f.file, f.state} {
		if _, err := os.Stat(filepath.Join(f.dir, file)); err != nil {
			return errors.Join(err, os.Remove(f.dir))
		}
	}
	if err := os.WriteFile(filepath.Join(f.dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		return errors.Join(fmt.Errorf("move the service into %s: %w", f.dir, err), os.Remove(f.dir))
	}
	return nil
}

// Stop returns when all processes are stopped.
func (f freezer) Stop() error {
	if err := f.write(f.stop); err != nil {
		return err
	}
	const patience = int64(50 * time.Millisecond)
	for start := precise.Now(); ; {
		state, err := os.ReadFile(filepath.Join(f.dir, f.state))
		switch {
		case err != nil:
			return errors.Join(err, f.Continue())
		case strings.Contains(string(state), f.stopped):
			return nil
		case precise.Now() > start+patience:
			return errors.Join(fmt.Errorf("%s did not freeze within 50 ms", f.dir), f.Continue())
		}
		precise.SleepUntil(precise.Now() + 10_000)
	}
}

func (f freezer) Continue() error { return f.write(f.cont) }

func (f freezer) String() string { return "freezer " + f.dir }

func (f freezer) write(value string) error {
	return os.WriteFile(filepath.Join(f.dir, f.file), []byte(value), 0)
}

// ownGroup returns the folder of this process's control group: that of version 1
// with a controller, or of version 2 without one.
func ownGroup(controller string) (string, error) { return groupOf("self", controller) }

// groupOf is ownGroup for any process.
func groupOf(pid, controller string) (string, error) {
	mount, err := mountPoint(controller)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && hasController(fields[1], controller) {
			return filepath.Join(mount, fields[2]), nil
		}
	}
	return "", fmt.Errorf("process %s is in no control group of %q", pid, controller)
}

// hasController reports whether a list has a controller; version 2 has an empty list.
func hasController(list, controller string) bool {
	if controller == "" {
		return list == ""
	}
	for c := range strings.SplitSeq(list, ",") {
		if c == controller {
			return true
		}
	}
	return false
}

// mountPoint returns where the control groups of a controller are mounted.
func mountPoint(controller string) (string, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		before, after, ok := strings.Cut(line, " - ")
		fields, super := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(super) < 3 {
			continue
		}
		if controller == "" && super[0] == "cgroup2" || controller != "" && super[0] == "cgroup" && hasController(super[2], controller) {
			return fields[4], nil
		}
	}
	return "", fmt.Errorf("no control groups of %q are mounted", controller)
}
