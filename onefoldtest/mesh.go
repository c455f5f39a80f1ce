package onefoldtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"time"
)

// mesh carries HTTP requests between the places of a swarm, and loses, delays
// and repeats them. It is an http.RoundTripper for one sender.
type mesh struct {
	swarm  *swarm
	from   string   // the sender's name
	sender *machine // nil for one that does not fail
}

// errCut is what a sender sees of a connection that broke.
var errCut = errors.New("connection reset")

// RoundTrip implements http.RoundTripper.
func (n *mesh) RoundTrip(req *http.Request) (*http.Response, error) {
	s := n.swarm
	name := fmt.Sprintf("%s to %s %s %s%s", n.from, req.URL.Host, req.URL.Path, req.Header.Get("Onefold-Id"), req.Header.Get("Idempotency-Key"))
	if n.sender != nil {
		name = fmt.Sprintf("%s for (%v)", name, req.Context().Value(cause{}))
	}
	name = fmt.Sprintf("%s #%d", name, s.fate.number(name))
	if n.sender != nil {
		n.sender.running(name)
		defer n.sender.running(name)
	}
	resp, err := n.carry(name, req)
	if err != nil && req.Context().Err() != nil {
		// Many may be given up at one moment, but go on one after the other.
		time.Sleep(within(s.fate.of("end of "+name), longestStep))
	}
	return resp, err
}

// carry carries one request. Both the request and the reply may be
// lost or late; a request may arrive again, also long after the first time.
func (n *mesh) carry(name string, req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body.Close()
	}
	s, ctx := n.swarm, req.Context()
	chance := s.fate.of(name)
	w := s.weather()
	there, back := s.delay(chance), s.delay(chance)
	lost, lostBack, twice := chance.Float64() < w.loss, chance.Float64() < w.loss, chance.Float64() < w.duplicate
	patience := within(chance, 2*time.Second) // until the sender notices that the connection is gone
	if twice && n.repeats(req) {
		again := there + within(chance, mostSlow)
		s.busy.Go(func() {
			time.Sleep(again)
			s.note("again: %s", name)
			s.arrive(name+" again", req, body)
		})
	}
	if err := sleepUntil(ctx, there); err != nil {
		return nil, err
	}
	if lost {
		s.note("lost: %s", name)
		return nil, n.cut(ctx, patience)
	}
	s.trace.add(name)
	answer := make(chan *http.Response, 1)
	s.busy.Go(func() { answer <- s.arrive(name, req, body) })
	select {
	case resp := <-answer:
		switch {
		case resp == nil:
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		case resp == vanished || lostBack:
			s.note("reply lost: %s", name)
			return nil, n.cut(ctx, patience)
		}
		return resp, sleepUntil(ctx, back)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// cut returns the error of a lost message after a while.
func (n *mesh) cut(ctx context.Context, after time.Duration) error {
	if err := sleepUntil(ctx, after); err != nil {
		return err
	}
	return errCut
}

// repeats reports whether the network may repeat a request: one that says which it
// is, or a call, which changes nothing.
func (n *mesh) repeats(req *http.Request) bool {
	return n.sender != nil || req.Header.Get("Onefold-Id") != "" || req.Header.Get("Idempotency-Key") != ""
}

// delay draws the time that a message takes.
func (s *swarm) delay(r *rand.Rand) time.Duration {
	if s.weather().slow > r.Float64() {
		return within(r, mostSlow)
	}
	return within(r, longestStep)
}

// weather returns the weather now.
func (s *swarm) weather() weather {
	if s.isCalm() {
		return weather{}
	}
	return s.plan.weather
}

// sleepUntil waits for d, or until ctx is done.
func sleepUntil(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// vanished is the reply of a process that crashed before it replied.
var vanished = new(http.Response)

// arrive has a request served where it goes to. It returns nil if nobody is there.
func (s *swarm) arrive(name string, req *http.Request, body []byte) *http.Response {
	m, handler := s.host(req.URL.Host)
	if handler == nil {
		return nil
	}
	ctx := context.Context(s.life)
	if m != nil {
		m.running(name)
		ctx = m.life
	}
	copied := req.Clone(context.WithValue(ctx, cause{}, name))
	copied.Body, copied.ContentLength, copied.RequestURI = io.NopCloser(bytes.NewReader(body)), int64(len(body)), req.URL.RequestURI()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, copied)
	if m != nil {
		m.running(name)
		if m.life.Err() != nil {
			return vanished
		}
	}
	return w.Result()
}
