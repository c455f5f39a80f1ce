// Package providertest is a payment provider for tests. It remembers what it was
// asked for, and with which keys.
package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/onefold/onefold/testdata/apps/fulfilment/provider"
)

// Provider is a payment provider. It declines the card "stolen".
type Provider struct {
	mu      sync.Mutex
	answers map[string]provider.Answer // by idempotency key
	paid    map[string]int             // cents by receipt; 0 after a refund
	calls   int
	down    int // requests still to be refused
}

// New returns a provider that nobody has paid at.
func New() *Provider {
	return &Provider{answers: map[string]provider.Answer{}, paid: map[string]int{}}
}

// Install makes all requests of http.DefaultClient reach a new provider, until the test t ends.
func Install(t interface{ Cleanup(func()) }) *Provider {
	p := New()
	before := http.DefaultTransport
	http.DefaultTransport = p
	t.Cleanup(func() { http.DefaultTransport = before })
	return p
}

// RoundTrip implements http.RoundTripper: the network, without one.
func (p *Provider) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, status := p.answer(req)
	body, err := json.Marshal(answer)
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
	}, err
}

// answer answers a request, one with a known key as the first one with it.
func (p *Provider) answer(req *http.Request) (answer provider.Answer, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.down > 0 {
		p.down--
		return answer, http.StatusServiceUnavailable
	}
	key := req.Header.Get("Idempotency-Key")
	answer, known := p.answers[key]
	if known {
		return answer, http.StatusOK
	}
	answer, err := p.perform(req)
	if err != nil {
		return answer, http.StatusBadRequest
	}
	p.answers[key] = answer
	return answer, http.StatusOK
}

// perform does what a request with a new key asks for.
func (p *Provider) perform(req *http.Request) (answer provider.Answer, err error) {
	switch req.URL.Path {
	case "/payments":
		var payment provider.Payment
		if err := json.NewDecoder(req.Body).Decode(&payment); err != nil {
			return answer, err
		}
		if payment.Card == "stolen" {
			return provider.Answer{Declined: "the card is stolen"}, nil
		}
		answer.Receipt = fmt.Sprintf("%s-%d", payment.Card, len(p.paid)+1)
		p.paid[answer.Receipt] = payment.Cents
		return answer, nil
	case "/refunds":
		if err := json.NewDecoder(req.Body).Decode(&answer); err != nil {
			return answer, err
		}
		p.paid[answer.Receipt] = 0
		return answer, nil
	}
	return answer, fmt.Errorf("no such request: %s", req.URL.Path)
}

// Fail makes the provider refuse the next n requests.
func (p *Provider) Fail(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = n
}

// Calls returns how many requests came, repeated ones included.
func (p *Provider) Calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// Keys returns the keys of what was done.
func (p *Provider) Keys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.answers))
}

// Paid returns the cents that were taken and not given back.
func (p *Provider) Paid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := 0
	for _, cents := range p.paid {
		sum += cents
	}
	return sum
}
