package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/onefold/onefold/runtime"
)

// Main runs app as its own command: args are the command line after the
// command's name. It returns the exit code: 0 after a clean stop, 1 for a failure, 2 for wrong
// usage. With replay as the first argument it does not serve, but checks the code against
// histories of workflows; with store it serves the store to several processes. The first interrupt or SIGTERM lets requests end, the second ends the process.
func Main(app *runtime.App, args []string) int {
	return run(app, args, os.Stdout, os.Stderr)
}

func run(app *runtime.App, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "replay" {
		return replay(app, args[1:], stdout, stderr)
	}
	if len(args) > 0 && args[0] == storeCommand {
		return runStore(app, args[1:], stdout, stderr)
	}
	opts, err := parseFlags(app, args, stdout, stderr)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\nRun with --help for the flags.\n", app.Name, err)
		return 2
	}
	ctx, stop := untilSignal()
	defer stop()
	if err := Serve(ctx, app, opts); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", app.Name, err)
		return 1
	}
	return 0
}

// parseFlags turns the command line into options.
func parseFlags(app *runtime.App, args []string, stdout, stderr io.Writer) (Options, error) {
	opts := Options{Out: stdout}
	flags := pflag.NewFlagSet(app.Name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	flags.StringVar(&opts.Listen, "listen", "127.0.0.1:8080", "`address` to serve at: host:port or unix:///path; none serves only other processes")
	flags.StringVar(&opts.Data, "data", DefaultData(app), "`folder` that keeps the state")
	flags.DurationVar(&opts.Retention, "retention", 24*time.Hour, "how long replies are kept, so that repeated requests get them again")
	flags.Int64Var(&opts.HTTP.MaxBody, "max-body", 1<<20, "longest request body, in `bytes`")
	flags.IntVar(&opts.HTTP.MaxInFlight, "max-inflight", 256, "how many `requests` run at once")
	flags.DurationVar(&opts.Timeout, "timeout", 10*time.Second, "how long a request may take, retries included")
	flags.DurationVar(&opts.Drain, "drain", 10*time.Second, "how long running requests may take to end when the server stops")
	flags.StringVar(&opts.AdminToken, "admin-token", "", "`secret` for the console and the operators' API; default $"+tokenVariable+". Without one they are for this machine, and only if --listen is an address of this machine alone")
	format := flags.String("log", "text", "`format` of the log on standard error: text or json")
	flags.IntVar(&opts.HTTP.AccessEvery, "log-requests", 0, "log every `n`-th request; 1 is all, 0 is none")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			usage(stdout, app, flags)
		}
		return opts, err
	}
	return opts, finish(&opts, flags.Args(), *format, stderr)
}

// finish checks what flags cannot.
func finish(opts *Options, args []string, format string, stderr io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	for _, limit := range []struct {
		flag  string
		value int64
	}{
		{"--retention", int64(opts.Retention)},
		{"--max-body", opts.HTTP.MaxBody},
		{"--max-inflight", int64(opts.HTTP.MaxInFlight)},
		{"--timeout", int64(opts.Timeout)},
		{"--drain", int64(opts.Drain)},
	} {
		if limit.value <= 0 {
			return fmt.Errorf("%s must be above zero", limit.flag)
		}
	}
	if opts.HTTP.AccessEvery < 0 {
		return errors.New("--log-requests must not be negative")
	}
	switch format {
	case "text":
		opts.Log = slog.New(slog.NewTextHandler(stderr, nil))
	case "json":
		opts.Log = slog.New(slog.NewJSONHandler(stderr, nil))
	default:
		return fmt.Errorf("--log is %q; want text or json", format)
	}
	return nil
}

func usage(w io.Writer, app *runtime.App, flags *pflag.FlagSet) {
	fmt.Fprintf(w, "Usage: %s [flags]\n       %s replay FILE|FOLDER…\n       %s store --listen ADDRESS\n\n"+
		"Serves %s over HTTP from a store in a folder, or checks the code against histories of workflows,\n"+
		"or serves the store to several processes. Where the environment says so it is a part of the\n"+
		"application: ONEFOLD_SERVICES, ONEFOLD_PEERS and so on, see package runtime/peer.\n\nFlags:\n%s",
		app.Name, app.Name, app.Name, app.Name, flags.FlagUsages())
	for _, s := range app.Services {
		if s.Configure != nil {
			fmt.Fprint(w, "\nConfig fields are read from the environment, each from SERVICE_FIELD in upper case.\n")
			return
		}
	}
}

// untilSignal returns a context that the first interrupt or SIGTERM ends; the
// second ends the process.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		<-signals
		os.Exit(1)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}
