package poker

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onefold/onefold/instrument/precise"
	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// The test binary is a watchdog when it is told so.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "watchdog" {
		group, _ := strconv.Atoi(os.Args[2])
		s, err := Signals(group)
		if err != nil {
			panic(err)
		}
		Watch(os.Stdin, s, 200*time.Millisecond)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// sleeper starts a process in a group of its own.
func sleeper(t *testing.T, command ...string) int {
	t.Helper()
	if len(command) == 0 {
		command = []string{"sleep", "1000"}
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// stopped reports whether a process is stopped by a signal.
func stopped(pid int) bool {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := bytes.Cut(data, []byte(") "))
	return err == nil && len(after) > 0 && after[0] == 'T'
}

// eventually waits for something to become true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func newPage(t *testing.T) (*page.Page, *os.File, string) {
	t.Helper()
	dir := t.TempDir()
	p, notify, err := page.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { notify.Close() })
	return p, notify, dir
}

// fakeGroup counts what is done to it; it stands for a group where only times matter.
type fakeGroup struct{ stops, continues int }

func (f *fakeGroup) Stop() error     { f.stops++; return nil }
func (f *fakeGroup) Continue() error { f.continues++; return nil }
func (f *fakeGroup) String() string  { return "fake" }

// TestGuard: groups that a poker must never signal are refused.
func TestGuard(t *testing.T) {
	for _, group := range []int{-5, 0, 1, unix.Getpgrp()} {
		if s, err := Signals(group); err == nil {
			t.Errorf("Signals(%d) = %v", group, s)
		}
	}
}

// TestSum: single pauses end late, by as much as the machine is busy; their sum
// does not grow with them, since each makes up for the last.
func TestSum(t *testing.T) {
	p, _, _ := newPage(t)
	group := &fakeGroup{}
	pauser := NewPauser(group, p, MaxPause, nil, nil)
	const n, each = 50, 2 * time.Millisecond
	intervals := make(chan Interval, n)
	for i := range n {
		pauser.Pause(uint64(i+1), each, func(in Interval, err error) {
			if err != nil {
				t.Error(err)
			}
			intervals <- in
		})
	}
	sum, last := int64(0), int64(0)
	for range n {
		in := <-intervals
		sum += in.Continue - in.Stop
		last = max(last, in.Continue-in.Stop)
	}
	pauser.Close()
	if sum < n*int64(each) || sum > n*int64(each)+last {
		t.Errorf("paused %v in all, want %v and at most the longest pause, %v, more", time.Duration(sum), n*each, time.Duration(last))
	}
	if p.Paused() != sum || group.stops != n || group.continues != n {
		t.Errorf("the clock stood still for %d of %d ns, %d stops, %d continues", p.Paused(), sum, group.stops, group.continues)
	}
}

// TestSent: what is sent in a pause, and since the last one, is told apart.
func TestSent(t *testing.T) {
	p, _, _ := newPage(t)
	totals := []int64{100, 110, 500, 560} // at the begin and the end of two pauses
	pauser := NewPauser(&fakeGroup{}, p, MaxPause, nil, func() int64 {
		next := totals[0]
		totals = totals[1:]
		return next
	})
	defer pauser.Close()
	intervals := make(chan Interval)
	for i, want := range []Interval{{Sent: 10}, {}, {Sent: 60, GapSent: 390}} {
		d := 50 * time.Millisecond // longer than what one before it was too long
		if i == 1 {
			d = 0 // too short to look
		}
		pauser.Pause(uint64(i+1), d, func(in Interval, err error) {
			if err != nil {
				t.Error(err)
			}
			intervals <- in
		})
		in := <-intervals
		if in.Sent != want.Sent || in.GapSent != want.GapSent || (in.Gap > 0) != (want.GapSent > 0) {
			t.Errorf("pause %d: sent %d, %d in the %d ns before; want %d and %d", i, in.Sent, in.GapSent, in.Gap, want.Sent, want.GapSent)
		}
	}
}

// TestStops: processes do stop, and go on, by either way of stopping.
func TestStops(t *testing.T) {
	pid := sleeper(t, "sh", "-c", "sleep 1000 & wait")
	s, err := Signals(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "stopped", func() bool { return stopped(pid) })
	if err := s.Continue(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "continued", func() bool { return !stopped(pid) })
	for name, version := range map[string]func() (freezer, error){"v1": version1, "v2": version2} {
		f, err := version()
		f.dir += name
		if err != nil || f.enter(pid) != nil {
			t.Logf("no writable freezer of %s: not tested (%v)", name, err)
			continue
		}
		testFreezer(t, f)
		_ = unix.Kill(-pid, unix.SIGKILL)
		eventually(t, "group removed", func() bool { return os.Remove(f.dir) == nil })
		pid = sleeper(t)
	}
}

