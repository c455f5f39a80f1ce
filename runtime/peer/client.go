package peer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	syncatomic "sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store/wire"
)

// Client calls the services of other processes.
type Client struct {
	config  Config
	touches map[string][]string // by Service.Method
	errors  *errorTable
	opts    ClientOptions
	turn    syncatomic.Uint32

	mu         sync.Mutex
	transports map[target]*http.Transport
}

var _ atomic.Elsewhere = (*Client)(nil)

// ClientOptions adjust a client; the zero value works.
type ClientOptions struct {
	// Dial makes the connections. Default net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Transport carries the calls, in place of connections of the client's own.
	Transport http.RoundTripper
	// Rand draws the pauses before a call is tried again: a number from 0 up to n,
	// without n. Default rand.Int64N.
	Rand func(n int64) int64
}

// NewClient returns a client for a process of app that has the given part of it.
func NewClient(app *runtime.App, config Config, opts ClientOptions) *Client {
	if opts.Dial == nil {
		opts.Dial = new(net.Dialer).DialContext
	}
	if opts.Rand == nil {
		opts.Rand = rand.Int64N
	}
	c := &Client{config: config, touches: map[string][]string{}, errors: newErrorTable(app), opts: opts, transports: map[target]*http.Transport{}}
	for _, s := range app.Services {
		for _, m := range s.Methods {
			if m.Kind != runtime.Stateless {
				c.touches[s.Name+"."+m.Name] = s.Reach
			}
		}
	}
	return c
}

// Hosts implements atomic.Elsewhere.
func (c *Client) Hosts(service string) bool { return !c.config.Hosts(service) }

// Touches implements atomic.Elsewhere.
func (c *Client) Touches(service, method string) []string { return c.touches[service+"."+method] }

// patience is how long a call is tried again while no process answers. After that
// the whole attempt begins again, at a new read version.
const patience = time.Second

// Call implements atomic.Elsewhere.
func (c *Client) Call(ctx context.Context, call *atomic.Call) (*atomic.Part, error) {
	body := appendCall(make([]byte, 0, 512), call, time.Now())
	started, next := time.Now(), c.turn.Add(1)
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		replicas := c.config.Peers.of(call.Service)
		err := fmt.Errorf("%s names no address of it", EnvPeers)
		for range replicas {
			var part *atomic.Part
			part, err = c.send(ctx, replicas[next%uint32(len(replicas))], call, body)
			if !again(ctx, err) {
				return part, err
			}
			next++
		}
		if time.Since(started) >= patience {
			return nil, &failure{fmt.Sprintf("%s.%s: no process answers: %v", call.Service, call.Method, err), atomic.ErrUnreachable}
		}
		select {
		case <-time.After(wait/2 + time.Duration(c.opts.Rand(int64(wait)))):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// unavailableError says that a process did not perform a call, and that it or
// another one may yet.
type unavailableError struct{ err error }

func (e *unavailableError) Error() string { return e.err.Error() }

func again(ctx context.Context, err error) bool {
	var u *unavailableError
	return errors.As(err, &u) && ctx.Err() == nil
}

// send sends a call to one process.
func (c *Client) send(ctx context.Context, t target, call *atomic.Call, body []byte) (*atomic.Part, error) {
	scheme := "http"
	if t.secure {
		scheme = "https"
	}
	url := scheme + "://" + t.host() + pathPrefix + call.Service + "/" + call.Method
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header["Content-Type"] = contentTypes
	if key := c.config.Keys.Show(c.config.Services, call.Service); key != "" {
		req.Header["Authorization"] = []string{"Bearer " + key}
	}
	transport, err := c.transport(t)
	if err != nil {
		return nil, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &unavailableError{err}
	}
	defer resp.Body.Close()
	reply, err := readAll(resp.Body, resp.ContentLength)
	if err != nil {
		return nil, &unavailableError{err}
	}
	return c.read(resp.StatusCode, reply)
}

var contentTypes = []string{contentType}

// read makes the part of a reply, or the error that it stands for.
func (c *Client) read(status int, reply []byte) (*atomic.Part, error) {
	if status != http.StatusOK {
		err := fmt.Errorf("status %d: %s", status, strings.TrimSpace(string(reply[:min(len(reply), 200)])))
		if status == http.StatusNotFound || status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge {
			return nil, err
		}
		return nil, &unavailableError{err}
	}
	r := wire.NewReader(reply)
	if o := outcome(r.Byte()); o != performed {
		return nil, failureOf(&r, o)
	}
	return c.errors.part(&r)
}

// readAll reads a body whose length is known, or not (-1).
func readAll(body io.Reader, length int64) ([]byte, error) {
	if length > maxMessage {
		return nil, fmt.Errorf("message of %d bytes, at most %d", length, maxMessage)
	}
	if length >= 0 {
		b := make([]byte, length)
		_, err := io.ReadFull(body, b)
		return b, err
	}
	b, err := io.ReadAll(io.LimitReader(body, maxMessage+1))
	if err == nil && len(b) > maxMessage {
		err = fmt.Errorf("message of more than %d bytes", maxMessage)
	}
	return b, err
}

// host returns the host of a target in a URL.
func (t target) host() string {
	if t.Network == "unix" {
		return "localhost"
	}
	return t.Name
}

// transport returns what carries calls to a target.
func (c *Client) transport(t target) (http.RoundTripper, error) {
	if c.opts.Transport != nil {
		return c.opts.Transport, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if transport := c.transports[t]; transport != nil {
		return transport, nil
	}
	if t.secure && c.config.TLS == nil {
		return nil, fmt.Errorf("https://%s needs certificates: set %s", t.Name, EnvTLS)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(t.secure)
	protocols.SetUnencryptedHTTP2(!t.secure)
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return c.opts.Dial(ctx, t.Network, t.Name) },
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := c.opts.Dial(ctx, t.Network, t.Name)
			if err != nil {
				return nil, err
			}
			host, _, _ := net.SplitHostPort(t.Name)
			secured := tls.Client(conn, c.config.TLS.Client(host))
			return secured, secured.HandshakeContext(ctx)
		},
		Protocols:          protocols,
		DisableCompression: true,
		IdleConnTimeout:    90 * time.Second,
		// A process that has stopped takes its connections with it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: time.Second, PingTimeout: time.Second},
	}
	c.transports[t] = transport
	return transport, nil
}

// Close closes the connections that are not in use.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.transports {
		t.CloseIdleConnections()
	}
}
