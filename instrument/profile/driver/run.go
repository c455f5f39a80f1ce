package driver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile"
)

// run is one measurement under way.
type run struct {
	opts    Options
	sys     *system
	raw     *profile.Raw
	begun   time.Time
	targets []string
	// measured are the services whose time of a request is processor time, as measured: it
	// changes. That of synthetic ones, and what the options say, does not.
	measured map[string]bool

	load     *load.Runner
	endLoad  context.CancelFunc
	loadDone chan error
	setting  profile.Setting // that the system is under
	done     int             // windows
	first    time.Time

	canary    *canary
	own       float64 // noise of the services and the load themselves
	again     int     // windows that were measured again
	disturbed int     // windows that were not
}

func (r *run) warn(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(r.raw.Warnings, text) {
		r.raw.Warnings = append(r.raw.Warnings, text)
	}
}

// measure is the whole run: the system as it is, the repetitions that were asked
// for, and more of them for what is not sure enough.
func (r *run) measure(ctx context.Context) error {
	if len(r.opts.Mix.Setup) > 0 {
		r.opts.Progress(Progress{Doing: "sending what comes before the load"})
		if err := load.Setup(ctx, r.opts.Mix, r.opts.Load); err != nil {
			return err
		}
	}
	if err := r.startLoad(ctx, r.opts.Load.Clients); err != nil {
		return err
	}
	if err := r.prerun(ctx); err != nil {
		return err
	}
	if need := r.needClients(); need > r.opts.Load.Clients {
		r.warn("raised the clients from %d to %d, so that batches are large enough for exact pauses", r.opts.Load.Clients, need)
		if err := r.startLoad(ctx, need); err != nil {
			return err
		}
		if err := r.prerun(ctx); err != nil {
			return err
		}
	}
	r.first = time.Now()
	total := r.opts.Repetitions * len(r.order(0, r.targets))
	defer func() {
		for i, svc := range r.sys.services {
			r.raw.Services[i].Egress = svc.egress.describe()
		}
		if r.disturbed > 0 {
			r.warn("%d of %d windows were measured while the machine was busy with other things", r.disturbed, len(r.raw.Windows))
		}
	}()
	for rep := range r.opts.Repetitions {
		if rep > 0 && r.opts.Budget > 0 && time.Since(r.begun)+time.Since(r.first)/time.Duration(rep) > r.opts.Budget {
			r.warn("the budget of %v ended the measurement after %d of %d repetitions", r.opts.Budget, rep, r.opts.Repetitions)
			return nil
		}
		if err := r.repetition(ctx, rep, r.order(rep, r.targets), total); err != nil {
			return err
		}
	}
	return r.further(ctx)
}

// startLoad starts the load with a number of clients, in place of one that runs.
func (r *run) startLoad(ctx context.Context, clients int) error {
	r.stopLoad()
	opts := r.opts.Load
	opts.Clients, opts.Duration, opts.Requests = clients, 0, 0
	runner, err := load.New(ctx, r.opts.Mix, opts)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	r.opts.Load.Clients, r.raw.Clients, r.load = clients, clients, runner
	ctx, r.endLoad = context.WithCancel(ctx)
	r.loadDone = make(chan error, 1)
	go func() {
		_, err := runner.Run(ctx)
		r.loadDone <- err
	}()
	return nil
}

// stopLoad ends the load and waits for it.
func (r *run) stopLoad() {
	if r.endLoad != nil {
		r.endLoad()
		<-r.loadDone // the windows say how it went
		r.endLoad = nil
	}
}

// order returns the settings of a repetition; where the truth can be had, it is
// measured next to every prediction, before or after it by turns.
func (r *run) order(rep int, targets []string) []profile.Setting {
	order := profile.Order(targets, r.opts.Fractions, rep, r.opts.Repetitions, r.opts.Seed)
	if r.opts.Truth == nil {
		return order
	}
	var with []profile.Setting
	for i, s := range order {
		if s.Kind != profile.Experiment {
			with = append(with, s)
			continue
		}
		truth := s
		truth.Kind = profile.Truth
		pair := []profile.Setting{s, truth}
		if (i+rep)%2 == 1 {
			slices.Reverse(pair)
		}
		with = append(with, pair...)
	}
	return with
}

func (r *run) repetition(ctx context.Context, rep int, order []profile.Setting, total int) error {
	for _, s := range order {
		each := r.opts.Window + r.opts.Settle
		if r.done > 0 {
			each = time.Since(r.first) / time.Duration(r.done)
		}
		r.opts.Progress(Progress{Doing: describe(s), Done: r.done, Total: total, Left: time.Duration(max(0, total-r.done)) * each})
		if err := r.quiet(ctx, s, rep, total); err != nil {
			return fmt.Errorf("%s: %w", describe(s), err)
		}
		r.done++
	}
	return nil
}

// noisy is the share of time that a window may lose to other things on the machine, beyond
// what it loses to the services and the load themselves.
const noisy = 0.03

// quiet measures a setting, and again when the machine was busy with something
// else: twice at most, and not more than half as many windows in all as were planned.
func (r *run) quiet(ctx context.Context, s profile.Setting, rep, total int) error {
	for try := 0; ; try++ {
		noise := r.canary.listen()
		w, err := r.window(ctx, s)
		if err != nil || w == nil {
			return err
		}
		w.Noise = noise()
		last := w.Noise <= r.own+noisy || try == 2 || r.again >= total/2
		if !last && w.Dropped == "" {
			w.Dropped = fmt.Sprintf("the machine was busy with other things for %.0f %% of the time", 100*w.Noise)
		}
		w.Seq, w.Repetition = len(r.raw.Windows), rep
		r.raw.Windows = append(r.raw.Windows, *w)
		if last {
			if w.Noise > r.own+noisy {
				r.disturbed++
			}
			return nil
		}
		r.again++
	}
}

func describe(s profile.Setting) string {
	switch s.Kind {
	case profile.Experiment:
		return fmt.Sprintf("%s faster by %.0f %%", s.Target, 100*s.Fraction)
	case profile.Truth:
		return fmt.Sprintf("%s really faster by %.0f %%", s.Target, 100*s.Fraction)
	}
	return string(s.Kind)
}

// further repeats what is not sure enough, as long as the budget lasts.
func (r *run) further(ctx context.Context) error {
	for rep := r.opts.Repetitions; ; rep++ {
		unsure := r.unsure()
		order := r.order(rep, unsure)
		if cost := time.Duration(len(order)) * (r.opts.Window + r.opts.Settle); len(unsure) == 0 || time.Since(r.begun)+cost > r.opts.Budget {
			return nil
		}
		if err := r.repetition(ctx, rep, order, r.done+len(order)); err != nil {
			return err
		}
	}
}

// unsure returns the targets with an interval that is too wide.
func (r *run) unsure() []string {
	res, err := profile.Analyse(r.raw)
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range res.Services {
		if slices.ContainsFunc(s.Points, func(p profile.Point) bool { return p.Predicted.HalfWidth() > r.opts.Interval }) {
			names = append(names, s.Name)
		}
	}
	return names
}
