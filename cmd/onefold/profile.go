package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/driver"
	"github.com/onefold/onefold/instrument/profile/local"
)

const profileHelp = `Profile says how much faster an application would be if one of its services were:
causal profiling. To see what a faster service would give, all others are paused, for as
long as it would have saved, and the pauses are taken out of the measurement.

Of packages, by default everything below the current folder, it compiles the services and
starts each as a process of its own behind a gateway, as onefold up does, with an empty
store. What to send is load.yaml beside the packages, --mix, or else one request for each
method. Each replica gets a slow processor of its own (--cores), so that many fit on this
machine: the result is that of a cluster where each replica has as many cores. It is a steady
one: how fast this machine is at the moment is measured beside it, since who works on the
other thread of a core can make everything half as fast. The storage process, in place of a
database, is paused as all are, but not limited. With --share they share this machine's
processors, and the result is that of this machine.

Of a file that names other services and what to send, it profiles those:

  name: shop
  build: ["go build -o bin/ ./cmd/..."]        # optional
  services:
    - name: front
      command: [bin/front, --listen, "127.0.0.1:9000"]
      address: 127.0.0.1:9000                  # ready when it can be reached
    - name: cart
      command: [bin/cart]
      address: 127.0.0.1:9001
      env: {DB: 127.0.0.1:9100}
      ready: http://127.0.0.1:9001/healthz     # optional
      cores: 1                                 # if it cannot use all of the machine's
    - name: search
      command: [bin/search]
      address: 127.0.0.1:9002
      limit: 0.2                               # or if it is to have a slow processor of its own
    - name: mail
      control: ["tcp:127.0.0.1:7001"]          # runs already, under a poker
      token: $POKER_TOKEN
  load:                                        # as of onefold load; or mix: FILE
    target: http://127.0.0.1:9000
    requests:
      - {path: /buy, body: {user: "u-${int:1-1000}"}}

In a cluster (--kubernetes NAME) it profiles an application that was deployed with
profile: {} in onefold.yaml, which puts a poker in front of each replica. The token of
the pokers is a secret that you make:

  kubectl create secret generic NAME-poker --from-literal token=$(openssl rand -hex 16)

Their control channels are reached through the API server, as kubectl port-forward does.
The load comes from here, so --mix needs a target that reaches the cluster.

Services of a file have to be instrumented to be profiled (onefold instrument); others
are only paused. One with neither command nor control, such as a database elsewhere, cannot
even be paused: name it with its address, and the time of one request if you know it,
and predictions that it may limit have intervals that reach down to what is sure.

The raw measurement is kept, and onefold profile report makes every report of it again. An
interrupt ends the measurement and reports what there is.

A service with twice the replicas is one that takes half the time of a request, 50 %. A
target can also be one route of a service (--targets 'cart:GET /items'): what is taken away is
that share of the mean request's time, from the requests of the route only.

Profile refuses what would make it wrong: services that a quota of processor time
throttles, and loads whose requests fail.`

const profileExample = `  onefold profile ./...
  onefold profile ./... --replicas frontend=2 --budget 10m --out reports
  onefold profile shop.yaml --targets cart,mail,cart+mail --faster 25,50
  onefold profile shop.yaml --targets 'cart:GET /items'
  onefold profile --kubernetes travel --mix load.yaml
  onefold profile shop.yaml --expect 'cart@50% > 1.4x'`

// profileFlags are the flags of profile.
type profileFlags struct {
	reportFlags
	mixFlags
	opts     driver.Options
	percents []float64
	interval float64
	packages packagesFlags
	cluster  clusterFlags
	raw      string
	keys     bool
}

func (t *tool) profileCommand() *cobra.Command {
	var f profileFlags
	cmd := &cobra.Command{
		Use:     "profile [packages | APP.yaml]",
		Short:   "predict what a faster service would give",
		Long:    profileHelp,
		Example: profileExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			expectations, err := f.check(args)
			if err != nil {
				return err
			}
			if runtime.GOOS != "linux" {
				return errors.New("pausing services exactly needs Linux")
			}
			if err := t.makeWay(f); err != nil {
				return err
			}
			switch {
			case f.cluster.application != "":
				return t.profileCluster(cmd.Context(), f, expectations)
			case isFile(args):
				return t.profileFile(cmd.Context(), args[0], f, expectations)
			}
			return t.profilePackages(cmd.Context(), args, f, expectations)
		},
	}
	f.reportFlags.add(cmd)
	f.mixFlags.add(cmd)
	f.packages.add(cmd)
	f.cluster.add(cmd)
	cmd.Flags().StringSliceVar(&f.opts.Targets, "targets", nil, "profile only these `targets`: services; a+b is both at once, and a:ROUTE, as in 'cart:GET /items', one route of a")
	cmd.Flags().Float64SliceVar(&f.percents, "faster", []float64{25, 50, 75}, "`percentages` of a service's time to take away")
	cmd.Flags().IntVar(&f.opts.Load.Clients, "clients", 0, "requests under way at a time; default the file's, or 64")
	cmd.Flags().IntVar(&f.opts.MaxClients, "max-clients", 0, "raise the clients up to `n` where pauses would be too short; default 256")
	cmd.Flags().IntVar(&f.opts.Repetitions, "repetitions", 8, "measure every point `n` times")
	cmd.Flags().DurationVar(&f.opts.Window, "window", time.Second, "`time` of one measurement")
	cmd.Flags().DurationVar(&f.opts.Settle, "settle", 500*time.Millisecond, "`time` before each")
	cmd.Flags().Float64Var(&f.interval, "interval", 3, "repeat what is less certain than `percent`, while the budget lasts")
	cmd.Flags().DurationVar(&f.opts.Budget, "budget", 0, "`time` to fill, with more repetitions or fewer; default: the repetitions")
	cmd.Flags().Uint64Var(&f.opts.Seed, "seed", 1, "`number` that decides the order of experiments")
	cmd.Flags().BoolVar(&f.opts.AllowQuota, "allow-quota", false, "measure services with a quota of processor time, whose predictions are wrong")
	cmd.Flags().BoolVar(&f.keys, "idempotency-keys", false, "send a new Idempotency-Key with each request")
	cmd.Flags().StringVar(&f.raw, "raw", "profile-raw.json", "`file` for the raw measurement")
	cmd.AddCommand(t.profileReportCommand())
	t.compileFlags(cmd)
	return cmd
}

