package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/onefold/onefold/instrument/profile/driver"
)

// readyTime is how long a service may take to be ready.
const readyTime = 30 * time.Second

// System is the services as they run.
type System struct {
	config  *Config
	dir     string // of control channels and logs
	starter *starter
	gauge   *Gauge // nil where no service has a limit
	running []*process
}

// process is one service under its poker.
type process struct {
	Service
	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed when it has
	err   error
}

// Start builds and starts the application and waits until all of it is ready. poker
// is the command line that the service's is appended to.
func Start(ctx context.Context, c *Config, poker []string) (*System, error) {
	if err := build(ctx, c); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "onefold-profile-")
	if err != nil {
		return nil, err
	}
	s := &System{config: c, dir: dir, starter: newStarter()}
	if slices.ContainsFunc(c.Services, func(svc Service) bool { return svc.Limit > 0 }) {
		if s.gauge, err = StartGauge(ctx, poker, dir); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	for _, svc := range c.Services {
		if len(svc.Command) == 0 {
			continue
		}
		if err := s.start(svc, poker); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	for _, p := range s.running {
		if err := p.wait(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func build(ctx context.Context, c *Config) error {
	for _, line := range c.Build {
		cmd := exec.CommandContext(ctx, "sh", "-c", line)
		cmd.Dir = c.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build: %s: %w\n%s", line, err, out)
		}
	}
	return nil
}

func (s *System) start(svc Service, poker []string) error {
	p := &process{Service: svc, ended: make(chan struct{})}
	p.log = filepath.Join(s.dir, svc.Name+".log")
	out, err := os.Create(p.log)
	if err != nil {
		return err
	}
	defer out.Close()
	args := append(slices.Clone(poker), "--control", s.control(svc.Name), "--name", svc.Name, "--grace", "3s")
	if svc.Limit > 0 {
		args = append(args, "--cores", fmt.Sprint(svc.Limit), "--gauge", s.gauge.File)
	}
	args = append(args, "--")
	args = append(args, svc.Command...)
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Dir = s.config.path(svc.Dir)
	p.cmd.Env = os.Environ()
	for _, name := range slices.Sorted(maps.Keys(svc.Env)) {
		p.cmd.Env = append(p.cmd.Env, name+"="+svc.Env[name])
	}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = attributes()
	if err := s.starter.start(p.cmd); err != nil {
		return fmt.Errorf("service %s: %w", svc.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	s.running = append(s.running, p)
	return nil
}

// wait waits until a service is ready.
func (p *process) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	for !p.ready(ctx) {
		select {
		case <-p.ended:
			return fmt.Errorf("service %s ended before it was ready: %v\n%s", p.Name, p.err, tail(p.log))
		case <-ctx.Done():
			return fmt.Errorf("service %s is not ready: %w\n%s", p.Name, ctx.Err(), tail(p.log))
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (p *process) ready(ctx context.Context) bool {
	if p.Ready == "" {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Ready, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // its content says nothing
	return resp.StatusCode < 400
}

// tail returns the end of a log.
func tail(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	const most = 2000
	text := string(data[max(0, len(data)-most):])
	return strings.TrimRight(text, "\n")
}

// Services returns what a driver needs.
func (s *System) Services() []driver.Service {
	var all []driver.Service
	for _, c := range s.config.Services {
		svc := driver.Service{Name: c.Name, Cores: c.Cores, Time: c.Time}
		if c.Address != "" {
			svc.Addresses = []string{c.Address}
		}
		if len(c.Command) > 0 {
			svc.Replicas = []driver.Replica{{Control: s.control(c.Name)}}
		}
		for _, control := range c.Control {
			svc.Replicas = append(svc.Replicas, driver.Replica{Control: control, Token: os.ExpandEnv(c.Token)})
		}
		all = append(all, svc)
	}
	return all
}

// control is the channel of a service that was started here.
func (s *System) control(service string) string {
	return "unix:" + filepath.Join(s.dir, service+".sock")
}

// Close ends all services and removes everything.
func (s *System) Close() error {
	for _, p := range s.running {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	}
	for _, p := range s.running {
		<-p.ended // the poker kills what does not end
	}
	s.starter.close()
	var err error
	if s.gauge != nil {
		err = s.gauge.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
