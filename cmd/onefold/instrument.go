package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/instrument/inject"
)

const instrumentHelp = `Instrument puts the counters and delay points of causal profiling into the programs
of any Go module. It finds by type where handlers are registered, and where servers and
clients are made: net/http, chi, gorilla/mux, gin, echo, gRPC, Connect, Twirp. Each
request is counted once, for its innermost route, and each call by the host it goes to.
Handlers get the request and the writer that they would get otherwise.

No file is touched. What follows -- is run with the instrumented source in the place of
the module's, by whatever calls the go command. Without it, an overlay is written, for
go build -overlay. The module need not know onefold: what it runs comes along as source.

  //onefold:skip          beside a place, above it, or above a function, leaves it out
  //onefold:point NAME    above a function counts its calls, for work that is no request

Routes for health, metrics and profiles are left out by themselves: /healthz, /livez,
/readyz, /health, /healthcheck, /heartbeat, /metrics, /debug/pprof, /debug/vars, /-, and
all below them. What cannot be instrumented is an error that says so. Services that onefold
compiles are measured without any of this.`

const instrumentExample = `  onefold instrument -- go build -o bin/ ./cmd/...
  onefold instrument -- go test ./...
  onefold instrument -- make                      # whatever runs go build
  onefold instrument ./...                        # go build -overlay .onefold/instrument.json ./...
  onefold instrument --json ./... | jq .sites     # what is measured, and where
  onefold instrument -d ./...                     # show what changes
  onefold instrument -o ../shop-slow              # a copy of the module, to build elsewhere`

// instrumentFlags are the flags of instrument.
type instrumentFlags struct {
	overlay, out string
	diff, json   bool
	command      []string
}

func (t *tool) instrumentCommand() *cobra.Command {
	var f instrumentFlags
	cmd := &cobra.Command{
		Use:     "instrument [packages] [-- command]",
		Short:   "prepare any Go program for causal profiling",
		Long:    instrumentHelp,
		Example: instrumentExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				args, f.command = args[:n], args[n:]
				if len(f.command) == 0 {
					return usageError{errors.New("nothing to run after --")}
				}
			}
			if err := oneResult(cmd, f); err != nil {
				return err
			}
			return t.instrument(cmd.Context(), args, f)
		},
	}
	cmd.Flags().StringVar(&f.overlay, "overlay", ".onefold/instrument.json", "write the overlay to `file`, and its sources beside it")
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "write a copy of the module to `dir` instead")
	cmd.Flags().BoolVarP(&f.diff, "diff", "d", false, "print what changes in the module's files, and write nothing")
	cmd.Flags().BoolVar(&f.json, "json", false, "print what is measured as JSON, and write nothing")
	cmd.Flags().StringSliceVar(&t.tags, "tags", nil, "build `tags`, separated by commas")
	return cmd
}

// oneResult refuses two results at once.
func oneResult(cmd *cobra.Command, f instrumentFlags) error {
	n := min(len(f.command), 1)
	for _, name := range []string{"overlay", "output", "diff", "json"} {
		if cmd.Flags().Changed(name) {
			n++
		}
	}
	if n > 1 {
		return usageError{errors.New("want one of --overlay, --output, --diff, --json and a command")}
	}
	return nil
}

func (t *tool) instrument(ctx context.Context, patterns []string, f instrumentFlags) error {
	opts := inject.Options{Dir: t.dir, Patterns: patterns, Tags: t.tags}
	if f.out != "" {
		var err error
		if opts.Out, err = filepath.Abs(t.path(f.out)); err != nil {
			return err
		}
	}
	t.progress("reading packages")
	res, err := inject.Instrument(ctx, opts)
	if err != nil {
		return err
	}
	if f.json {
		return t.instrumentJSON(res)
	}
	if err := t.report(&res.Diagnostics); err != nil {
		return err
	}
	if len(res.Sites) == 0 {
		fmt.Fprintf(t.stderr, "%s: no servers, routes or clients found; nothing to measure\n", res.Module.Path)
	}
	switch {
	case len(f.command) > 0:
		return t.runInstrumented(ctx, res, f.command)
	case f.diff:
		return t.instrumentDiff(res)
	case f.out != "":
		return t.writeInstrumented(res, opts.Out, f.out)
	}
	return t.writeOverlay(res, t.path(f.overlay), f.overlay)
}