// isFile reports whether the arguments are the file of an application, not packages.
func isFile(args []string) bool {
	return len(args) == 1 && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(args[0]))
}

// check finds wrong usage before anything long is done.
func (f *profileFlags) check(args []string) ([]profile.Expectation, error) {
	for _, p := range f.percents {
		f.opts.Fractions = append(f.opts.Fractions, p/100)
	}
	if err := profile.CheckFractions(f.opts.Fractions); err != nil {
		return nil, usageError{err}
	}
	f.opts.Interval = f.interval / 100
	f.opts.Load.IdempotencyKeys, f.opts.Load.Seed = f.keys, f.opts.Seed
	if err := errors.Join(f.packages.check(isFile(args)), f.checkCluster(args)); err != nil {
		return nil, usageError{err}
	}
	return f.reportFlags.check()
}

// profileFile profiles the application that a file describes.
func (t *tool) profileFile(ctx context.Context, file string, f profileFlags, expectations []profile.Expectation) error {
	config, err := local.ReadConfig(t.path(file))
	if err != nil {
		return err
	}
	opts, err := t.fileOptions(ctx, config, f)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	t.progress("starting %d services", len(config.Services))
	sys, err := local.Start(ctx, config, []string{self, pokerArgument})
	if err != nil {
		return err
	}
	opts.Services = sys.Services()
	raw, err := t.measure(ctx, opts, newScreen(t.stderr, t.stderr, isTerminal(t.stderr)))
	return t.reportProfile(raw, errors.Join(err, sys.Close()), f, expectations)
}

// measure measures with progress on a screen.
func (t *tool) measure(ctx context.Context, opts driver.Options, s *screen) (*profile.Raw, error) {
	if s.live {
		opts.Progress = func(p driver.Progress) { s.table(progressLine(p)) }
	}
	raw, err := driver.Run(ctx, opts)
	s.table("")
	return raw, err
}

// progressLine says what is being measured.
func progressLine(p driver.Progress) string {
	if p.Total == 0 {
		return p.Doing + "\n"
	}
	const width = 24
	done := strings.Repeat("#", width*min(p.Done, p.Total)/p.Total)
	return fmt.Sprintf("[%-*s] %d of %d, %v left: %s\n", width, done, p.Done+1, max(p.Total, p.Done+1), p.Left.Round(time.Second), p.Doing)
}

// makeWay makes the folders of what a profile writes, before anything is measured.
func (t *tool) makeWay(f profileFlags) error {
	folders := []string{filepath.Dir(t.path(f.raw))}
	if f.out != "" {
		folders = append(folders, t.path(f.out))
	}
	for _, dir := range folders {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// reportProfile keeps and reports what was measured until an error, if that ended it.
func (t *tool) reportProfile(raw *profile.Raw, err error, f profileFlags, expectations []profile.Expectation) error {
	if raw == nil || len(raw.Windows) == 0 {
		return err
	}
	if err != nil {
		raw.Warnings = append(raw.Warnings, "the measurement is not complete: "+err.Error())
	}
	written := writeFile(t.path(f.raw), raw.Write)
	if written == nil {
		t.progress("the raw measurement is in %s", f.raw)
	}
	return errors.Join(err, written, t.printReports(raw, f.reportFlags, expectations))
}

// fileOptions are the options of a measurement but for its services.
func (t *tool) fileOptions(ctx context.Context, config *local.Config, f profileFlags) (driver.Options, error) {
	opts := f.opts
	opts.Name = config.Name
	if opts.Load.Clients == 0 {
		opts.Load.Clients = config.Clients
	}
	var err error
	if f.mix != "" || f.openapi != "" {
		opts.Mix, err = t.readMix(ctx, nil, f.mixFlags)
		return opts, err
	}
	if opts.Mix, err = config.Requests(); err == nil && opts.Mix == nil {
		err = errors.New("nothing to send: the file has neither load nor mix, and there is no --mix or --openapi")
	}
	if err == nil && f.protocol != "" {
		opts.Mix.Protocol = load.Protocol(f.protocol)
	}
	return opts, err
}
