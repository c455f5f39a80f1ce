package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/compiler/diag"
)

const rootHelp = `onefold compiles plain Go services into exactly-once services.

A service is an ordinary struct marked //onefold:service. Its fields are its
state, its exported methods its endpoints, and fields that point to other
services its dependencies. onefold keeps the state in a transactional store, so
that requests survive crashes, retries and duplicates.`

const rootExample = `  onefold check ./...       # what cannot be compiled, and why
  onefold run ./...         # compile, and serve on 127.0.0.1:8080
  onefold up ./...          # the same as many processes behind a gateway
  onefold generate ./...    # write the compiled packages to ./gen`

// tool is what the commands share.
type tool struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	dir            string   // -C
	tags           []string // --tags
	dump           string   // --dump
}

func newRoot(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	t := &tool{stdin: stdin, stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:           "onefold",
		Short:         "compile plain Go services into exactly-once services",
		Long:          rootHelp,
		Example:       rootExample,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentFlags().StringVarP(&t.dir, "directory", "C", "", "change to `dir` first")
	root.AddCommand(
		t.checkCommand(), t.generateCommand(), t.runCommand(), t.upCommand(), t.explainCommand(), t.profileCommand(), t.loadCommand(),
		t.instrumentCommand(), t.imageCommand(), t.manifestsCommand(), t.deployCommand(),
		t.inspectCommand(), t.replayCommand(),
		t.versionCommand(),
	)
	return root
}

// compileFlags adds the flags of commands that compile.
func (t *tool) compileFlags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&t.tags, "tags", nil, "build `tags`, separated by commas")
	cmd.Flags().StringVar(&t.dump, "dump", "", "print the program after `pass`, to see what the compiler does")
}

// options returns what to compile. Without patterns that is everything below the folder.
func (t *tool) options(patterns []string) compiler.Options {
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	return compiler.Options{Dir: t.dir, Patterns: patterns, Tags: t.tags, Dump: t.dump, DumpTo: t.stdout}
}

// report prints findings, as paths relative to the working directory where that
// is shorter, and returns errFindings if there are errors among them.
func (t *tool) report(diags *diag.List) error {
	dir, err := os.Getwd()
	if err != nil {
		dir = ""
	}
	diags.Print(t.stderr, dir)
	if diags.HasErrors() {
		return errFindings
	}
	return nil
}

// isTerminal reports whether w is a terminal, where progress may be shown.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
