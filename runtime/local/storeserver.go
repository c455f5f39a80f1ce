package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/pflag"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/peer"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/remote"
)

// storeCommand is the first argument that makes a program a store server.
const storeCommand = "store"

// StoreOptions configure [ServeStore].
type StoreOptions struct {
	Data   string       // folder of the store
	Listen peer.Address // where processes of the application connect
	Keys   *peer.Keys   // that they show; nil for a unix socket, which its permissions guard
	TLS    *peer.TLS    // certificates; nil for none
	Log    *slog.Logger
}

// ServeStore lets the processes of an application use an embedded store, until
// ctx ends.
func ServeStore(ctx context.Context, opts StoreOptions) (err error) {
	if opts.Listen.Network == "tcp" && opts.Keys == nil && opts.TLS == nil {
		return fmt.Errorf("--listen %s: a store on TCP needs %s or %s, so that nobody else can use it", opts.Listen, peer.EnvKeys, peer.EnvTLS)
	}
	listener, err := listenAt(ctx, opts.Listen, opts.TLS, "--listen")
	if err != nil {
		return err
	}
	defer listener.Close()
	engine, err := embedded.Open(opts.Data, embedded.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	server, err := remote.NewServer(ctx, measuredStore(engine), remote.ServerOptions{Accept: opts.Keys.AcceptStore, Log: opts.Log})
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer server.Close()
	select {
	case <-ctx.Done():
		return nil
	case <-engine.Failed():
		return errors.New("the store failed")
	case err := <-failed:
		return err
	}
}

// runStore is the store command of a program.
func runStore(app *runtime.App, args []string, stdout, stderr io.Writer) int {
	opts := StoreOptions{Log: slog.New(slog.NewTextHandler(stderr, nil))}
	flags := pflag.NewFlagSet(app.Name+" "+storeCommand, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&opts.Data, "data", DefaultData(app), "`folder` that keeps the state")
	listen := flags.String("listen", "", "`address` for the processes of the application: unix:///run/store.sock or tcp://0.0.0.0:7071")
	err := flags.Parse(args)
	if errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintf(stdout, "Usage: %s %s --listen ADDRESS [flags]\n\n"+
			"Keeps the state of %s for several processes, which name ADDRESS in %s.\n"+
			"On TCP they show a key of the file in %s, a certificate of %s, or both.\n\nFlags:\n%s",
			app.Name, storeCommand, app.Name, peer.EnvStore, peer.EnvKeys, peer.EnvTLS, flags.FlagUsages())
		return 0
	}
	if err == nil {
		err = opts.finish(app, *listen, flags.Args())
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\nRun with --help for the flags.\n", app.Name, err)
		return 2
	}
	ctx, stop := untilSignal()
	defer stop()
	fmt.Fprintf(stdout, "%s keeps its state in %s, for processes with %s=%s\n", app.Name, opts.Data, peer.EnvStore, *listen)
	if err := ServeStore(ctx, opts); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", app.Name, err)
		return 1
	}
	return 0
}

// finish reads what flags cannot say.
func (o *StoreOptions) finish(app *runtime.App, listen string, args []string) (err error) {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	if listen == "" {
		return errors.New("--listen is missing: want an address, as in --listen unix:///run/store.sock")
	}
	if o.Listen, err = peer.ParseAddress(listen); err != nil {
		return fmt.Errorf("--listen %w", err)
	}
	secrets, err := peer.FromEnv(func(name string) (string, bool) {
		if name == peer.EnvKeys || name == peer.EnvTLS {
			return os.LookupEnv(name)
		}
		return "", false
	}, serviceNames(app))
	o.Keys, o.TLS = secrets.Keys, secrets.TLS
	return err
}
