package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/onefold/onefold/compiler/ir"
)

// quiet is how long the packages must stay as they are before they are compiled
// again: editors write several files, and some write each of them twice.
const quiet = 150 * time.Millisecond

// runner keeps a server running.
type runner struct {
	*builder
	args    []string // of the server
	watcher *fsnotify.Watcher
	changed chan struct{} // has a value when the packages have changed
}

// child is a running server.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error
}

func (r *runner) start() (*child, error) {
	c := &child{cmd: exec.Command(r.server(), r.args...), done: make(chan struct{})}
	c.cmd.Dir = r.dir
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = nil, r.stdout, r.stderr
	c.cmd.SysProcAttr = childAttributes()
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// stop ends the server and waits for it.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	<-c.done
}

// status returns how the server ended.
func (c *child) status() error {
	var exit *exec.ExitError
	if errors.As(c.err, &exit) {
		return statusError(max(exit.ExitCode(), exitFailure))
	}
	return c.err
}

// serve runs the server until it ends or ctx is done, and puts a new one in its
// place when the packages change.
func (r *runner) serve(ctx context.Context) error {
	c, err := r.start()
	if err != nil {
		return err
	}
	if r.watcher != nil {
		go r.collect(ctx)
	}
	for {
		select {
		case <-c.done:
			return c.status()
		case <-ctx.Done():
			c.stop()
			return c.status()
		case <-r.changed: // nil, and so never ready, where nothing is watched
			if c, err = r.replace(ctx, c); err != nil {
				return err
			}
		}
	}
}

// replace compiles the packages again and starts the new server after the old
// one has ended, since they share the data. If they do not compile, the old one stays.
func (r *runner) replace(ctx context.Context, old *child) (*child, error) {
	result, err := r.build(ctx)
	if err != nil {
		if !errors.Is(err, errFindings) && ctx.Err() == nil {
			r.progress("%v", err)
		}
		return old, nil
	}
	if err := r.add(result.Program); err != nil {
		return old, err
	}
	old.stop()
	return r.start()
}

// watch starts to watch the folders of the program's packages.
func (r *runner) watch(prog *ir.Program) error {
	var err error
	if r.watcher, err = fsnotify.NewWatcher(); err != nil {
		return err
	}
	r.changed = make(chan struct{}, 1)
	return r.add(prog)
}

// add watches the folders of prog as well. A folder is watched once, however
// often it is added.
func (r *runner) add(prog *ir.Program) error {
	if r.watcher == nil {
		return nil
	}
	for pkg := range prog.Sources() {
		if err := r.watcher.Add(pkg.Dir); err != nil {
			return err
		}
	}
	return nil
}

// collect turns bursts of events into single changes.
func (r *runner) collect(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-r.watcher.Events:
			if !ok {
				return
			}
			if relevant(e) {
				timer.Reset(quiet)
			}
		case err, ok := <-r.watcher.Errors:
			if !ok {
				return
			}
			r.progress("watch packages: %v", err)
		case <-timer.C:
			select {
			case r.changed <- struct{}{}:
			default: // one is waiting already
			}
		}
	}
}

// relevant reports whether an event is about a file that the server is built from.
func relevant(e fsnotify.Event) bool {
	name := filepath.Base(e.Name)
	return e.Op != fsnotify.Chmod && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, ".")
}
