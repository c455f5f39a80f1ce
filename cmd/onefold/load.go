package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/instrument/load"
)

const loadHelp = `Load sends requests to a service and prints throughput and latencies, for each kind
of request and for all.

Closed loop (--clients) is the default: each client sends its next request when the
last one is answered. Open loop (--rate) sends at a given rate, whatever the service
does, evenly or with the random gaps of many users (--poisson); there a latency counts
from when the request was due, so a service that stalls cannot hide it.

What to send is one URL, a mix in YAML (--mix), or what an OpenAPI document describes
(--openapi, a file or a URL; onefold's services have theirs at /openapi.json).
--write-mix prints the mix instead of sending it: a start for one of your own.

  target: http://127.0.0.1:8080
  protocol: http1                     # http2, h2c, grpc
  setup:                              # once, before anything is measured
    - {path: /Hotel/Add, times: 100, body: {hotelID: "hotel-${seq}", capacity: 1000}}
  requests:
    - {path: /Hotel/Room, weight: 9, body: {hotelID: "hotel-${int:1-100}"}}
    - {path: /Frontend/Book, body: {user: "u-${seq}", hotelID: ritz, flightID: LH1}, ok: [200, 422]}

${int:A-B}, ${pick:a|b}, ${seq} and ${uuid} are new in each request. With gRPC a
request has an rpc, package.Service/Method, in place of its path, and the server must
serve reflection.

An interrupt ends the run and prints what was measured until then.`

const loadExample = `  onefold load http://127.0.0.1:8080/healthz --clients 64 --duration 30s
  onefold load --openapi http://127.0.0.1:8080/openapi.json --write-mix > mix.yaml
  onefold load --mix mix.yaml --rate 500 --poisson --idempotency-keys --json`

// mixFlags say what to send; profile has them, too.
type mixFlags struct{ mix, openapi, protocol string }

func (f *mixFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.mix, "mix", "", "send the requests of this YAML `file`")
	cmd.Flags().StringVar(&f.openapi, "openapi", "", "send what the OpenAPI document at this `URL or file` describes")
	cmd.Flags().StringVar(&f.protocol, "protocol", "", "http1, http2, h2c or grpc; default is the mix's, or http1")
}

// loadFlags are the flags of load.
type loadFlags struct {
	mixFlags
	opts           load.Options
	json, writeMix bool
}

func (t *tool) loadCommand() *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use:     "load [URL]",
		Short:   "send requests and measure the answers",
		Long:    loadHelp,
		Example: loadExample,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.MaximumNArgs(1)(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return t.load(cmd.Context(), args, f) },
	}
	f.mixFlags.add(cmd)
	cmd.Flags().IntVar(&f.opts.Clients, "clients", 0, "closed loop of `n` clients; default 32")
	cmd.Flags().Float64Var(&f.opts.Rate, "rate", 0, "open loop of so many `requests` a second")
	cmd.Flags().BoolVar(&f.opts.Poisson, "poisson", false, "random gaps between the requests of an open loop")
	cmd.Flags().DurationVar(&f.opts.Duration, "duration", 0, "`time` to measure; default 10s")
	cmd.Flags().DurationVar(&f.opts.Warmup, "warmup", 0, "`time` to send before that")
	cmd.Flags().Int64Var(&f.opts.Requests, "requests", 0, "stop after `n` requests")
	cmd.Flags().DurationVar(&f.opts.Timeout, "timeout", 30*time.Second, "`time` that one request may take")
	cmd.Flags().IntVar(&f.opts.MaxInFlight, "max-in-flight", 10_000, "at most `n` requests of an open loop at a time")
	cmd.Flags().BoolVar(&f.opts.IdempotencyKeys, "idempotency-keys", false, "send a new Idempotency-Key with each request")
	cmd.Flags().Uint64Var(&f.opts.Seed, "seed", 1, "`number` that decides what is random")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
	cmd.Flags().BoolVar(&f.writeMix, "write-mix", false, "print the mix as YAML and send nothing")
	return cmd
}

