package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
)

// sender sends one request and waits for the whole answer. What it returns is nil
// for a good answer; how says which kind of error any other one is.
type sender interface {
	send(ctx context.Context, rng *rand.Rand) error
}

// statusError is an answer that counts as an error.
type statusError string

func (e statusError) Error() string { return string(e) }

// how names the kind of an error, so that errors can be counted by kind.
func how(err error) string {
	var status statusError
	var timeout net.Error
	var call *net.OpError
	switch {
	case errors.As(err, &status):
		return string(status)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, os.ErrClosed):
		return "connection lost"
	case errors.As(err, &call):
		return call.Err.Error()
	}
	return err.Error()
}

// newSenders prepares all requests of a mix. The function frees their connections.
func newSenders(ctx context.Context, m *Mix, opts Options) ([]sender, func(), error) {
	if m.Protocol == GRPC {
		return newGRPC(ctx, m, opts)
	}
	client := newHTTPClient(m.Protocol, opts)
	var senders []sender
	for i := range m.Requests {
		s, err := newHTTPSender(client, m, &m.Requests[i], opts)
		if err != nil {
			return nil, nil, fmt.Errorf("request %s: %w", m.Requests[i].Name, err)
		}
		senders = append(senders, s)
	}
	return senders, client.CloseIdleConnections, nil
}
