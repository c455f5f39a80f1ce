package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/onefold/onefold/control/cgroup"
)

// States of a process that are not the gateway's to tell.
const (
	running = "running"
	waiting = "waiting" // to be started again
	paused  = "paused"
	ended   = "ended"
)

// command is how a process is started.
type command struct {
	args    []string
	env     []string
	sockets []string      // removed before each start: a dead process leaves them
	group   *cgroup.Group // nil for none
}

// process keeps a command running until it is stopped.
type process struct {
	command
	name  string
	stage *Stage

	stopping chan struct{} // closed to end it
	once     sync.Once
	done     chan struct{} // closed when it has ended for good

	mu       sync.Mutex
	begun    bool
	cmd      *exec.Cmd // nil while it does not run
	state    string
	restarts int
	failures int // starts in a row that did not last
	last     error
	quota    float64
}

func (s *Stage) newProcess(name string, c command) *process {
	return &process{command: c, name: name, stage: s, stopping: make(chan struct{}), done: make(chan struct{}), state: waiting}
}

// The pause before a process is started again doubles between these, unless it has
// run for long enough.
const (
	firstPause = 20 * time.Millisecond
	mostPause  = time.Second
	longEnough = time.Second
)

// begin starts the process and keeps it running.
func (p *process) begin() {
	p.mu.Lock()
	p.begun = true
	p.mu.Unlock()
	go p.keep()
}

func (p *process) keep() {
	defer close(p.done)
	pause := firstPause
	for {
		started := time.Now()
		stopped, err := p.runOnce()
		if stopped {
			p.set(ended)
			return
		}
		if time.Since(started) >= longEnough {
			pause = firstPause
		}
		p.note(err, time.Since(started))
		select {
		case <-p.stopping:
			p.set(ended)
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, mostPause)
	}
}

// note records that the process ended without being told to.
func (p *process) note(err error, after time.Duration) {
	if err == nil {
		err = errors.New("exit status 0")
	}
	p.mu.Lock()
	p.state, p.last = waiting, err
	p.restarts++
	if p.failures++; after >= longEnough {
		p.failures = 1
	}
	p.mu.Unlock()
	p.stage.log.printf(p.name, "ended (%v), starting it again", err)
}

func (p *process) set(state string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
}

// runOnce runs the command until it ends, or has been stopped.
func (p *process) runOnce() (stopped bool, err error) {
	select {
	case <-p.stopping:
		return true, nil
	default:
	}
	for _, socket := range p.sockets {
		os.Remove(socket)
	}
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Env = append(os.Environ(), p.env...)
	stderr := p.stage.log.writer(p.name)
	cmd.Stderr = stderr
	cmd.WaitDelay = time.Second // what it leaves running may hold its output open
	cmd.SysProcAttr = attributes()
	if err := p.stage.starter.start(cmd, p.group); err != nil {
		return false, err
	}
	p.mu.Lock()
	p.cmd, p.state = cmd, running
	p.mu.Unlock()
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	select {
	case err = <-gone:
	case <-p.stopping:
		stopped = true
		p.end(cmd, gone)
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left running
	stderr.flush()
	p.mu.Lock()
	p.cmd = nil
	p.mu.Unlock()
	return stopped, err
}

// end asks a command to end, and kills it if it takes too long.
func (p *process) end(cmd *exec.Cmd, gone <-chan error) {
	group := -cmd.Process.Pid
	syscall.Kill(group, syscall.SIGTERM)
	syscall.Kill(group, syscall.SIGCONT)
	select {
	case <-gone:
		return
	case <-time.After(p.stage.opts.Drain + time.Second):
	}
	p.stage.log.printf(p.name, "did not end in time, killed")
	syscall.Kill(group, syscall.SIGKILL)
	<-gone
}

// stop ends the process for good and waits for it.
func (p *process) stop() {
	p.once.Do(func() { close(p.stopping) })
	p.mu.Lock()
	begun := p.begun
	p.mu.Unlock()
	if begun {
		<-p.done
	}
}

// hopeless is after how many starts in a row that did not last a process that was
// never ready is given up.
const hopeless = 3

// longestStart is how long a process may take to be ready.
const longestStart = time.Minute

// await waits until ready reports true. It gives up when the process does not stay.
func (p *process) await(ctx context.Context, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, longestStart)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready in time: %w%s", p.name, context.Cause(ctx), p.stage.log.said(p.name))
		case <-ticker.C:
		}
		p.mu.Lock()
		failures, last := p.failures, p.last
		p.mu.Unlock()
		if failures >= hopeless {
			return fmt.Errorf("%s ends as soon as it is started: %w%s", p.name, last, p.stage.log.said(p.name))
		}
	}
	return nil
}

// describe fills in what is known of the process.
func (p *process) describe(r *Replica) {
	u, _ := p.usage() // 0 if it is not known
	p.mu.Lock()
	defer p.mu.Unlock()
	r.State, r.Restarts, r.Quota, r.CPU = p.state, p.restarts, p.quota, u.CPU
	if p.cmd != nil {
		r.PID = p.cmd.Process.Pid
	}
	if p.group != nil {
		r.Cgroup = p.group.Path()
	}
}

var errNoGroup = errors.New("replicas have no control groups here")

func (p *process) setQuota(cpus float64) error {
	if p.group == nil {
		return errNoGroup
	}
	if err := p.group.SetQuota(cpus); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quota = cpus
	return nil
}

func (p *process) usage() (cgroup.Usage, error) {
	if p.group != nil {
		return p.group.Usage()
	}
	p.mu.Lock()
	cmd := p.cmd
	p.mu.Unlock()
	if cmd == nil {
		return cgroup.Usage{}, nil
	}
	cpu, err := cpuTime(cmd.Process.Pid)
	return cgroup.Usage{CPU: cpu}, err
}

// pause stops the process's group, or lets it go on.
func (p *process) pause(on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return fmt.Errorf("%s does not run", p.name)
	}
	signal, state := syscall.SIGCONT, running
	if on {
		signal, state = syscall.SIGSTOP, paused
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, signal); err != nil {
		return err
	}
	p.state = state
	return nil
}

// removeGroup removes the control group of a process that has ended.
func (p *process) removeGroup() error {
	if p.group == nil {
		return nil
	}
	return p.group.Remove()
}
