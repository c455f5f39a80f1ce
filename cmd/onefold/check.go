package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/compiler/check"
	"github.com/onefold/onefold/compiler/diag"
)

const checkHelp = `Check reports everything in the packages that cannot be compiled, with its
position, the reason and a fix; without packages, in everything below the
current folder. It exits 1 if there is anything to fix. Warnings alone do not
count.

With -v it also prints what each endpoint does to the store: its kind, the fields
it reads, writes and adds to, the services it calls, and what one attempt at a
request takes that succeeds: ROUNDS that wait for the store, one after the other, on
the longest path; COMMITS; and HOPS, the calls from one service to another, all the way
down, which go between processes where each service has its own. 0..1 is a number that
the state decides; len(items) is of a parameter; loop(hotel.go:41) is how often that
loop runs. Values and ranges that take several reads because they are large count once.

onefold is a vet tool as well: go vet -vettool=$(which onefold) ./...`

const checkExample = `  onefold check ./...
  onefold check -v ./hotel
  onefold check --json ./... | jq .diagnostics`

func (t *tool) checkCommand() *cobra.Command {
	var verbose, asJSON bool
	cmd := &cobra.Command{
		Use:     "check [packages]",
		Short:   "report what cannot be compiled, and why",
		Long:    checkHelp,
		Example: checkExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := compiler.Check(cmd.Context(), t.options(args))
			if err != nil {
				return err
			}
			if asJSON {
				return t.checkJSON(result)
			}
			if err := t.report(result.Diagnostics); err != nil {
				return err
			}
			if len(result.Program.Services) == 0 {
				return errNoServices
			}
			if verbose {
				return check.NewReport(result.Program).Text(t.stdout)
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "print what each endpoint does to the store")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print diagnostics and effects as JSON")
	t.compileFlags(cmd)
	return cmd
}

var errNoServices = errors.New("no services in these packages; mark the struct types //onefold:service")

// finding is a diagnostic as JSON.
type finding struct {
	File     string    `json:"file"`
	Line     int       `json:"line"`
	Column   int       `json:"column"`
	Severity string    `json:"severity"`
	Code     diag.Code `json:"code"`
	Message  string    `json:"message"`
	Fix      string    `json:"fix,omitempty"`
	Related  []related `json:"related,omitempty"`
}

type related struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// checkJSON prints the result of a check for tools.
func (t *tool) checkJSON(result *compiler.Result) error {
	out := struct {
		Diagnostics []finding     `json:"diagnostics"`
		Effects     *check.Report `json:"effects,omitempty"`
	}{Diagnostics: []finding{}}
	for _, d := range result.Diagnostics.Sorted() {
		out.Diagnostics = append(out.Diagnostics, newFinding(d))
	}
	if result.Program != nil && !result.Diagnostics.HasErrors() {
		out.Effects = check.NewReport(result.Program)
	}
	enc := json.NewEncoder(t.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	if result.Diagnostics.HasErrors() {
		return errFindings
	}
	return nil
}

func newFinding(d diag.Diagnostic) finding {
	f := finding{File: d.Pos.Filename, Line: d.Pos.Line, Column: d.Pos.Column, Severity: "error", Code: d.Code, Message: d.Message, Fix: d.Fix}
	if d.Severity == diag.Warning {
		f.Severity = "warning"
	}
	for _, r := range d.Related {
		f.Related = append(f.Related, related{r.Pos.Filename, r.Pos.Line, r.Pos.Column, r.Message})
	}
	return f
}
