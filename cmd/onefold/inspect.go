package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/onefold/onefold/inspect"
)

const inspectHelp = `Inspect looks at a running application and steers it: its workflows with their
steps, dead letters (what failed too often, or does not fit its code any more), and
the state of its services.

The server is the one at --server. A server that is open to other machines wants
its token, which inspect takes from the environment variable ONEFOLD_TOKEN, or from
the file that --token-file names.`

const inspectExample = `  onefold inspect list --status parked
  onefold inspect history 0193c9e2-7b1c-7000-8000-000000000001
  onefold inspect state Hotel.rooms ritz`

// inspector is what the commands of inspect share.
type inspector struct {
	*tool
	server, tokenFile string
	json              bool
}

func (t *tool) inspectCommand() *cobra.Command {
	i := &inspector{tool: t}
	cmd := &cobra.Command{
		Use:     "inspect",
		Short:   "look at the workflows and the state of a running application",
		Long:    inspectHelp,
		Example: inspectExample,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&i.server, "server", "http://127.0.0.1:8080", "`URL` of the server")
	flags.StringVar(&i.tokenFile, "token-file", "", "`file` that holds the server's token")
	flags.BoolVar(&i.json, "json", false, "print JSON")
	cmd.AddCommand(i.listCommand(), i.showCommand(), i.historyCommand(), i.deadCommand(),
		i.retryCommand(), i.cancelCommand(), i.signalCommand(), i.stateCommand())
	return cmd
}

// client returns a client of the server.
func (i *inspector) client() (*inspect.Client, error) {
	token := os.Getenv("ONEFOLD_TOKEN")
	if i.tokenFile != "" {
		text, err := os.ReadFile(i.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the token: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	server := i.server
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	return &inspect.Client{Server: server, Token: token, HTTP: &http.Client{Timeout: 30 * time.Second}}, nil
}

// screen returns where tables go.
func (i *inspector) screen() *inspect.Screen {
	s := &inspect.Screen{Writer: i.stdout, Now: time.Now()}
	if f, ok := i.stdout.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			s.Width = width
		}
	}
	return s
}

// print writes v as JSON if that is asked for, and otherwise as show does.
func (i *inspector) print(v any, show func(*inspect.Screen) error) error {
	if !i.json {
		return show(i.screen())
	}
	enc := json.NewEncoder(i.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// with returns what a command runs: fn with a client.
func (i *inspector) with(fn func(ctx context.Context, c *inspect.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := i.client()
		if err != nil {
			return err
		}
		return fn(cmd.Context(), c, args)
	}
}

// nArgs wants least to most arguments, which usage names; most below zero is no limit.
func nArgs(least, most int, usage string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usageError{fmt.Errorf("%s wants %s", cmd.Name(), usage)}
		}
		return nil
	}
}

// completeFor is how long the shell may wait for what the server knows.
const completeFor = 2 * time.Second

// complete offers what list gets from the server as the first argument. A server
// that does not answer offers nothing.
func (i *inspector) complete(list func(ctx context.Context, c *inspect.Client) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.Background(), completeFor)
		defer cancel()
		c, err := i.client()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words, _ := list(ctx, c) // an error leaves nothing to offer
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeWorkflows offers the ids of workflows with a status, any for "".
func (i *inspector) completeWorkflows(status string) cobra.CompletionFunc {
	return i.complete(func(ctx context.Context, c *inspect.Client) ([]string, error) {
		page, err := c.List(ctx, inspect.Filter{Status: status})
		if err != nil {
			return nil, err
		}
		var words []string
		for _, w := range page.List {
			words = append(words, fmt.Sprintf("%s\t%s, %s", w.ID, w.Method, w.Status))
		}
		return words, nil
	})
}

// completeFields offers persistent fields.
func (i *inspector) completeFields() cobra.CompletionFunc {
	return i.complete(func(ctx context.Context, c *inspect.Client) ([]string, error) {
		app, err := c.App(ctx)
		if err != nil {
			return nil, err
		}
		var words []string
		for _, f := range app.Fields() {
			words = append(words, f[0]+"\t"+f[1])
		}
		return words, nil
	})
}

// parseSince reads a point in time: a duration back from now, or a date or time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("--since is %q; want a duration such as 2h30m, a date such as 2026-01-31, or a time such as 2026-01-31T15:04:05Z", text)}
}

// readJSON returns a value given on the command line, - for the one at standard input.
func (i *inspector) readJSON(text string) ([]byte, error) {
	value := []byte(text)
	if text == "-" {
		var err error
		if value, err = io.ReadAll(i.stdin); err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
	}
	if !json.Valid(value) {
		return nil, usageError{errors.New(`the value is no JSON; a text needs quotes that the shell leaves, as in '"yes"'`)}
	}
	return value, nil
}
