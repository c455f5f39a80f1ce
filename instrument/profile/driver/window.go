package driver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold/instrument/profile"
)

// window measures one setting; it returns nil for one that cannot be measured.
func (r *run) window(ctx context.Context, s profile.Setting) (*profile.Window, error) {
	w := &profile.Window{Kind: s.Kind, Target: s.Target, Fraction: s.Fraction}
	var err error
	switch s.Kind {
	case profile.Baseline:
		w.Segments, err = plain(ctx, r.load, r.settling(s), r.opts.Window)
	case profile.Truth:
		w.Segments, err = r.truth(ctx, s)
	default:
		return r.phases(ctx, w)
	}
	if err == nil {
		w.Dropped = problem(w, 1)
	}
	return w, err
}

// truth measures with the target really faster.
func (r *run) truth(ctx context.Context, s profile.Setting) ([]profile.Segment, error) {
	var segs []profile.Segment
	err := r.setTruth(ctx, s.Target, s.Fraction)
	if err == nil {
		segs, err = plain(ctx, r.load, r.settling(s), r.opts.Window)
	}
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return segs, errors.Join(err, r.setTruth(back, s.Target, 0))
}

// setTruth makes all parts of a target really faster.
func (r *run) setTruth(ctx context.Context, target string, fraction float64) error {
	var errs []error
	for _, name := range profile.Parts(target) {
		errs = append(errs, r.opts.Truth(ctx, name, fraction))
	}
	return errors.Join(errs...)
}

// phases measures an experiment or a control. A control has the batch of an
// experiment in the middle of the range.
func (r *run) phases(ctx context.Context, w *profile.Window) (*profile.Window, error) {
	s, _ := r.raw.Target(w.Target)
	fraction := w.Fraction
	if w.Kind == profile.Control {
		fraction = 0.5
	}
	saved := fraction * s.Time / s.Cores
	batch, err := profile.Batch(saved, r.raw.Clients)
	if err != nil {
		if w.Kind == profile.Experiment {
			r.warn("%s by %.0f %% is left out: %v", w.Target, 100*w.Fraction, err)
			return nil, nil
		}
		batch = max(1, batch)
	}
	if w.Kind == profile.Experiment {
		w.Delta = fraction * s.Time
	}
	for {
		w.Batch = batch
		starved, err := r.phased(ctx, w, s)
		if err != nil || !starved {
			return w, err
		}
		if float64(batch/2)*saved < profile.MinPause.Seconds() {
			w.Dropped = "the target ran out of requests in pauses: use more clients"
			return w, nil
		}
		batch /= 2
		r.warn("%s ran out of requests in pauses: smaller batches from now on", w.Target)
	}
}

// phased measures a window with phases, and reports whether the target starved in it.
func (r *run) phased(ctx context.Context, w *profile.Window, s profile.Service) (starved bool, err error) {
	parts := profile.Parts(w.Target)
	e := &experiment{
		sys: r.sys, load: r.load, target: r.sys.find(parts[0]), route: profile.RouteOf(w.Target),
		batch: w.Batch, stops: map[*service]float64{},
		pause: float64(w.Batch) * w.Delta / s.Cores * float64(time.Second),
	}
	for _, svc := range r.sys.services {
		if part := r.raw.Pause(w.Target, svc.Name); part > 0 {
			e.stops[svc] = part
		}
	}
	if first, _ := r.raw.Target(parts[0]); r.measured[first.Name] && s.Ratio > 0 {
		e.work = float64(w.Batch) * first.Time * float64(time.Second) * first.Ratio / s.Ratio
	}
	w.Segments, err = e.run(ctx, r.settling(profile.Setting{Target: w.Target, Fraction: w.Fraction}), r.opts.Window)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil && w.Segments == nil:
		return false, err
	case err != nil:
		w.Dropped = "a pause failed: " + err.Error()
		return false, nil
	}
	w.Dropped = problem(w, s.Cores)
	var t profile.Totals
	for _, seg := range w.Segments {
		t.Add(seg)
	}
	return w.Dropped == "" && len(parts) == 1 && len(e.target.pokers) == 1 && e.busy.starved(s.Cores, t.Paused/t.Wall), nil
}

// wrongPause is the relative error of the pauses of a window above which it is not
// used: the machine did something else.
const wrongPause = 0.10

// problem applies the rules by which windows are not used.
func problem(w *profile.Window, cores float64) string {
	var t profile.Totals
	errs := int64(0)
	for _, s := range w.Segments {
		t.Add(s)
		errs += s.Errors
	}
	ordered := t.Target * t.Each(w.Delta/cores)
	switch {
	case t.Requests == 0:
		return "no request was answered"
	case float64(errs) > mostErrors*(t.Requests+float64(errs)):
		return fmt.Sprintf("%d requests failed", errs)
	case w.Kind != profile.Baseline && w.Kind != profile.Truth && t.Phases < leastPhases:
		return fmt.Sprintf("only %.0f phases: the target gets too few requests", t.Phases)
	case ordered > 0 && relative(t.Paused, ordered) > wrongPause:
		return fmt.Sprintf("pauses took %.0f ms, %.0f were ordered", 1000*t.Paused, 1000*ordered)
	}
	return ""
}
