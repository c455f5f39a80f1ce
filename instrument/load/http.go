package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// newHTTPClient returns a client that has as many connections as there are requests
// under way, and keeps them. A cap would make the client a bottleneck of its own.
func newHTTPClient(p Protocol, opts Options) *http.Client {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: opts.Timeout, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: max(opts.Clients, opts.MaxInFlight),
		DisableCompression:  true, // an answer is measured as the server sends it
		Protocols:           new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(p == HTTP1)
	transport.Protocols.SetHTTP2(p == HTTP2)
	transport.Protocols.SetUnencryptedHTTP2(p == H2C)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// httpSender sends one kind of request over HTTP.
type httpSender struct {
	client  *http.Client
	request *Request
	base    string
	path    template
	body    template // nil for none
	headers []header
	keys    bool // an Idempotency-Key for each request
	timeout time.Duration
}

type header struct {
	name  string
	value template
}

func newHTTPSender(client *http.Client, m *Mix, r *Request, opts Options) (*httpSender, error) {
	s := &httpSender{
		client: client, request: r, base: strings.TrimSuffix(m.Target, "/"),
		keys: opts.IdempotencyKeys, timeout: opts.Timeout,
	}
	var err error
	if s.path, err = compile(r.Path); err != nil {
		return nil, err
	}
	body, err := r.body()
	if err != nil {
		return nil, err
	}
	if body != nil {
		if s.body, err = compileBody(body); err != nil {
			return nil, err
		}
		s.headers = append(s.headers, header{"Content-Type", template{{literal: "application/json"}}})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		value, err := compile(r.Headers[name])
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		s.headers = append(s.headers, header{http.CanonicalHeaderKey(name), value})
	}
	_, err = http.NewRequest(r.Method, s.base+string(s.path.fill(nil, rand.New(rand.NewPCG(0, 0)))), nil)
	return s, err
}

func (s *httpSender) send(ctx context.Context, rng *rand.Rand) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var body io.Reader
	if s.body != nil {
		body = bytes.NewReader(s.body.fill(nil, rng))
	}
	req, err := http.NewRequestWithContext(ctx, s.request.Method, s.base+string(s.path.fill(nil, rng)), body)
	if err != nil {
		return err
	}
	for _, h := range s.headers {
		value := string(h.value.fill(nil, rng))
		if h.name == "Host" {
			req.Host = value // not a header to net/http
			continue
		}
		req.Header.Set(h.name, value)
	}
	if s.keys {
		req.Header.Set("Idempotency-Key", uuid.NewString())
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if !s.request.accepts(resp.StatusCode) {
		return statusError(fmt.Sprintf("status %d", resp.StatusCode))
	}
	return nil
}
