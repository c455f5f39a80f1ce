package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/control/cgroup"
	"github.com/onefold/onefold/control/stage"
	"github.com/onefold/onefold/runtime/gateway"
)

const upHelp = `Up compiles the packages, by default everything below the current folder, and
runs each replica of each service as a process of its own, behind a gateway that
balances requests and delivers them again when a replica dies. The state is in a
storage process, or in FoundationDB. What dies is started again.

Each replica has a control group of its own where the machine allows that. On a
terminal a table shows what runs; GET /status at the gateway's address gives the
same as JSON.

What follows -- goes to each replica; see onefold run PACKAGES -- --help.`

const upExample = `  onefold up ./...
  onefold up --replicas hotel=2,frontend=3 ./...
  onefold up --store fdb:/etc/foundationdb/fdb.cluster ./...
  onefold up --parent 'poker --' ./... -- --max-inflight 32`

// upFlags are the flags of up.
type upFlags struct {
	listen, data, name, store, parent string
	replicas                          map[string]string
	cgroups, json                     bool
	timeout, drain                    time.Duration
}

func (t *tool) upCommand() *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:     "up [packages] [-- replica flags]",
		Short:   "compile, and run as many processes behind a gateway",
		Long:    upHelp,
		Example: upExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			var rest []string
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				args, rest = args[:n], args[n:]
			}
			return t.up(cmd.Context(), args, rest, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "`address` of the gateway")
	flags.StringToStringVar(&f.replicas, "replicas", nil, "how many replicas services have, as `service=n,…`; default 1 each")
	flags.StringVar(&f.store, "store", "", "where the state is: fdb:CLUSTERFILE, or the `address` of a store server; default a storage process")
	flags.StringVar(&f.data, "data", "", "`folder` of the storage process; default .onefold/NAME")
	flags.StringVar(&f.name, "name", "", "call the application `name`")
	flags.StringVar(&f.parent, "parent", "", "start each replica by this `command`, to which its own is appended")
	flags.BoolVar(&f.cgroups, "cgroups", true, "give each replica a control group")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long a request may take, retries included")
	flags.DurationVar(&f.drain, "drain", 10*time.Second, "how long running requests may take to end when a replica stops")
	flags.BoolVar(&f.json, "json", false, "print the status as a line of JSON each second")
	t.compileFlags(cmd)
	return cmd
}

// fdbTag is the build tag of the FoundationDB engine.
const fdbTag = "foundationdb"

func (t *tool) up(ctx context.Context, patterns, rest []string, f upFlags) error {
	if f.timeout <= 0 || f.drain <= 0 {
		return usageError{errors.New("--timeout and --drain must be above zero")}
	}
	if strings.HasPrefix(f.store, "fdb:") && !slices.Contains(t.tags, fdbTag) {
		t.tags = append(t.tags, fdbTag)
	}
	if f.data != "" && !filepath.IsAbs(f.data) {
		f.data = filepath.Join(t.dir, f.data) // as everything else
	}
	listener, err := net.Listen("tcp", f.listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("address %s is in use: stop what listens there, or choose another with --listen", f.listen)
	}
	if err != nil {
		return err
	}
	defer listener.Close()
	work, err := workFolder()
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := &builder{tool: t, work: work, patterns: patterns, name: f.name}
	result, m, err := b.compile(ctx)
	if err != nil {
		return err
	}
	opts, err := f.stage(b, result, rest)
	if err != nil {
		return err
	}
	if err := b.link(ctx, result, m); err != nil {
		return err
	}
	opts.Program = b.server()
	return t.serveStage(ctx, listener, result, opts, f)
}

// workFolders begins the names of the folders of up, before the process's id.
const workFolders = "onefold-up-"

// workFolder makes a folder for the binary and the sockets. Folders that were left
// behind by processes that were killed are removed.
func workFolder() (string, error) {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), workFolders+"*"))
	for _, dir := range old {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), workFolders), "-")
		if pid, err := strconv.Atoi(owner); err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			os.RemoveAll(dir)
		}
	}
	return os.MkdirTemp("", workFolders+strconv.Itoa(os.Getpid())+"-")
}

