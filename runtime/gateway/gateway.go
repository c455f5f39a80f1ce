package gateway

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/invoke"
)

// Options configure a [Gateway]; the zero value works.
type Options struct {
	// Timeout is how long a request may take, all deliveries and waiting
	// included. It should be above that of the replicas, whose answers say more. Default 12 s.
	Timeout time.Duration
	// MaxBody is the longest request body, in bytes. Default 1 MiB.
	MaxBody int64
	// MaxInFlight is how many requests may be under way, those that wait for a
	// replica included; more are refused. Default 1024.
	MaxInFlight int
	// HealthEvery is how often replicas are asked whether they are ready. Default 500 ms.
	HealthEvery time.Duration
	// HealthTimeout is how long a replica may take to answer that. One that takes
	// longer hangs: its requests are delivered to others. Default 2 s.
	HealthTimeout time.Duration
	// Transport carries requests to replicas. Default one that knows host:port and unix:///path.
	Transport http.RoundTripper
	// NewID mints the ids of requests that came without one. Default a random UUIDv7.
	NewID func() string
	// Log gets what an operator must see. Default slog.Default().
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 12 * time.Second
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 1024
	}
	if o.HealthEvery == 0 {
		o.HealthEvery = 500 * time.Millisecond
	}
	if o.HealthTimeout == 0 {
		o.HealthTimeout = 2 * time.Second
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	if o.NewID == nil {
		o.NewID = func() string { return invoke.NewID(time.Now()).String() }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// A Gateway is an http.Handler that passes requests on to replicas. It is safe
// for concurrent use.
type Gateway struct {
	opts    Options
	slots   chan struct{}
	closing chan struct{}
	checks  sync.WaitGroup // goroutines that check health

	mu    sync.Mutex
	pools []*pool // by service name
}

// New returns a gateway without replicas. Close ends what it runs.
func New(opts Options) *Gateway {
	opts = opts.withDefaults()
	return &Gateway{opts: opts, slots: make(chan struct{}, opts.MaxInFlight), closing: make(chan struct{})}
}

// Close ends the health checks and the deliveries under way.
func (g *Gateway) Close() {
	g.mu.Lock()
	for _, p := range g.pools {
		for _, b := range slices.Clone(p.backends) {
			g.remove(p, b)
		}
	}
	g.mu.Unlock()
	close(g.closing)
	g.checks.Wait()
}

// pool returns the pool of a service, which is made if need be; g.mu is held.
func (g *Gateway) pool(service string) *pool {
	i, found := slices.BinarySearchFunc(g.pools, service, func(p *pool, s string) int { return strings.Compare(p.service, s) })
	if !found {
		g.pools = slices.Insert(g.pools, i, &pool{service: service, changed: make(chan struct{})})
	}
	return g.pools[i]
}

// lookUp returns the pool of a service, or nil.
func (g *Gateway) lookUp(service string) *pool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.pools {
		if p.service == service {
			return p
		}
	}
	return nil
}

// ServeHTTP implements http.Handler. Besides the services' endpoints it answers
// GET at /healthz (the gateway lives), /readyz (every service has a replica that is
// ready) and /openapi.json, which it gets from a replica.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		writeText(w, http.StatusOK, "ok\n")
		return
	case "/readyz":
		if missing := g.missing(); missing != "" {
			writeText(w, http.StatusServiceUnavailable, "no replica of "+missing+" is ready\n")
			return
		}
		writeText(w, http.StatusOK, "ready\n")
		return
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	p := g.lookUp(service)
	if p == nil && r.URL.Path == "/openapi.json" {
		p = g.any()
	}
	if p == nil {
		g.refusePath(w, r)
		return
	}
	g.forward(w, r, p)
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte(text))
}

// missing returns a service without a replica that is ready, or "".
func (g *Gateway) missing() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.pools) == 0 {
		return "any service"
	}
	for _, p := range g.pools {
		if !slices.ContainsFunc(p.backends, func(b *backend) bool { return b.state == Up }) {
			return p.service
		}
	}
	return ""
}

// any returns some pool, nil where there is none.
func (g *Gateway) any() *pool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.pools) == 0 {
		return nil
	}
	return g.pools[0]
}

func (g *Gateway) refusePath(w http.ResponseWriter, r *http.Request) {
	p := invoke.Problem{
		Type:   invoke.TypeNotFound,
		Status: http.StatusNotFound,
		Detail: "there is no service for " + r.URL.Path + "; endpoints lists what there is",
	}
	g.mu.Lock()
	for _, pool := range g.pools {
		p.Endpoints = append(p.Endpoints, "POST /"+pool.service+"/…")
	}
	g.mu.Unlock()
	p.Endpoints = append(p.Endpoints, "GET /openapi.json", "GET /healthz", "GET /readyz")
	p.Write(w)
}
