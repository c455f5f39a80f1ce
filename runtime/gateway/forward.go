package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/onefold/onefold/runtime/invoke"
)

// forward delivers a request to replicas of p until one has answered it.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, p *pool) {
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	default:
		refusal := invoke.Problem{Type: invoke.TypeOverload, Status: http.StatusServiceUnavailable, Detail: "the gateway has as many requests under way as it may; try again soon"}
		refusal.Write(w)
		return
	}
	d, problem := g.accept(w, r)
	if problem != nil {
		problem.Write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.opts.Timeout)
	defer cancel()
	reply := g.deliver(ctx, p, d)
	if reply == nil || d.begun && reply.inconclusive() {
		if d.id != "" {
			w.Header().Set("Onefold-Id", d.id)
		}
		d.unanswered(p.service, g.opts.Timeout).Write(w)
		return
	}
	reply.write(w)
}

// delivery is a request that may be delivered several times.
type delivery struct {
	method string
	uri    string
	header http.Header
	body   []byte
	id     string // that the gateway minted, or the client's; empty with a key
	begun  bool   // a replica may have begun with it
}

// hopByHop are the headers that concern one connection only (RFC 9110, section 7.6.1).
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// accept reads a request, and gives it an id if it has no identity yet.
func (g *Gateway) accept(w http.ResponseWriter, r *http.Request) (*delivery, *invoke.Problem) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.opts.MaxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, &invoke.Problem{Type: invoke.TypeBodyTooLarge, Status: http.StatusRequestEntityTooLarge, Detail: "the body is longer than " + strconv.FormatInt(g.opts.MaxBody, 10) + " bytes"}
	case err != nil:
		return nil, &invoke.Problem{Type: invoke.TypeInput, Status: http.StatusBadRequest, Detail: "read body: " + err.Error()}
	}
	d := &delivery{method: r.Method, uri: r.URL.RequestURI(), header: r.Header.Clone(), body: body}
	for _, name := range hopByHop {
		d.header.Del(name)
	}
	if r.Method == http.MethodPost && d.header["Idempotency-Key"] == nil {
		if d.header["Onefold-Id"] == nil {
			d.header["Onefold-Id"] = []string{g.opts.NewID()}
		}
		d.id = d.header.Get("Onefold-Id")
	}
	return d, nil
}

// The pause between two deliveries of a request doubles between these.
const (
	firstPause = 2 * time.Millisecond
	mostPause  = 200 * time.Millisecond
)

// deliver returns the reply to a request, or nil when ctx is done.
func (g *Gateway) deliver(ctx context.Context, p *pool, d *delivery) *reply {
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		b, alive, err := g.take(ctx, p)
		if err != nil {
			return nil
		}
		reply, err := g.attempt(ctx, alive, b, d)
		g.giveBack(b, err != nil)
		switch {
		case err == nil && !reply.elsewhere():
			return reply
		case err != nil && connecting(err):
			g.setUp(p, b, false)
		case err != nil:
			d.begun = true
		}
		b.suspect()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// attempt delivers a request to one replica and returns its whole reply.
func (g *Gateway) attempt(ctx, alive context.Context, b *backend, d *delivery) (*reply, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(alive, cancel)()
	req, err := http.NewRequestWithContext(ctx, d.method, b.base+d.uri, bytes.NewReader(d.body))
	if err != nil {
		return nil, err
	}
	req.Header = d.header
	resp, err := g.opts.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return &reply{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// connecting reports whether a delivery failed before the request was sent.
func connecting(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// reply is a replica's answer. It is kept whole before any of it is passed on, so
// that a replica that dies amid its answer is not seen either.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// problem returns the type of the problem that the reply is, or "".
func (r *reply) problem() string {
	var p invoke.Problem
	if r.status < 400 || json.Unmarshal(r.body, &p) != nil {
		return ""
	}
	return p.Type
}

// elsewhere reports whether the replica refused because it starts or stops.
func (r *reply) elsewhere() bool {
	return r.status == http.StatusServiceUnavailable && r.problem() == invoke.TypeUnavailable
}

// inconclusive reports whether the reply says of its own delivery only that
// nothing was changed: another delivery, which nobody listens to any more, may yet change something.
func (r *reply) inconclusive() bool {
	return r.status >= 500 || r.problem() == invoke.TypeTooLarge
}

func (r *reply) write(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range r.header {
		header[name] = values
	}
	for _, name := range hopByHop {
		header.Del(name)
	}
	header.Set("Content-Length", strconv.Itoa(len(r.body)))
	w.WriteHeader(r.status)
	w.Write(r.body)
}

// unanswered is the problem of a request that no replica has answered in time.
func (d *delivery) unanswered(service string, timeout time.Duration) *invoke.Problem {
	if !d.begun {
		return &invoke.Problem{Type: invoke.TypeUnavailable, Status: http.StatusServiceUnavailable, ID: d.id,
			Detail: "no replica of " + service + " was ready within " + timeout.String() + "; nothing was changed"}
	}
	how := "the same Idempotency-Key"
	if d.id != "" {
		how = "Onefold-Id: " + d.id
	}
	return &invoke.Problem{Type: invoke.TypeOutcomeUnknown, Status: http.StatusServiceUnavailable, ID: d.id,
		Detail: "no replica of " + service + " gave an answer within " + timeout.String() + "; the request may have happened; send it again with " + how + " to find out, it will not happen twice"}
}
