package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/control/stage"
	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/driver"
	"github.com/onefold/onefold/instrument/profile/local"
	"github.com/onefold/onefold/runtime/gateway"
)

// packagesFlags are the flags of a profile of packages.
type packagesFlags struct {
	replicas map[string]string
	cores    float64
	share    bool
}

func (f *packagesFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringToStringVar(&f.replicas, "replicas", nil, "of packages: how many replicas services have, as `service=n,…`; default 1 each")
	cmd.Flags().Float64Var(&f.cores, "cores", 0, "of packages: `cores` of each replica; default: so many that all fit on this machine")
	cmd.Flags().BoolVar(&f.share, "share", false, "of packages: no cores of their own; predict for this machine, whose processors they share")
}

func (f *packagesFlags) check(file bool) error {
	switch {
	case file && (len(f.replicas) > 0 || f.cores != 0 || f.share):
		return errors.New("--replicas, --cores and --share are for packages; a file says how its services run")
	case f.cores < 0 || f.share && f.cores != 0:
		return errors.New("want --cores above zero, or --share")
	}
	return nil
}

// crowd is the share of this machine that replicas may use together at most. The rest
// is for the load, the gateway, the storage and the pokers, and keeps who has a core of
// its own from waiting for a real one.
const crowd = 0.2

// each returns the cores of one of so many replicas.
func (f *packagesFlags) each(replicas int) float64 {
	switch {
	case f.share:
		return 0
	case f.cores > 0:
		return f.cores
	}
	return min(1, crowd*float64(runtime.NumCPU())/float64(replicas))
}

// profilePackages profiles the services of packages.
func (t *tool) profilePackages(ctx context.Context, patterns []string, f profileFlags, expectations []profile.Expectation) error {
	work, err := workFolder()
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := &builder{tool: t, work: work, patterns: patterns}
	result, m, err := b.compile(ctx)
	if err != nil {
		return err
	}
	opts, p, err := f.packages.stage(b, result)
	if err != nil {
		return err
	}
	if err := b.link(ctx, result, m); err != nil {
		return err
	}
	if p.cores > 0 {
		if p.gauge, err = local.StartGauge(ctx, []string{p.self, pokerArgument}, work); err != nil {
			return err
		}
		defer p.gauge.Close()
	}
	opts.Program = b.server()
	raw, err := t.profileStage(ctx, b, result.Name, opts, p, f)
	return t.reportProfile(raw, err, f, expectations)
}

// limits of requests: a load that saturates a slow application must not run into those
// that protect one.
const (
	profileTimeout  = 30 * time.Second
	profileInFlight = 4096
)

// profileStage runs the processes, measures them, and ends them.
func (t *tool) profileStage(ctx context.Context, b *builder, name string, opts stage.Options, p *pokers, f profileFlags) (raw *profile.Raw, err error) {
	s := newScreen(t.stderr, t.stderr, isTerminal(t.stderr))
	opts.Log = s
	opts.Gateway = gateway.New(gateway.Options{Timeout: profileTimeout + 2*time.Second, MaxInFlight: profileInFlight})
	defer opts.Gateway.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	t.progress("starting %d replicas", replicaCount(opts))
	running, err := stage.Start(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, running.Stop()) }()
	m := &monitor{name: name, address: "http://" + listener.Addr().String(), stage: running}
	server := m.server(opts.Gateway)
	go func() { _ = server.Serve(listener) }() // a load without answers says enough
	defer server.Close()
	do := f.opts
	do.Name, do.Services = name, p.services(opts)
	if do.Mix, err = t.packagesMix(ctx, b, m.address, f); err != nil {
		return nil, err
	}
	raw, err = t.measure(ctx, do, s)
	return raw, errors.Join(err, restarted(running))
}

// stage returns what to run but for the program, as up does, and the pokers of it.
func (f *packagesFlags) stage(b *builder, result *compiler.Result) (stage.Options, *pokers, error) {
	up := upFlags{replicas: f.replicas, timeout: profileTimeout, drain: 3 * time.Second, data: filepath.Join(b.work, "data")}
	opts, err := up.stage(b, result, []string{"--max-inflight", fmt.Sprint(profileInFlight)})
	if err != nil {
		return opts, nil, err
	}
	self, err := os.Executable()
	p := &pokers{self: self, dir: b.work, cores: f.each(replicaCount(opts))}
	opts.Parent = p.command
	return opts, p, err
}

// replicaCount counts the replicas of a stage.
func replicaCount(opts stage.Options) int {
	n := 0
	for _, s := range opts.Services {
		n += max(1, opts.Replicas[s])
	}
	return n
}

// restarted is the error of processes that did not live through the measurement.
func restarted(s *stage.Stage) error {
	var errs []error
	for _, r := range s.Replicas() {
		if r.Restarts > 0 {
			errs = append(errs, fmt.Errorf("%s ended during the measurement", r.Name()))
		}
	}
	return errors.Join(errs...)
}

// pokers starts processes, each under a poker. The storage process stands for a database
// of many machines: it is paused as all are, and has no limit.
type pokers struct {
	self, dir string
	cores     float64
	gauge     *local.Gauge // where there are cores
}

func (p *pokers) control(name string) string {
	return "unix:" + filepath.Join(p.dir, strings.ToLower(strings.ReplaceAll(name, "/", "-"))+".poker.sock")
}

func (p *pokers) command(name string) []string {
	args := []string{p.self, pokerArgument, "--control", p.control(name), "--name", name, "--grace", "5s"}
	if p.cores > 0 && name != stage.StorageService {
		args = append(args, "--cores", fmt.Sprintf("%.4f", p.cores), "--gauge", p.gauge.File)
	}
	return append(args, "--")
}

// services returns what a driver needs.
func (p *pokers) services(opts stage.Options) []driver.Service {
	var all []driver.Service
	for _, name := range opts.Services {
		s := driver.Service{Name: name}
		for n := range max(1, opts.Replicas[name]) {
			s.Replicas = append(s.Replicas, driver.Replica{Control: p.control(fmt.Sprintf("%s/%d", name, n+1))})
		}
		all = append(all, s)
	}
	return append(all, driver.Service{
		Name:       stage.StorageService,
		Background: true,
		Replicas:   []driver.Replica{{Control: p.control(stage.StorageService)}},
	})
}

// mixFile is the mix of an application, beside its packages.
const mixFile = "load.yaml"

// packagesMix returns what to send to the services of packages.
func (t *tool) packagesMix(ctx context.Context, b *builder, address string, f profileFlags) (*load.Mix, error) {
	if f.mix == "" && f.openapi == "" {
		f.mix = b.findMixFile()
	}
	if f.mix == "" {
		t.progress("there is no %s: one request for each method, with values of its schema", mixFile)
		f.openapi = address + "/openapi.json"
	}
	mix, err := t.readMix(ctx, nil, f.mixFlags)
	if err != nil {
		return nil, err
	}
	mix.Target = address
	return mix, nil
}

// findMixFile returns the file of the mix beside the packages, or "".
func (b *builder) findMixFile() string {
	for _, pattern := range append(slices.Clone(b.patterns), ".") {
		name := filepath.Join(strings.TrimSuffix(pattern, "..."), mixFile)
		if _, err := os.Stat(b.path(name)); !errors.Is(err, fs.ErrNotExist) {
			return name
		}
	}
	return ""
}
