package entry

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is poker, or a command that poker runs, when its first
// argument says so.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "poker":
			os.Exit(Run(os.Args[2:], os.Stdout, os.Stderr))
		case "--watchdog": // poker starts itself so
			os.Exit(Run(os.Args[1:], os.Stdout, os.Stderr))
		case "echo-signals":
			echoSignals()
		case "orphans":
			orphans(os.Args[2])
		}
	}
	os.Exit(m.Run())
}

// echoSignals prints the name of each signal it gets; SIGTERM ends it with code 7.
func echoSignals() {
	signals := make(chan os.Signal, 10)
	signal.Notify(signals)
	fmt.Println("ready")
	for s := range signals {
		if s == unix.SIGURG || s == unix.SIGCONT { // from the Go runtime; from poker
			continue
		}
		fmt.Println(unix.SignalName(s.(syscall.Signal)))
		if s == unix.SIGTERM {
			os.Exit(7)
		}
	}
}

// orphans starts n processes whose parent ends before they do, waits until all
// have been reaped, and exits with 0 if so.
func orphans(n string) {
	out, err := exec.Command("sh", "-c", "for i in $(seq "+n+"); do (sleep 0.01 & echo $!); done").Output()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, pid := range strings.Fields(string(out)) {
		number, _ := strconv.Atoi(pid)
		for unix.Kill(number, 0) == nil { // also a zombie is there
			time.Sleep(time.Millisecond)
		}
	}
	os.Exit(0)
}

// command returns the command that runs poker with args.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"poker"}, args...)...)
	cmd.WaitDelay = time.Minute
	return cmd
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

func TestExitCodes(t *testing.T) {
	script := filepath.Join(t.TempDir(), "not-executable")
	if err := os.WriteFile(script, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{"true"}, 0},
		{[]string{"sh", "-c", "exit 7"}, 7},
		{[]string{"--", "sh", "-c", "exit 255"}, 255},
		{[]string{"sh", "-c", "kill -KILL $$"}, 128 + 9},
		{[]string{"sh", "-c", "kill -SEGV $$"}, 128 + 11},
		{[]string{"/no/such/command"}, exitNotFound},
		{[]string{"no-such-command"}, exitNotFound},
		{[]string{script}, exitCannotRun},
		{nil, exitUsage},
		{[]string{"--no-such-flag", "true"}, exitUsage},
		{[]string{"--grace", "-1s", "true"}, exitUsage},
		{[]string{"--help"}, 0},
	} {
		if got := exitCode(command(t, test.args...).Run()); got != test.want {
			t.Errorf("poker %v: exit code %d, want %d", test.args, got, test.want)
		}
	}
}

func TestInherits(t *testing.T) {
	cmd := command(t, "sh", "-c", `read line; echo "$line $VALUE $1"; echo problem >&2`, "sh", "--grace")
	cmd.Env = append(os.Environ(), "VALUE=from-env")
	cmd.Stdin = strings.NewReader("from-stdin\n")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if got, want := stdout.String(), "from-stdin from-env --grace\n"; got != want {
		t.Errorf("standard output %q, want %q", got, want)
	}
	if got, want := stderr.String(), "problem\n"; got != want {
		t.Errorf("standard error %q, want %q", got, want)
	}
}

// lines returns a function that returns the next line that cmd prints.
func lines(t *testing.T, cmd *exec.Cmd) func() string {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	return func() string {
		var line []byte
		for b := make([]byte, 1); ; line = append(line, b[0]) {
			if _, err := out.Read(b); err != nil || b[0] == '\n' {
				return string(line)
			}
		}
	}
}

func TestForwardsSignals(t *testing.T) {
	self, _ := os.Executable()
	cmd := command(t, self, "echo-signals")
	next := lines(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "ready" {
		t.Fatalf("printed %q, want ready", got)
	}
	for _, s := range []syscall.Signal{unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM} {
		if signal.Ignored(s) {
			continue // and so it is in the command, as under nohup
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if got, want := next(), unix.SignalName(s); got != want {
			t.Errorf("the command got %s, want %s", got, want)
		}
	}
	if got := exitCode(cmd.Wait()); got != 7 {
		t.Errorf("exit code %d, want 7", got)
	}
}

// A group that somebody has stopped still ends when it is told to.
func TestEndsStopped(t *testing.T) {
	cmd := command(t, "sh", "-c", "echo $$; kill -STOP $$; sleep 1000")
	next := lines(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := next()
	for !strings.Contains(status(pid), "T (stopped)") {
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got, want := exitCode(cmd.Wait()), 128+15; got != want {
		t.Errorf("exit code %d, want %d", got, want)
	}
}

func status(pid string) string {
	data, _ := os.ReadFile("/proc/" + pid + "/status")
	return string(data)
}

func TestKillsAfterGrace(t *testing.T) {
	cmd := command(t, "--grace", "50ms", "sh", "-c", `trap "" TERM; echo ready; while :; do sleep 0.01; done`)
	next := lines(t, cmd)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	next()
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got, want := exitCode(cmd.Wait()), 128+9; got != want {
		t.Errorf("exit code %d, want %d", got, want)
	}
	if !strings.Contains(stderr.String(), "did not end within 50ms") {
		t.Errorf("standard error %q does not say why", stderr.String())
	}
}

// What the command leaves in its group ends with it, and the command ends with poker.
func TestLeavesNothingBehind(t *testing.T) {
	gone := func(pid string) {
		t.Helper()
		for s := status(pid); s != "" && !strings.Contains(s, "Z (zombie)"); s = status(pid) {
			time.Sleep(time.Millisecond)
		}
	}
	cmd := command(t, "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!")
	next := lines(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	left := next()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	gone(left)

	cmd = command(t, "sh", "-c", "echo $$; exec sleep 1000 >/dev/null 2>&1")
	next = lines(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := next()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	gone(child)
}

func TestReapsOrphans(t *testing.T) {
	self, _ := os.Executable()
	cmd := command(t, self, "orphans", "100")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// In a container poker is process 1, which gets no signal it has no handler for.
func TestProcessOne(t *testing.T) {
	self, _ := os.Executable()
	cmd := command(t, self, "echo-signals")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	next := lines(t, cmd)
	if err := cmd.Start(); errors.Is(err, unix.EPERM) {
		t.Skip("no right to make a PID namespace")
	} else if err != nil {
		t.Fatal(err)
	}
	next()
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "SIGTERM" {
		t.Errorf("the command got %q, want SIGTERM", got)
	}
	if got := exitCode(cmd.Wait()); got != 7 {
		t.Errorf("exit code %d, want 7", got)
	}
}
