//go:build linux

package cgroup

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGroup starts a process that computes in a group, limits it and reads what it
// used. It needs a machine that lets this process make groups.
func TestGroup(t *testing.T) {
	tree, err := New()
	if err != nil {
		t.Skipf("no control groups here: %v", err)
	}
	defer func() {
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	}()
	g, err := tree.Group("busy")
	if err != nil {
		t.Fatal(err)
	}
	if err := g.SetQuota(0.1); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("sh", "-c", "sleep 0 & while :; do :; done")
	if err := g.Start(cmd); err != nil {
		t.Fatal(err)
	}
	members, err := os.ReadFile(filepath.Join(g.Path(), "cgroup.procs"))
	if err != nil || !strings.Contains(string(members), strconv.Itoa(cmd.Process.Pid)) {
		t.Errorf("the group has processes %q, want %d among them; %v", members, cmd.Process.Pid, err)
	}
	var u Usage
	for range 1000 {
		if u, err = g.Usage(); err != nil || u.Throttled > 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil || u.Throttled < 2 || u.CPU < period/10 || u.Waited == 0 {
		t.Errorf("a process that computes without end under a quota used %+v, %v", u, err)
	}
	if err := g.SetQuota(0); err != nil {
		t.Error(err)
	}
	if err := g.Kill(); err != nil {
		t.Error(err)
	}
	if cmd.Wait() == nil {
		t.Error("the process ended by itself")
	}
	if err := g.Remove(); err != nil {
		t.Error(err)
	}
}

// machine makes a folder that looks like /proc/self and a mounted hierarchy.
func machine(t *testing.T, mountinfo, cgroup string, files map[string]string) (proc, root string) {
	t.Helper()
	root = t.TempDir()
	put := func(name, text string) {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put("proc/mountinfo", strings.ReplaceAll(mountinfo, "ROOT", root))
	put("proc/cgroup", cgroup)
	for name, text := range files {
		put(name, text)
	}
	return filepath.Join(root, "proc"), root
}

func TestDetect(t *testing.T) {
	const (
		v2       = "41 31 0:38 / ROOT/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"
		v1       = "32 31 0:29 / ROOT/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
		inDocker = "32 31 0:29 /docker/x ROOT/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
	)
	for _, tt := range []struct {
		name, mounts, member, controllers string
		want                              *hierarchy
	}{
		{"version 2", v2, "0::/user/a\n", "cpu memory", &hierarchy{v2: true, cpu: "unified/user/a", account: "unified/user/a"}},
		{"version 1", v1, "4:cpu,cpuacct:/b\n", "", &hierarchy{cpu: "cpu/b", account: "cpu/b"}},
		{"both, with the controller in version 1", v1 + v2, "4:cpu,cpuacct:/b\n0::/user/a\n", "memory", &hierarchy{cpu: "cpu/b", account: "cpu/b"}},
		{"container", inDocker, "4:cpu,cpuacct:/docker/x/c\n", "", &hierarchy{cpu: "cpu/c", account: "cpu/c"}},
		{"none", v2, "0::/user/a\n", "memory", nil},
	} {
		proc, root := machine(t, tt.mounts, tt.member, map[string]string{"unified/user/a/cgroup.controllers": tt.controllers})
		got, err := detect(proc)
		if tt.want == nil {
			if err == nil {
				t.Errorf("%s: found %+v", tt.name, got)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got.cpu, _ = filepath.Rel(root, got.cpu)
		got.account, _ = filepath.Rel(root, got.account)
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(hierarchy{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestVersion2 checks what is written to the files of version 2, which this
// machine may not have.
func TestVersion2(t *testing.T) {
	proc, root := machine(t, "41 31 0:38 / ROOT/unified rw - cgroup2 cgroup2 rw\n", "0::/a\n", map[string]string{
		"unified/a/cgroup.controllers":               "cpu",
		"unified/a/cgroup.subtree_control":           "",
		"unified/a/onefold-7/cgroup.subtree_control": "",
		"unified/a/onefold-7/hotel/cpu.max":          "",
		"unified/a/onefold-7/hotel/cpu.stat":         "usage_usec 1500\nnr_periods 4\nnr_throttled 3\nthrottled_usec 20\n",
	})
	h, err := detect(proc)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.delegate(7); err != nil {
		t.Fatal(err)
	}
	g := &Group{hierarchy: h, cpu: filepath.Join(h.cpu, "onefold-7/hotel")}
	for quota, want := range map[float64]string{0.25: "25000 100000", 0: "max 100000", 0.000001: "1000 100000"} {
		if err := g.SetQuota(quota); err != nil {
			t.Fatal(err)
		}
		if got := read(t, root, "unified/a/onefold-7/hotel/cpu.max"); got != want {
			t.Errorf("a quota of %g is %q, want %q", quota, got, want)
		}
	}
	if got := read(t, root, "unified/a/cgroup.subtree_control"); got != "+cpu" {
		t.Errorf("delegated %q", got)
	}
	u, err := g.Usage()
	if want := (Usage{CPU: 1500 * time.Microsecond, Periods: 4, Throttled: 3, Waited: 20 * time.Microsecond}); err != nil || u != want {
		t.Errorf("usage %+v, %v, want %+v", u, err, want)
	}
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
