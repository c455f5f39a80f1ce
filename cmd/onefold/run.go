package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/compiler"
)

const runHelp = `Run compiles the packages, by default everything below the current folder, and
serves all their services in one process on the embedded store. Nothing is
written to your tree: the compiled packages exist in an overlay only, and a
module that does not require onefold need not.

While it runs, onefold watches the packages. When they change it compiles them
again and restarts the server with the same data; when they do not compile, it
says why and the old server goes on.

What follows -- goes to the server, which has further flags; see
onefold run PACKAGES -- --help.`

const runExample = `  onefold run ./...
  onefold run --listen 127.0.0.1:9000 --data /var/lib/travel ./...
  onefold run ./... -- --timeout 2s --log-requests 100`

// runFlags are the flags of run.
type runFlags struct {
	listen, data, name, token string
	reload                    bool
}

func (t *tool) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:     "run [packages] [-- server flags]",
		Short:   "compile, and serve on the embedded store",
		Long:    runHelp,
		Example: runExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			var server []string
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				args, server = args[:n], args[n:]
			}
			return t.run(cmd.Context(), args, server, f)
		},
	}
	cmd.Flags().StringVar(&f.listen, "listen", "", "`address` to serve at; default 127.0.0.1:8080")
	cmd.Flags().StringVar(&f.data, "data", "", "`folder` that keeps the state; default .onefold/NAME")
	cmd.Flags().StringVar(&f.token, "admin-token", "", "`secret` for the console and the operators' API; default $ONEFOLD_TOKEN; needed at an address that others reach")
	cmd.Flags().StringVar(&f.name, "name", "", "call the application `name`")
	cmd.Flags().BoolVar(&f.reload, "reload", true, "compile again when the packages change")
	t.compileFlags(cmd)
	return cmd
}

// server returns the server's command line.
func (f runFlags) server(rest []string) []string {
	var args []string
	if f.listen != "" {
		args = append(args, "--listen", f.listen)
	}
	if f.data != "" {
		args = append(args, "--data", f.data)
	}
	if f.token != "" {
		args = append(args, "--admin-token", f.token)
	}
	return append(args, rest...)
}

func (t *tool) run(ctx context.Context, patterns, rest []string, f runFlags) error {
	work, err := os.MkdirTemp("", "onefold-run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := &builder{tool: t, work: work, patterns: patterns, name: f.name}
	first, err := b.build(ctx)
	if err != nil {
		return err
	}
	r := &runner{builder: b, args: f.server(rest)}
	if f.reload {
		if err := r.watch(first.Program); err != nil {
			return fmt.Errorf("watch packages: %w", err)
		}
		defer r.watcher.Close()
	}
	return r.serve(ctx)
}

// progress says on a terminal what takes a while.
func (t *tool) progress(format string, args ...any) {
	if isTerminal(t.stderr) {
		fmt.Fprintf(t.stderr, format+"\n", args...)
	}
}

// compile compiles the packages for a build in an overlay of the module.
func (b *builder) compile(ctx context.Context) (*compiler.Result, *userModule, error) {
	b.progress("compiling")
	opts := b.options(b.patterns)
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, nil, err
	}
	m, err := findModule(dir)
	if err != nil {
		return nil, nil, err
	}
	opts.Out, opts.Name, opts.AbsoluteLines = freeFolder(m.dir), b.name, true
	result, err := compiler.Compile(ctx, opts)
	if err != nil {
		return nil, nil, err
	}
	if err := b.report(result.Diagnostics); err != nil {
		return nil, nil, err
	}
	if len(result.Program.Services) == 0 {
		return nil, nil, errNoServices
	}
	return result, m, nil
}

// freeFolder returns a folder in dir that does not exist, for the overlay.
func freeFolder(dir string) string {
	entries, _ := os.ReadDir(dir) // a folder that cannot be read has no name to clash with
	name := "onefoldrun"
	for slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == name }) {
		name += "x"
	}
	return filepath.Join(dir, name)
}
