package entry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// forwarded are the signals that go on to the child's process group. Those that
// ask it to end also start the grace period.
var forwarded = []os.Signal{
	unix.SIGTERM, unix.SIGINT, unix.SIGQUIT,
	unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH,
}

// parent runs one child.
type parent struct {
	grace time.Duration
	log   io.Writer
	pausing
	child int // process, and process group
}

// run starts the command and returns poker's exit code when it has ended.
func (p *parent) run(args []string) int {
	// The kernel kills the child when the thread that started it ends.
	runtime.LockOSThread()
	signals, exits := subscribe()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintf(p.log, "poker: orphans go to another process: %v\n", err)
	}
	defer p.end()
	env, err := p.prepare()
	if err != nil {
		fmt.Fprintf(p.log, "poker: %v\n", err)
		return exitFailure
	}
	if err := p.start(args, env); err != nil {
		fmt.Fprintf(p.log, "poker: %v\n", err)
		return startFailure(err)
	}
	if err := p.begin(p.child, p.log); err != nil {
		// The service matters more than its profile.
		fmt.Fprintf(p.log, "poker: the command cannot be paused: %v\n", err)
	}
	status, err := p.wait(signals, exits)
	if err != nil {
		fmt.Fprintf(p.log, "poker: %v\n", err)
		return exitFailure
	}
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// subscribe returns what arrives from outside, and what says that children have
// ended. A signal that is ignored, as after nohup, stays so.
func subscribe() (signals, exits chan os.Signal) {
	signals, exits = make(chan os.Signal, 64), make(chan os.Signal, 1)
	for _, s := range forwarded {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	signal.Notify(exits, unix.SIGCHLD)
	return signals, exits
}

// start runs the command in a process group of its own, which the child makes
// itself before it becomes the command: there is no moment in which a signal to the group
// would hit poker.
func (p *parent) start(args, env []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	p.child, err = syscall.ForkExec(path, args, &syscall.ProcAttr{
		Env:   env,
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL},
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", path, err)
	}
	return nil
}

func startFailure(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return exitNotFound
	}
	return exitCannotRun
}

// wait forwards signals and reaps children until the child has ended.
func (p *parent) wait(signals, exits <-chan os.Signal) (unix.WaitStatus, error) {
	var expired <-chan time.Time
	for {
		select {
		case s := <-signals:
			p.forward(s.(syscall.Signal))
			if asksToEnd(s) && expired == nil {
				expired = time.After(p.grace)
			}
		case <-expired:
			fmt.Fprintf(p.log, "poker: killing the command, which did not end within %v\n", p.grace)
			_ = unix.Kill(-p.child, unix.SIGKILL) // not reaped yet, so it is there
		case <-exits:
			if status, ended, err := p.reap(); ended || err != nil {
				return status, err
			}
		}
	}
}

func asksToEnd(s os.Signal) bool {
	return s == unix.SIGTERM || s == unix.SIGINT || s == unix.SIGQUIT
}

// forward sends the signal to the group. One that is stopped would not see it,
// so a group that shall end goes on first.
func (p *parent) forward(s syscall.Signal) {
	if asksToEnd(s) {
		p.release()
	}
	_ = unix.Kill(-p.child, s) // the child is not reaped yet, so the group is there
	if asksToEnd(s) {
		_ = unix.Kill(-p.child, unix.SIGCONT)
	}
}

// reap collects all children that have ended; ended reports whether the command
// is among them. The rest of its group is killed then: its number is still the
// group's while somebody is in it, and not given out again so soon if nobody is.
func (p *parent) reap() (status unix.WaitStatus, ended bool, err error) {
	for {
		var one unix.WaitStatus
		pid, err := unix.Wait4(-1, &one, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case pid == p.child:
			status, ended = one, true
			_ = unix.Kill(-p.child, unix.SIGKILL) // mostly nobody is left
		case errors.Is(err, unix.ECHILD) || err == nil && pid == 0:
			return status, ended, nil
		case err != nil:
			return status, ended, fmt.Errorf("wait for children: %w", err)
		}
	}
}
