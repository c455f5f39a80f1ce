package slowpoke

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
)

// unmeasured are the paths that are not the service's work. Who watches a service
// must not change what is measured.
var unmeasured = []string{
	"/healthz", "/livez", "/readyz", "/health", "/healthcheck", "/heartbeat", "/metrics", "/debug/pprof", "/debug/vars", "/-", "/_onefold",
	"/grpc.health.v1.Health", "/grpc.reflection.v1.ServerReflection", "/grpc.reflection.v1alpha.ServerReflection",
}

// Measured reports whether requests for the path count: those for health, metrics
// and profiles do not, nor what is below them.
func Measured(path string) bool {
	for _, p := range unmeasured {
		if rest, ok := strings.CutPrefix(path, p); ok && (rest == "" || rest[0] == '/') {
			return false
		}
	}
	return true
}

// Handler measures all requests of a whole server. A request is counted for the
// innermost route within that is measured, or else for the pattern that an
// http.ServeMux found for it. The ResponseWriter and the Request are passed on as they
// are, so all that they can do, they still can. No handler is http.DefaultServeMux, as
// for a server.
func Handler(h http.Handler) http.Handler {
	switch h.(type) {
	case nil:
		return &server{next: http.HandlerFunc(serveDefault)}
	case *server:
		return h
	}
	return &server{next: h, given: h}
}

// server is the handler of a server.
type server struct {
	next  http.Handler
	given http.Handler // by the program; nil for the default mux
}

func serveDefault(w http.ResponseWriter, r *http.Request) { http.DefaultServeMux.ServeHTTP(w, r) }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = marked(r)
	// Counting must not depend on the handler's returning in the usual way.
	defer Begin(r).End()
	s.next.ServeHTTP(w, r)
}

// Unwrap returns the handler that the program gave to Handler.
func Unwrap(h http.Handler) http.Handler {
	if s, ok := h.(*server); ok {
		return s.given
	}
	return h
}

// unrouted is what requests count for that no mux routed.
const unrouted = "(no route)"

// finish counts the request if nothing inside has, and closes its slot.
func finish(s *slot, r *http.Request) {
	if s.route.Load() == nil {
		name := r.Pattern
		if isRPC(r) {
			name = r.URL.Path
		}
		if name == "" {
			name = unrouted
		}
		s.count(routes.counter(name))
	}
	// Only now nothing inside can count it for another route.
	if c := s.route.Load(); c != skipped {
		shared().PointOf(c.Counter)
	}
	s.close()
}

// isRPC reports whether r is a call of gRPC, whose method is its path.
func isRPC(r *http.Request) bool {
	return r != nil && r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// marked returns r with a mark for gRPC's interceptors, which do not see the request, if
// it is a call of gRPC.
func marked(r *http.Request) *http.Request {
	if !isRPC(r) || Counted(r.Context()) {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), countedKey{}, true))
}

type countedKey struct{}

// Counted reports whether a call of gRPC came by an HTTP server that counts it.
func Counted(ctx context.Context) bool { return ctx.Value(countedKey{}) != nil }

// Route measures the requests of one handler. Its name is the pattern that it is
// registered for.
func Route(name string, h http.Handler) http.Handler {
	_, path := split(name)
	if h == nil || !Measured(path) {
		return h
	}
	return &route{name: name, path: path, rpc: servesRPC(h), next: h}
}

// RouteFunc is Route for functions.
func RouteFunc(name string, f http.HandlerFunc) http.HandlerFunc {
	if f == nil {
		return nil
	}
	return Route(name, f).ServeHTTP
}

type route struct {
	name, path string
	rpc        bool // the method is in the path
	next       http.Handler
	first      atomic.Pointer[placed] // where it was first reached, mostly the only place
}

// placed is the counter of a route inside another one, or in none.
type placed struct{ outer, counter *counter }

func (p *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = marked(r)
	f := Begin(r)
	defer f.End()
	if s := f.uncounted(); s != nil {
		s.count(p.counter(f.outer, r))
	}
	p.next.ServeHTTP(w, r)
}

func (p *route) counter(outer *counter, r *http.Request) *counter {
	if (p.rpc || isRPC(r)) && strings.HasSuffix(p.path, "/") {
		return counterOf(keyOf(outer, "", r.URL.Path))
	}
	at := p.first.Load()
	if at != nil && at.outer == outer {
		return at.counter
	}
	c := counterOf(keyOf(outer, "", p.name))
	if at == nil {
		p.first.Store(&placed{outer, c})
	}
	return c
}

// Skip leaves the requests of a handler out.
func Skip(h http.Handler) http.Handler {
	if h == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer SkipRequest(r)()
		h.ServeHTTP(w, r)
	})
}

// SkipFunc is Skip for functions.
func SkipFunc(f http.HandlerFunc) http.HandlerFunc {
	if f == nil {
		return nil
	}
	return Skip(f).ServeHTTP
}

// SkipRequest leaves a request out. Call its result when the request has been served.
func SkipRequest(r *http.Request) (done func()) {
	if r == nil {
		return func() {}
	}
	s, first := open(r)
	s.skip()
	if first {
		return s.close
	}
	return func() {}
}

// Service measures a handler by the methods in its paths, as those of Connect are:
//
//	mux.Handle(slowpoke.Service(pingv1connect.NewPingServiceHandler(s)))
func Service(path string, h http.Handler) (string, http.Handler) {
	if h == nil {
		return path, h
	}
	return path, service{h}
}

// service is a handler with methods in its paths.
type service struct{ http.Handler }

// servesRPC reports whether h has methods in its paths: it came from Service, or
// is a server of Twirp.
func servesRPC(h http.Handler) bool {
	switch h.(type) {
	case service:
		return true
	case interface {
		ServiceDescriptor() ([]byte, int)
		PathPrefix() string
	}:
		return true
	}
	return false
}
