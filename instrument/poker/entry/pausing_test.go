package entry

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onefold/onefold/instrument/poker"
)

// startPaused starts poker with a control channel around a process that never ends by
// itself, and connects to it.
func startPaused(t *testing.T, with string, max time.Duration, script string) (*exec.Cmd, *poker.Client) {
	t.Helper()
	temp, control := t.TempDir(), "unix:"+filepath.Join(t.TempDir(), "control")
	cmd := command(t, "--control", control, "--name", "cart", "--pause-with", with, "--max-pause", max.String(), "sh", "-c", script)
	cmd.Env = append(os.Environ(), tokenEnv+"=secret", "TMPDIR="+temp)
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // mostly it has ended
		_ = cmd.Wait()
		waitFor(t, "nothing is left in the folder for temporary files", func() bool {
			entries, err := os.ReadDir(temp)
			return err == nil && len(entries) == 0
		})
	})
	var c *poker.Client
	waitFor(t, "connected", func() (ok bool) {
		var err error
		c, err = poker.Dial(context.Background(), control, "secret", t.Name(), nil)
		if said, _ := os.ReadFile(stderr.Name()); bytes.Contains(said, []byte("no freezer")) {
			t.Skip("no writable freezer")
		}
		return err == nil
	})
	t.Cleanup(func() { c.Close() })
	return cmd, c
}

func waitFor(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// members returns how many processes of a group are alive.
func members(group int) int {
	n := 0
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		pgid, err := unix.Getpgid(pid)
		if s := status(e.Name()); err == nil && pgid == group && s != "" && !strings.Contains(s, "Z (zombie)") {
			n++
		}
	}
	return n
}

// still reports whether the command is stopped, or frozen.
func still(c *poker.Client) bool {
	if dir, ok := strings.CutPrefix(c.Info.Stopper, "freezer "); ok {
		events, _ := os.ReadFile(filepath.Join(dir, "cgroup.events"))
		state, _ := os.ReadFile(filepath.Join(dir, "freezer.state"))
		return strings.Contains(string(events)+string(state), "frozen 1") || strings.Contains(string(state), "FROZEN")
	}
	return strings.Contains(status(strconv.Itoa(c.Info.Group)), "T (stopped)")
}

var ways = []string{"signal", "freezer"}

// TestPauses: a pause stops the whole group for its time, and all of it goes on.
func TestPauses(t *testing.T) {
	for _, with := range ways {
		t.Run(with, func(t *testing.T) {
			_, c := startPaused(t, with, time.Minute, "sleep 1000 & wait")
			waitFor(t, "two processes", func() bool { return members(c.Info.Group) == 2 })
			done := make(chan error, 1)
			c.Pause(1, 200*time.Millisecond, func(in poker.Interval, err error) {
				if took := in.Continue - in.Stop; took < int64(200*time.Millisecond) {
					t.Errorf("paused for %d ns", took)
				}
				done <- err
			})
			waitFor(t, "stopped", func() bool { return still(c) || len(done) > 0 })
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			waitFor(t, "continued", func() bool { return !still(c) })
		})
	}
}

// TestEndInPause: who is told to end in a pause ends at once.
func TestEndInPause(t *testing.T) {
	for _, with := range ways {
		t.Run(with, func(t *testing.T) {
			cmd, c := startPaused(t, with, time.Minute, "sleep 1000 & wait")
			c.Pause(1, time.Minute, func(poker.Interval, error) {})
			waitFor(t, "stopped", func() bool { return still(c) })
			start := time.Now()
			if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if got := exitCode(cmd.Wait()); got != 128+15 {
				t.Errorf("exit code %d, want %d", got, 128+15)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("ended after %v", took)
			}
		})
	}
}

// TestPokerDies: when poker is killed in a pause nothing of the command stays, least
// of all something stopped.
func TestPokerDies(t *testing.T) {
	for _, with := range ways {
		t.Run(with, func(t *testing.T) {
			cmd, c := startPaused(t, with, time.Minute, "sleep 1000 & wait")
			group := c.Info.Group
			t.Cleanup(func() { _ = unix.Kill(-group, unix.SIGKILL) })
			waitFor(t, "two processes", func() bool { return members(group) == 2 })
			c.Pause(1, time.Minute, func(poker.Interval, error) {})
			waitFor(t, "stopped", func() bool { return still(c) })
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // killed
			waitFor(t, "all processes are gone", func() bool { return members(group) == 0 })
		})
	}
}

// TestRightGroup: pause after pause right after the start, poker never stops
// itself: the original nearly always took its own group for the child's.
func TestRightGroup(t *testing.T) {
	n := 10
	if testing.Short() {
		n = 3
	}
	for range n {
		cmd, c := startPaused(t, "signal", time.Second, "exec sleep 1000")
		done := make(chan error, 1)
		c.Pause(1, time.Millisecond, func(_ poker.Interval, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if got := exitCode(cmd.Wait()); got != 128+15 {
			t.Errorf("exit code %d, want %d", got, 128+15)
		}
	}
}

// TestEarlyExit: a command that ends before it says anything ends poker, with its
// exit code; the original hung, and lost the code.
func TestEarlyExit(t *testing.T) {
	for _, args := range [][]string{
		{"--compat", "sh", "-c", `test -p "$SLOWPOKE_FIFO_PATH" && test -p "$SLOWPOKE_FIFO_RECOVER_PATH" && exit 7`},
		{"--control", "unix:" + filepath.Join(t.TempDir(), "c"), "sh", "-c", `test -f "$ONEFOLD_SLOWPOKE/page" && exit 7`},
	} {
		if got := exitCode(command(t, args...).Run()); got != 7 {
			t.Errorf("poker %v: exit code %d, want 7", args, got)
		}
	}
}

func TestControlUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{"--control", "tcp:127.0.0.1:0", "true"}, exitFailure}, // no token
		{[]string{"--control", "here", "true"}, exitFailure},
		{[]string{"--pause-with", "asking", "true"}, exitUsage},
		{[]string{"--max-pause", "0s", "true"}, exitUsage},
	} {
		cmd := command(t, test.args...)
		cmd.Env = append(os.Environ(), tokenEnv+"=")
		if got := exitCode(cmd.Run()); got != test.want {
			t.Errorf("poker %v: exit code %d, want %d", test.args, got, test.want)
		}
	}
}

// TestHidesToken: the command does not get the token.
func TestHidesToken(t *testing.T) {
	cmd := command(t, "--control", "unix:"+filepath.Join(t.TempDir(), "c"), "sh", "-c", "env")
	cmd.Env = append(os.Environ(), tokenEnv+"=secret")
	out, err := cmd.Output()
	if err != nil || bytes.Contains(out, []byte("secret")) {
		t.Errorf("%v\n%s", err, out)
	}
}
