package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/manifests/patch"
)

const patchHelp = `Patch adds to Kubernetes manifests that somebody else wrote what profiling and
steering need: poker before the command of each workload's container, Slowpoke's
environment, and annotations for the throttle controller. Comments, order, quotes
and blank lines stay as they are. Patching again changes nothing.

The images must have poker where --poker says. The result goes to standard
output, or with --write back to the files; if anything in any of them cannot be patched,
nothing is written.`

const patchExample = `  onefold manifests patch --target cart --delay 50us shop.yaml | kubectl apply -f -
  onefold manifests patch --prerun --write deploy/*.yaml
  onefold manifests patch --throttle ratio=0.1,min=100m,max=2 -d shop.yaml
  onefold manifests patch --target cart --entrypoint web=/app/web shop.yaml`

// patchFlags are the flags of patch.
type patchFlags struct {
	poker, target           string
	delay                   time.Duration
	batch                   int
	prerun, write, diff     bool
	throttle                map[string]string
	containers, entrypoints map[string]string
}

func (t *tool) patchCommand() *cobra.Command {
	var f patchFlags
	cmd := &cobra.Command{
		Use:     "patch FILE...",
		Short:   "prepare other people's manifests for profiling and steering",
		Long:    patchHelp,
		Example: patchExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("name the files to patch")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			opts, err := f.options()
			if err != nil {
				return usageError{err}
			}
			return t.patch(args, opts, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.poker, "poker", "/usr/bin/poker", "`path` of poker in the images")
	flags.StringVar(&f.target, "target", "", "`workload` that shall be virtually faster")
	flags.DurationVar(&f.delay, "delay", 0, "pause of the others for each request")
	flags.IntVar(&f.batch, "batch", 100, "`requests` of the target between two pauses")
	flags.BoolVar(&f.prerun, "prerun", false, "count requests")
	flags.StringToStringVar(&f.throttle, "throttle", nil, "`bounds` for the throttle controller: ratio, min, max")
	flags.StringToStringVar(&f.containers, "container", nil, "patch another than the first container, as `workload=container`")
	flags.StringToStringVar(&f.entrypoints, "entrypoint", nil, "command where the manifest has none, as `container=command`")
	flags.BoolVarP(&f.write, "write", "w", false, "write the files")
	flags.BoolVarP(&f.diff, "diff", "d", false, "print how the files would change")
	return cmd
}

// options checks the flags and turns them into what to add.
func (f *patchFlags) options() (patch.Options, error) {
	opts := patch.Options{Target: f.target, Containers: f.containers, Entrypoints: f.entrypoints}
	profile := f.target != "" || f.prerun
	switch {
	case !profile && len(f.throttle) == 0:
		return opts, errors.New("nothing to add; want --target, --prerun or --throttle")
	case f.delay < 0 || f.batch < 1:
		return opts, errors.New("--delay must not be negative, and --batch must be above zero")
	case f.delay > 0 && f.target == "":
		return opts, errors.New("--delay pauses the others; name the target with --target")
	case f.write && f.diff:
		return opts, errors.New("want one of --write and --diff")
	}
	for _, key := range []string{"ratio", "min", "max"} {
		if value, ok := f.throttle[key]; ok {
			opts.Annotations = append(opts.Annotations, patch.Variable{Name: "onefold.dev/throttle-" + key, Value: value})
		}
	}
	if len(opts.Annotations) < len(f.throttle) {
		return opts, errors.New("--throttle knows ratio, min and max")
	}
	if profile {
		opts.Poker = f.poker
		opts.Variables, opts.OfTarget = f.variables(false), f.variables(true)
	}
	return opts, nil
}

// variables returns Slowpoke's environment.
func (f *patchFlags) variables(target bool) []patch.Variable {
	delay := f.delay
	if target {
		delay = 0
	}
	return []patch.Variable{
		{Name: "SLOWPOKE_DELAY_MICROS", Value: strconv.FormatInt(delay.Microseconds(), 10)},
		{Name: "SLOWPOKE_IS_TARGET_SERVICE", Value: strconv.FormatBool(target)},
		{Name: "SLOWPOKE_POKER_BATCH_THRESHOLD", Value: strconv.Itoa(f.batch)},
		{Name: "SLOWPOKE_PRERUN", Value: strconv.FormatBool(f.prerun)},
	}
}

func (t *tool) patch(files []string, opts patch.Options, f patchFlags) error {
	var changes []change
	var texts, workloads []string
	var errs []error
	for _, file := range files {
		old, err := os.ReadFile(t.path(file))
		if err != nil {
			return err
		}
		result, err := patch.Patch(file, old, opts)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, w := range result.Warnings {
			fmt.Fprintf(t.stderr, "warning: %s\n", w)
		}
		workloads = append(workloads, result.Workloads...)
		texts = append(texts, string(result.Data))
		if string(old) != string(result.Data) {
			changes = append(changes, change{file: t.path(file), old: old, new: result.Data})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := hasTarget(f.target, workloads); err != nil {
		return err
	}
	switch {
	case f.diff:
		return t.show(changes, false)
	case f.write:
		return applyAll(changes)
	}
	_, err := fmt.Fprint(t.stdout, strings.Join(texts, "---\n"))
	return err
}

// hasTarget finds a target that is not among the workloads.
func hasTarget(target string, workloads []string) error {
	if len(workloads) == 0 {
		return errors.New("the files have no workloads: no Deployment, StatefulSet, DaemonSet, Pod or Knative Service")
	}
	for _, w := range workloads {
		if target == "" || w == target {
			return nil
		}
	}
	return fmt.Errorf("the files have no workload %q; they have %s", target, strings.Join(workloads, ", "))
}
