package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/onefold/onefold/instrument/gauge"
)

// Gauge is a process that measures how fast this machine is, for the pokers of services
// with slow processors of their own.
type Gauge struct {
	File    string
	cmd     *exec.Cmd
	starter *starter
}

// StartGauge starts one and waits until it knows the speed, about a second. poker is a
// poker's command line; the file is made in dir.
func StartGauge(ctx context.Context, poker []string, dir string) (*Gauge, error) {
	g := &Gauge{File: filepath.Join(dir, "gauge"), starter: newStarter()}
	args := append(poker[1:len(poker):len(poker)], "--"+gauge.Flag, g.File)
	g.cmd = exec.Command(poker[0], args...)
	g.cmd.SysProcAttr = attributes()
	var problem strings.Builder
	g.cmd.Stderr = &problem
	out, err := g.cmd.StdoutPipe()
	if err == nil {
		err = g.starter.start(g.cmd)
	}
	if err != nil {
		g.starter.close()
		return nil, fmt.Errorf("measure the speed of this machine: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = g.cmd.Process.Signal(syscall.SIGTERM) })()
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(line) == gauge.Ready {
		return g, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return nil, fmt.Errorf("measure the speed of this machine: %w %s", errors.Join(err, g.Close()), strings.TrimSpace(problem.String()))
}

// Close ends the process and removes the file.
func (g *Gauge) Close() error {
	_ = g.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = g.cmd.Wait()                          // how it ended says nothing
	g.starter.close()
	return os.RemoveAll(g.File)
}
