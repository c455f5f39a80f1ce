package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/report"
)

const reportHelp = `Report makes the reports of a profile from its raw document, which onefold profile
wrote. The same document gives the same reports, byte for byte. A - reads the
document from standard input.

An --expect is a claim to check, for use in CI. Its form is SERVICE@PERCENT% > FACTORx,
or <: that making the service faster by so much would give more, or less, than that
factor in throughput. If a claim does not hold, the exit status is 1.`

const reportExample = `  onefold profile report raw.json
  onefold profile report raw.json --format csv > profile.csv
  onefold profile report raw.json --out reports       # all forms
  onefold profile report raw.json --expect 'cart@50% > 1.4x'`

// reportFlags are the flags of everything that ends in a report.
type reportFlags struct {
	format, out string
	json        bool
	expect      []string
}

func (f *reportFlags) add(cmd *cobra.Command) {
	var names string
	for _, form := range report.Formats() {
		names += "\n  " + form.Name + ": " + form.About
	}
	cmd.Flags().StringVar(&f.format, "format", "table", "`form` to print:"+names)
	cmd.Flags().BoolVar(&f.json, "json", false, "the same as --format json")
	cmd.Flags().StringVar(&f.out, "out", "", "write the reports of all forms into this `folder`")
	cmd.Flags().StringArrayVar(&f.expect, "expect", nil, "`claim` to check, such as 'cart@50% > 1.4x'; may be repeated")
}

// check finds wrong usage before anything long is done.
func (f *reportFlags) check() ([]profile.Expectation, error) {
	if f.json {
		f.format = "json"
	}
	if _, err := report.Find(f.format); err != nil {
		return nil, usageError{err}
	}
	var expectations []profile.Expectation
	for _, text := range f.expect {
		e, err := profile.ParseExpectation(text)
		if err != nil {
			return nil, usageError{err}
		}
		expectations = append(expectations, e)
	}
	return expectations, nil
}

func (t *tool) profileReportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:     "report RAW.json",
		Short:   "make the reports of a raw profile again",
		Long:    reportHelp,
		Example: reportExample,
		Args:    exactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			expectations, err := f.check()
			if err != nil {
				return err
			}
			raw, err := t.readRaw(args[0])
			if err != nil {
				return err
			}
			return t.printReports(raw, f, expectations)
		},
	}
	f.add(cmd)
	return cmd
}

// exactArgs is cobra's, as wrong usage.
func exactArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

func (t *tool) readRaw(name string) (*profile.Raw, error) {
	if name == "-" {
		return profile.Read(t.stdin)
	}
	file, err := os.Open(t.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return profile.Read(file)
}

// path resolves a path against the folder of -C.
func (t *tool) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(t.dir, name)
}

// printReports prints and writes the reports of a document, and checks claims.
func (t *tool) printReports(raw *profile.Raw, f reportFlags, expectations []profile.Expectation) error {
	res, err := profile.Analyse(raw)
	if err != nil {
		return err
	}
	form, err := report.Find(f.format)
	if err != nil {
		return err
	}
	if err := form.Write(t.stdout, res); err != nil {
		return err
	}
	if f.out != "" {
		if err := writeReports(t.path(f.out), res); err != nil {
			return err
		}
	}
	return t.checkExpectations(expectations, res)
}

func (t *tool) checkExpectations(expectations []profile.Expectation, res *profile.Result) error {
	var failed error
	for _, e := range expectations {
		if err := e.Check(res); err != nil {
			fmt.Fprintf(t.stderr, "%v\n", err)
			failed = errFindings
		}
	}
	return failed
}

// writeReports writes every form into the folder.
func writeReports(dir string, res *profile.Result) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, form := range report.Formats() {
		if err := writeFile(filepath.Join(dir, form.File), func(w io.Writer) error { return form.Write(w, res) }); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes what a function prints; nothing is left of a file whose writing failed.
func writeFile(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	err := os.WriteFile(name, b.Bytes(), 0o644)
	if err != nil {
		_ = os.Remove(name) // it may not even be there
	}
	return err
}
