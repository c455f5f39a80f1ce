// Package inspect looks at running applications, over the API for those who run
// them: workflows, dead letters and state. It shows what it finds as tables and
// trees for a terminal; the same as JSON is what the server says.
package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// A Client asks one server.
type Client struct {
	Server string // as in http://127.0.0.1:8080
	Token  string // that the server may want; never shown
	HTTP   *http.Client
}

// maxReply is the longest reply that is read, in bytes.
const maxReply = 256 << 20

// ErrNoAnswer says that nobody answers at the server's address.
var ErrNoAnswer = errors.New("no server answers")

// A StatusError is a reply that is none of the things that were asked for.
type StatusError struct {
	Status int
	Detail string
}

func (e *StatusError) Error() string { return e.Detail }

// get reads the JSON at path below the API.
func (c *Client) get(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	if q := query.Encode(); q != "" {
		path += "?" + q
	}
	return c.do(ctx, http.MethodGet, path, nil)
}

// post sends body to path below the API; nil is none.
func (c *Client) post(ctx context.Context, path string, body []byte) error {
	_, err := c.do(ctx, http.MethodPost, path, body)
	return err
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	base, err := url.Parse(c.Server)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("server %q is no address such as http://127.0.0.1:8080", c.Server)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Server, "/")+"/_onefold/api/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, fmt.Errorf("read the reply of %s: %w", c.Server, err)
	}
	if resp.StatusCode >= 300 {
		return nil, c.refused(resp, text)
	}
	return text, nil
}

// unreachable says what to do where no reply came.
func (c *Client) unreachable(ctx context.Context, err error) error {
	var uerr *url.Error
	errors.As(err, &uerr)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf(`%w at %s; start one with "onefold run ./...", or say where it is with --server`, ErrNoAnswer, c.Server)
	case uerr.Timeout():
		return fmt.Errorf("%w at %s in time; see whether it is stuck or overloaded", ErrNoAnswer, c.Server)
	}
	return fmt.Errorf("%w at %s: %w", ErrNoAnswer, c.Server, uerr.Err)
}

// refused says what to do where the server refuses.
func (c *Client) refused(resp *http.Response, text []byte) error {
	var problem struct{ Title, Detail string }
	known := json.Unmarshal(text, &problem) == nil && problem.Detail != ""
	e := &StatusError{Status: resp.StatusCode, Detail: problem.Detail}
	switch {
	case resp.StatusCode == http.StatusUnauthorized && c.Token == "":
		e.Detail = c.Server + " wants its token: set ONEFOLD_TOKEN, or name a file that holds it with --token-file"
	case resp.StatusCode == http.StatusUnauthorized:
		e.Detail = c.Server + " does not take this token"
	case !known && resp.StatusCode == http.StatusNotFound:
		e.Detail = c.Server + " is no onefold server that can be inspected"
	case !known:
		e.Detail = fmt.Sprintf("%s answers %s", c.Server, resp.Status)
	}
	return e
}