// testFreezer: a busy process in the group makes no progress while it is frozen.
func testFreezer(t *testing.T, f freezer) {
	busy := sleeper(t, "sh", "-c", "while :; do :; done")
	if err := os.WriteFile(filepath.Join(f.dir, "cgroup.procs"), []byte(strconv.Itoa(busy)), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Stop(); err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	before, _ := processClock(busy)
	time.Sleep(20 * time.Millisecond)
	if after, _ := processClock(busy); after != before {
		t.Errorf("%s: a frozen process ran for %d ns", f, after-before)
	}
	if err := FreezerAt(f.dir).Continue(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "thawed", func() bool { now, _ := processClock(busy); return now > before })
	_ = unix.Kill(busy, unix.SIGKILL)
}

// TestLimits: pauses that are too long are refused, and a release ends the one
// under way and those that wait.
func TestLimits(t *testing.T) {
	p, _, _ := newPage(t)
	pauser := NewPauser(&fakeGroup{}, p, time.Minute, nil, nil)
	defer pauser.Close()
	refused := make(chan error, 1)
	pauser.Pause(1, 2*time.Minute, func(_ Interval, err error) { refused <- err })
	if err := <-refused; err == nil {
		t.Error("a pause above the limit was accepted")
	}
	start := precise.Now()
	ends := make(chan error, 2)
	for i := range 2 {
		pauser.Pause(uint64(i+1), 30*time.Second, func(_ Interval, err error) { ends <- err })
	}
	pauser.Release()
	for range 2 {
		<-ends
	}
	if passed := time.Duration(precise.Now() - start); passed > 10*time.Second {
		t.Errorf("released after %v", passed)
	}
}

// TestWatchdog: a service that is stopped goes on when its poker is gone, or does
// not end the pause.
func TestWatchdog(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pid := sleeper(t)
	w, err := StartWatchdog(self, "watchdog", strconv.Itoa(pid))
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {
		t.Helper()
		if err := unix.Kill(-pid, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "stopped", func() bool { return stopped(pid) })
	}
	w.stopping()
	stop()
	eventually(t, "continued after the limit", func() bool { return !stopped(pid) })
	stop()
	w.pipe.Close() // as the kernel does when the poker dies
	eventually(t, "continued after the poker's end", func() bool { return !stopped(pid) })
	if err := w.Wait(); err != nil {
		t.Error(err)
	}
}

// TestCompat speaks the original's protocol.
func TestCompat(t *testing.T) {
	c, err := NewCompat(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p, _, _ := newPage(t)
	group := &fakeGroup{}
	pauser := NewPauser(group, p, MaxPause, nil, nil)
	go c.Serve(pauser)
	path := func(i int) string { _, path, _ := strings.Cut(c.Env[i], "="); return path }
	orders, err := os.OpenFile(path(0), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer orders.Close()
	tokens, err := os.OpenFile(path(1), os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	for _, ns := range []int64{0, 3e6, -1000} {
		before := p.Paused()
		if err := binary.Write(orders, binary.LittleEndian, ns); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(tokens, make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		if ns > 0 && p.Paused()-before < ns/2 {
			t.Errorf("paused %d ns, ordered %d", p.Paused()-before, ns)
		}
	}
	pauser.Close()
	c.Close()
	if group.continues != 3 {
		t.Errorf("%d continues, want 3", group.continues)
	}
}

// TestProcessorTime: a busy process's time is seen, a sleeping one's is not.
func TestProcessorTime(t *testing.T) {
	busy, idle := sleeper(t, "sh", "-c", "while :; do :; done"), sleeper(t)
	eventually(t, "20 ms of work", func() bool { return processorTime(members(busy)) > 20e6 })
	if ns := processorTime(members(idle)); ns > 20e6 {
		t.Errorf("a sleeping process used %d ns", ns)
	}
}

// TestQuota reads both forms, and takes the tightest.
func TestQuota(t *testing.T) {
	outer, inner := t.TempDir(), t.TempDir()
	for file, text := range map[string]string{
		outer + "/cpu.max": "50000 100000\n", outer + "/cpu.stat": "nr_periods 9\nnr_throttled 7\n",
		inner + "/cpu.cfs_quota_us": "10000\n", inner + "/cpu.cfs_period_us": "100000\n", inner + "/cpu.stat": "nr_throttled 3\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var q Quota
	q.tighten(outer)
	if q.Cores != 0.5 || q.Period != 100e6 || q.Throttled != 7 {
		t.Errorf("version 2: %+v", q)
	}
	q.tighten(inner)
	q.tighten(outer)
	if q.Cores != 0.1 || q.Throttled != 3 {
		t.Errorf("the tightest: %+v", q)
	}
	if err := os.WriteFile(outer+"/cpu.max", []byte("max 100000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	q = Quota{}
	if q.tighten(outer); q.Cores != 0 {
		t.Errorf("no quota: %+v", q)
	}
	if q := quotaOf(os.Getpid()); q.Affinity < 1 {
		t.Errorf("this process may run on %d processors", q.Affinity)
	}
}

// TestAddresses: each control address is of a known kind.
func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "unix:", "/tmp/x", "udp:127.0.0.1:1"} {
		if _, err := Listen(bad); err == nil {
			t.Errorf("Listen(%q) did not fail", bad)
		}
	}
	path := filepath.Join(t.TempDir(), "c")
	l, err := Listen("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is open to others: %v, %v", info.Mode(), err)
	}
}