// stage returns what to run.
func (f *upFlags) stage(b *builder, result *compiler.Result, rest []string) (stage.Options, error) {
	opts := stage.Options{
		Args: append([]string{"--timeout", f.timeout.String(), "--drain", f.drain.String()}, rest...),
		Parent: func(name string) []string {
			if name == stage.StorageService {
				return nil
			}
			return strings.Fields(f.parent)
		},
		Store: f.store,
		Data:  f.data,
		Dir:   b.work,
		Drain: f.drain,
	}
	if opts.Data == "" {
		opts.Data = filepath.Join(b.dir, ".onefold", result.Name)
	}
	for _, s := range result.Program.Services {
		opts.Services = append(opts.Services, s.Name)
	}
	slices.Sort(opts.Services)
	var err error
	opts.Replicas, err = replicaCounts(f.replicas, opts.Services)
	return opts, err
}

// replicaCounts parses --replicas. The case of letters in names does not matter.
func replicaCounts(given map[string]string, services []string) (map[string]int, error) {
	counts := map[string]int{}
	for name, text := range given {
		i := slices.IndexFunc(services, func(s string) bool { return strings.EqualFold(s, name) })
		if i < 0 {
			return nil, usageError{fmt.Errorf("--replicas %s=%s: there is no service %s; the application has %s", name, text, name, strings.Join(services, ", "))}
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, usageError{fmt.Errorf("--replicas %s=%s: want a number of at least 1", name, text)}
		}
		counts[services[i]] = n
	}
	return counts, nil
}

// groups makes the tree of control groups; without one it says why.
func (t *tool) groups(f upFlags) *cgroup.Tree {
	if !f.cgroups {
		return nil
	}
	tree, err := cgroup.New()
	if err != nil {
		fmt.Fprintf(t.stderr, "replicas get no control groups of their own, so no CPU limits: %v\n", err)
		return nil
	}
	return tree
}

// serveStage runs the processes and the gateway until ctx is done.
func (t *tool) serveStage(ctx context.Context, listener net.Listener, result *compiler.Result, opts stage.Options, f upFlags) (err error) {
	screen := newScreen(t.stdout, t.stderr, isTerminal(t.stdout) && !f.json)
	opts.Log = screen
	if opts.Groups = t.groups(f); opts.Groups != nil {
		defer func() { err = errors.Join(err, opts.Groups.Close()) }()
	}
	// The replicas' own deadline comes first: what they say of it says more.
	opts.Gateway = gateway.New(gateway.Options{Timeout: f.timeout + 2*time.Second})
	defer opts.Gateway.Close()
	t.progress("starting %d services", len(opts.Services))
	s, err := stage.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	m := &monitor{name: result.Name, address: "http://" + listener.Addr().String(), stage: s}
	server := m.server(opts.Gateway)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if !f.json {
		announceStage(t.stdout, m, result)
	}
	select {
	case err = <-failed:
	case <-m.watch(ctx, screen, f.json):
	}
	screen.close()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.drain)
	defer cancel()
	if server.Shutdown(drain) != nil {
		server.Close()
	}
	return err
}

// announceStage prints what is served where.
func announceStage(w io.Writer, m *monitor, result *compiler.Result) {
	fmt.Fprintf(w, "%s serves at %s; GET %s/status says what runs\n\n", m.name, m.address, m.address)
	for _, s := range result.Program.Services {
		for _, method := range s.Methods {
			fmt.Fprintf(w, "  POST /%s/%s\n", s.Name, method.Name)
		}
	}
	fmt.Fprintln(w, "  GET /openapi.json")
	fmt.Fprintln(w)
}

// server returns the server of the gateway and the status.
func (m *monitor) server(front http.Handler) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("/", front)
	mux.Handle("GET /status", m)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{Handler: mux, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
}
