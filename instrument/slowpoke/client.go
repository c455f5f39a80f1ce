package slowpoke

import "net/http"

// Transport counts the calls of a client by the host that they go to. base may be
// nil, for http.DefaultTransport.
func Transport(base http.RoundTripper) http.RoundTripper {
	if t, ok := base.(*transport); ok {
		return t
	}
	return &transport{base}
}

// Base returns the transport that was given to Transport.
func Base(t http.RoundTripper) http.RoundTripper {
	if t, ok := t.(*transport); ok {
		return t.base
	}
	return t
}

// transport has its methods on the pointer: stacks are at their deepest where a client
// calls, and one frame more can make each of them grow once more.
type transport struct{ base http.RoundTripper }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL != nil {
		Call(r.URL.Host)
	}
	return t.next().RoundTrip(r)
}

// next returns the transport to use. The default one may change at any time.
func (t *transport) next() http.RoundTripper {
	if t.base == nil {
		return http.DefaultTransport
	}
	return t.base
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the base.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
