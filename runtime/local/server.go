package local

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/console"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/peer"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/workflow"
)

// Options configure a [Server]; the zero value works.
type Options struct {
	// Listen is the address to serve at. Default 127.0.0.1:8080.
	Listen string
	// Data is the folder of the store, made if it does not exist. Default .onefold/NAME.
	Data string
	// Drain is how long requests that run may take to end once the server stops. Default 10 s.
	Drain time.Duration
	// Retention is how long replies are kept, so that repeated requests get them again. Default 24 h.
	Retention time.Duration
	// Timeout is how long a request may take, retries included. Default 10 s.
	Timeout time.Duration
	// Part says which services this process hosts and where the others are. Default: all
	// of them, on the embedded store in Data. [Serve] takes it from the environment.
	Part peer.Config
	// Dial makes the connections to the processes of other services. Default net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Calls carries the calls to them, in place of connections. For tests.
	Calls http.RoundTripper
	// Parallel runs the branches of a request on goroutines of their own. The
	// default is one after the other where the process is alone: a read of the embedded
	// store takes a few microseconds, less than to hand it to another goroutine.
	Parallel bool
	// Runner configures what else there is to retries and records. Its App,
	// Retention, Timeout, Remote, Elsewhere and Sequential come from here.
	Runner atomic.Options
	// Workflows configures the engine of workflows and messages. Its Retention and Log come from here.
	Workflows workflow.Options
	// AdminToken is what operators bear who use the console and its API, below /_onefold/ . Without one
	// these are for requests from the same machine, and for none if Listen is an address that others
	// reach. Default ONEFOLD_TOKEN in the environment.
	AdminToken string
	// HTTP configures limits and the access log. Its Timeout and Workflows come from here.
	HTTP invoke.Options
	// Log gets what an operator must see. Default slog.Default().
	Log *slog.Logger
	// Out gets the table of endpoints at the start. Default nothing.
	Out io.Writer
	// LookupEnv finds the values of config fields. Default os.LookupEnv.
	LookupEnv func(name string) (string, bool)
}

// tokenVariable is the environment variable that holds the operators' token.
const tokenVariable = "ONEFOLD_TOKEN"

func (o Options) withDefaults(app *runtime.App) Options {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:8080"
	}
	if o.Data == "" {
		o.Data = DefaultData(app)
	}
	if o.Drain == 0 {
		o.Drain = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.HTTP.Log == nil {
		o.HTTP.Log = o.Log
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	if o.AdminToken == "" {
		o.AdminToken, _ = o.LookupEnv(tokenVariable)
	}
	o.Runner.App, o.Runner.Retention, o.Runner.Timeout = app.Name, o.Retention, o.Timeout
	o.HTTP.Timeout = o.Timeout
	o.Workflows.Retention, o.Workflows.Log = o.Retention, o.Log
	return o
}

// A Server is an application on an engine.
type Server struct {
	app       *runtime.App
	opts      Options
	engine    store.Engine
	runner    *atomic.Runner
	workflows *workflow.Engine
	handler   *invoke.Handler
	console   http.Handler  // in front of handler
	calls     *peer.Handler // from other processes
	client    *peer.Client  // of other processes; nil if this one hosts all services
}

// New returns a server of app that is ready: config fields are set from the
// environment, and each persistent field that the store has not seen yet has its initial
// value. The engine stays the caller's, to close after the last request. Nothing happens by itself: whoever wants
// workflows to go on after a wait, and messages to be delivered, runs the Loop of [Server.Workflows],
// and closes that before the engine.
func New(ctx context.Context, app *runtime.App, engine store.Engine, opts Options) (*Server, error) {
	opts = opts.withDefaults(app)
	if err := configure(app, opts.LookupEnv); err != nil {
		return nil, err
	}
	s, err := newServer(app, engine, opts, invoke.Access{Token: opts.AdminToken, Local: true})
	if err != nil {
		return nil, err
	}
	return s, s.start(ctx)
}

func newServer(app *runtime.App, engine store.Engine, opts Options, operators invoke.Access) (*Server, error) {
	s := &Server{app: part(app, &opts.Part), opts: opts, engine: engine}
	together := opts.together()
	opts.Runner.Remote = opts.Runner.Remote || together
	opts.Runner.Sequential = !opts.Parallel && !together
	opts.Workflows.Shared = opts.Workflows.Shared || together
	if opts.Part.Services != nil {
		s.client = peer.NewClient(app, opts.Part, peer.ClientOptions{Dial: opts.Dial, Transport: opts.Calls, Rand: opts.Runner.Rand})
		opts.Runner.Elsewhere = measuredCalls(s.client)
		opts.Workflows.Hosts = func(method string) bool {
			service, _, _ := strings.Cut(method, ".")
			return opts.Part.Hosts(service)
		}
	}
	s.runner = atomic.NewRunner(engine, opts.Runner)
	var err error
	if s.workflows, err = workflow.New(s.runner, app.Workflows(), opts.Workflows); err != nil {
		return nil, err
	}
	opts.HTTP.Workflows = s.workflows
	s.handler = invoke.New(s.app, s.runner, opts.HTTP)
	guard := func(next http.Handler) http.Handler { return invoke.Guard(operators, next) }
	s.console = console.New(s.app, s.runner, guard, s.handler.Operators())
	s.calls = peer.NewHandler(app, s.runner, opts.Part)
	return s, nil
}

// start initialises the persistent fields and lets requests in.
func (s *Server) start(ctx context.Context) error {
	for _, service := range s.app.Services {
		if service.Init == nil {
			continue
		}
		if err := s.runner.Init(ctx, service.Init); err != nil {
			return fmt.Errorf("initialise %s: %w", service.Name, err)
		}
	}
	s.calls.Ready()
	s.handler.SetPhase(invoke.Serving)
	return nil
}

// Handler returns the HTTP front: the console below its path, the application elsewhere.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, console.Path) {
			s.console.ServeHTTP(w, r)
			return
		}
		s.handler.ServeHTTP(w, r)
	})
}

// Workflows returns the engine of workflows and messages.
func (s *Server) Workflows() *workflow.Engine { return s.workflows }

// Runner returns what runs the requests.
func (s *Server) Runner() *atomic.Runner { return s.runner }