// runInstrumented runs a command whose go commands see the instrumented source.
func (t *tool) runInstrumented(ctx context.Context, res *inject.Result, command []string) error {
	dir, err := os.MkdirTemp("", "onefold-instrument-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay := filepath.Join(dir, "overlay.json")
	if err := makeOverlay(res, overlay); err != nil {
		return err
	}
	t.progress("%s", summary(res))
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = t.dir, t.stdin, t.stdout, t.stderr
	flags := exec.CommandContext(ctx, "go", "env", "GOFLAGS") // not the environment's alone
	flags.Dir = t.dir
	given, err := flags.Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	// go test would run vet in the runtime's folders, which are not on disk.
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(strings.TrimSpace(string(given))+" '-overlay="+overlay+"' -vet=off"))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	if cmd.ProcessState != nil && !cmd.ProcessState.Success() {
		return statusError(max(cmd.ProcessState.ExitCode(), exitFailure))
	}
	return err
}

// writeOverlay writes the overlay and says how to use it.
func (t *tool) writeOverlay(res *inject.Result, name, given string) error {
	if err := makeOverlay(res, name); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%s\n\n\tgo build -overlay %s ./...\n", summary(res), given)
	return nil
}

// makeOverlay writes the overlay to a file, and the sources to a folder beside it.
func makeOverlay(res *inject.Result, name string) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	dir := strings.TrimSuffix(name, filepath.Ext(name)) + ".src"
	if err := checkOverlay(name, dir); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	replace := map[string]string{}
	for _, f := range res.Files {
		rel, err := filepath.Rel(res.Module.Dir, f.Name)
		if err != nil {
			return err
		}
		replace[f.Name] = filepath.Join(dir, rel)
		if err := (change{file: replace[f.Name], new: f.Data}).apply(); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "  ")
	if err != nil {
		return err
	}
	return change{file: name, new: append(data, '\n')}.apply()
}

// checkOverlay refuses to write an overlay over what is none, or its sources over a folder
// that has nothing to do with it.
func checkOverlay(name, dir string) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); err == nil {
			return fmt.Errorf("%s is there without an overlay: remove it, or name another --overlay", dir)
		}
		return nil
	}
	if err != nil {
		return err
	}
	var old struct{ Replace map[string]string }
	if err := json.Unmarshal(data, &old); err != nil || old.Replace == nil {
		return fmt.Errorf("%s is no overlay: name another --overlay", name)
	}
	return nil
}

// instrumentDiff prints what changes in the module's own files, and the names of new ones.
func (t *tool) instrumentDiff(res *inject.Result) error {
	for _, f := range res.Files {
		old, err := os.ReadFile(f.Name)
		switch {
		case os.IsNotExist(err):
			if rel, err := filepath.Rel(res.Module.Dir, f.Name); err == nil {
				fmt.Fprintf(t.stdout, "new: %s\n", filepath.ToSlash(rel))
			}
			continue
		case err != nil:
			return err
		}
		text, err := change{file: f.Name, old: old, new: f.Data}.diff()
		if err != nil {
			return err
		}
		fmt.Fprint(t.stdout, text)
	}
	return nil
}

// site is a place as JSON.
type site struct {
	File    string      `json:"file"`
	Line    int         `json:"line"`
	Column  int         `json:"column"`
	Kind    inject.Kind `json:"kind"`
	What    string      `json:"what"`
	Name    string      `json:"name,omitempty"`
	Skipped string      `json:"skipped,omitempty"`
}

func (t *tool) instrumentJSON(res *inject.Result) error {
	out := struct {
		Module      inject.Module `json:"module"`
		Sites       []site        `json:"sites"`
		Diagnostics []finding     `json:"diagnostics"`
	}{res.Module, []site{}, []finding{}}
	for _, s := range res.Sites {
		out.Sites = append(out.Sites, site{s.Pos.Filename, s.Pos.Line, s.Pos.Column, s.Kind, s.What, s.Name, s.Skipped})
	}
	for _, d := range res.Diagnostics.Sorted() {
		out.Diagnostics = append(out.Diagnostics, newFinding(d))
	}
	enc := json.NewEncoder(t.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	if res.Diagnostics.HasErrors() {
		return errFindings
	}
	return nil
}

// summary says how much is measured.
func summary(res *inject.Result) string {
	count := map[inject.Kind]int{}
	skipped := 0
	for _, s := range res.Sites {
		if s.Skipped != "" {
			skipped++
			continue
		}
		count[s.Kind]++
	}
	var parts []string
	for _, k := range []inject.Kind{inject.Route, inject.Server, inject.Client, inject.Point} {
		if n := count[k]; n > 0 {
			parts = append(parts, plural(n, string(k)))
		}
	}
	text := res.Module.Path + ": " + strings.Join(parts, ", ")
	if skipped > 0 {
		text += fmt.Sprintf("; %d left out", skipped)
	}
	return text
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
