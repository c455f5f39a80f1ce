package slowpoke

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
)

// What onefold instrument puts around the functions that register handlers and
// serve, so that a call, or the function as a value, means what it meant.

// HandleFunc is for http.HandleFunc and the method of a mux.
func HandleFunc(register func(string, func(http.ResponseWriter, *http.Request))) func(string, func(http.ResponseWriter, *http.Request)) {
	return func(pattern string, f func(http.ResponseWriter, *http.Request)) {
		register(pattern, RouteFunc(pattern, f))
	}
}

// Handle is for http.Handle and the method of a mux.
func Handle(register func(string, http.Handler)) func(string, http.Handler) {
	return func(pattern string, h http.Handler) { register(pattern, Route(pattern, h)) }
}

// ListenAndServe is for http.ListenAndServe.
func ListenAndServe(serve func(string, http.Handler) error) func(string, http.Handler) error {
	return func(addr string, h http.Handler) error { return serve(addr, Handler(h)) }
}

// ListenAndServeTLS is for http.ListenAndServeTLS.
func ListenAndServeTLS(serve func(addr, cert, key string, h http.Handler) error) func(addr, cert, key string, h http.Handler) error {
	return func(addr, cert, key string, h http.Handler) error { return serve(addr, cert, key, Handler(h)) }
}

// Serve is for http.Serve.
func Serve(serve func(net.Listener, http.Handler) error) func(net.Listener, http.Handler) error {
	return func(l net.Listener, h http.Handler) error { return serve(l, Handler(h)) }
}

// ServeTLS is for http.ServeTLS.
func ServeTLS(serve func(l net.Listener, h http.Handler, cert, key string) error) func(l net.Listener, h http.Handler, cert, key string) error {
	return func(l net.Listener, h http.Handler, cert, key string) error { return serve(l, Handler(h), cert, key) }
}

// Client measures a client that was made without a transport.
func Client(c *http.Client) *http.Client {
	c.Transport = Transport(c.Transport)
	return c
}

// ReverseProxy measures a proxy that was made without a transport.
func ReverseProxy(p *httputil.ReverseProxy) *httputil.ReverseProxy {
	p.Transport = Transport(p.Transport)
	return p
}

// Clone is for http.Request.Clone: the clone of a request that is being served is the
// same request, not one more.
func Clone(r *http.Request) func(context.Context) *http.Request {
	return func(ctx context.Context) *http.Request {
		c := r.Clone(ctx)
		if s := find(r); s != nil && c.Header != nil {
			s.cloned(c)
		}
		return c
	}
}