func (t *tool) load(ctx context.Context, args []string, f loadFlags) error {
	mix, err := t.readMix(ctx, args, f.mixFlags)
	if err != nil {
		return err
	}
	if f.writeMix {
		return mix.Write(t.stdout)
	}
	if f.opts.Clients == 0 && f.opts.Rate == 0 {
		f.opts.Clients = 32
	}
	if f.opts.Duration == 0 && f.opts.Requests == 0 {
		f.opts.Duration = 10 * time.Second
	}
	if err := load.Setup(ctx, mix, f.opts); err != nil {
		return err
	}
	runner, err := load.New(ctx, mix, f.opts)
	if err != nil {
		return err
	}
	stop := t.watchLoad(runner)
	res, err := runner.Run(ctx)
	stop()
	if err != nil {
		return err
	}
	print := res.Text
	if f.json {
		print = res.JSON
	}
	if err := print(t.stdout); err != nil {
		return err
	}
	if res.Requests == 0 {
		return errFindings // not one answer is a failure, whatever was asked
	}
	return nil
}

// watchLoad shows on a terminal how far a run is, until the result is called.
func (t *tool) watchLoad(runner *load.Runner) (stop func()) {
	if !isTerminal(t.stderr) {
		return func() {}
	}
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		start, before := time.Now(), int64(0)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				fmt.Fprint(t.stderr, "\r\x1b[K")
				return
			case <-tick.C:
			}
			n := runner.Completed()
			fmt.Fprintf(t.stderr, "\r\x1b[K%.0f s: %d answered, %d/s, %d errors", time.Since(start).Seconds(), n, n-before, runner.Failed())
			before = n
		}
	}()
	return func() { close(done); <-stopped }
}

// readMix reads the mix from wherever it is to come from.
func (t *tool) readMix(ctx context.Context, args []string, f mixFlags) (*load.Mix, error) {
	mix, err := t.findMix(ctx, args, f)
	if err == nil && f.protocol != "" {
		mix.Protocol = load.Protocol(f.protocol)
	}
	return mix, err
}

func (t *tool) findMix(ctx context.Context, args []string, f mixFlags) (*load.Mix, error) {
	switch {
	case f.mix != "" && f.openapi != "":
		return nil, usageError{errors.New("want one of --mix and --openapi")}
	case f.mix != "" && len(args) > 0:
		return nil, usageError{errors.New("a mix names its target; want either --mix or a URL")}
	case f.mix != "":
		file, err := os.Open(t.path(f.mix))
		if err != nil {
			return nil, err
		}
		defer file.Close()
		mix, err := load.ParseMix(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.mix, err)
		}
		return mix, nil
	case f.openapi != "":
		return t.openAPIMix(ctx, args, f.openapi)
	case len(args) == 1:
		return urlMix(args[0])
	}
	return nil, usageError{errors.New("nothing to send: want a URL, --mix or --openapi")}
}

// urlMix is one GET request.
func urlMix(text string) (*load.Mix, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, usageError{fmt.Errorf("%q is no URL such as http://127.0.0.1:8080/path", text)}
	}
	path := u.RequestURI()
	return &load.Mix{Target: u.Scheme + "://" + u.Host, Requests: []load.Request{{Path: path}}}, nil
}

// openAPIMix reads a document. Its target is the argument, or where it came from.
func (t *tool) openAPIMix(ctx context.Context, args []string, source string) (*load.Mix, error) {
	base := ""
	if len(args) == 1 {
		base = args[0]
	}
	if !strings.HasPrefix(source, "http://") && !strings.HasPrefix(source, "https://") {
		doc, err := os.ReadFile(t.path(source))
		if err != nil {
			return nil, err
		}
		return load.FromOpenAPI(doc, base)
	}
	doc, err := fetch(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("get OpenAPI document: %w", err)
	}
	if u, err := url.Parse(source); base == "" && err == nil {
		base = u.Scheme + "://" + u.Host
	}
	return load.FromOpenAPI(doc, base)
}

func fetch(ctx context.Context, source string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", source, resp.Status)
	}
	return io.ReadAll(resp.Body)
}
