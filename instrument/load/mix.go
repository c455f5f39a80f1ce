// Package load sends requests to a service and measures what comes back: in closed
// loop, where each of a number of clients sends its next request when the last one
// is answered, or in open loop, at a given rate whatever the answers do. In open
// loop a latency counts from when the request was due, so a server that stalls
// cannot hide what it did to those who would have come meanwhile.
package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Mix is what to send.
type Mix struct {
	Target   string   `yaml:"target" json:"target"`                         // base URL, or host:port for gRPC
	Protocol Protocol `yaml:"protocol,omitempty" json:"protocol,omitempty"` // default http1
	// Setup is sent once, in order, before anything is measured.
	Setup    []Request `yaml:"setup,omitempty" json:"setup,omitempty"`
	Requests []Request `yaml:"requests" json:"requests"`
}

// Protocol is how requests travel.
type Protocol string

// The protocols. TLS follows from the target: an https URL for the first, and
// https://host:port for gRPC.
const (
	HTTP1 Protocol = "http1"
	H2C   Protocol = "h2c" // HTTP/2 without TLS
	HTTP2 Protocol = "http2"
	GRPC  Protocol = "grpc"
)

// Request is one kind of request. In Path, header values and Body, ${int:1-100},
// ${pick:a|b|c}, ${seq} and ${uuid} stand for values that are new in each request;
// a string in Body that is nothing but an ${int} or ${seq} becomes a number.
type Request struct {
	Name    string            `yaml:"name,omitempty" json:"name,omitempty"`     // default: method and path
	Weight  float64           `yaml:"weight,omitempty" json:"weight,omitempty"` // default 1
	Times   int               `yaml:"times,omitempty" json:"times,omitempty"`   // in Setup: how often; default 1
	Method  string            `yaml:"method,omitempty" json:"method,omitempty"` // default GET, or POST with a body
	Path    string            `yaml:"path,omitempty" json:"path,omitempty"`
	RPC     string            `yaml:"rpc,omitempty" json:"rpc,omitempty"` // package.Service/Method, for gRPC
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty"`
	Body    any               `yaml:"body,omitempty" json:"body,omitempty"` // sent as JSON
	// OK lists the statuses that are no errors. Default: all below 400.
	OK []int `yaml:"ok,omitempty,flow" json:"ok,omitempty"`
}

// ParseMix reads a mix in YAML, of which JSON is a part.
func ParseMix(rd io.Reader) (*Mix, error) {
	dec := yaml.NewDecoder(rd)
	dec.KnownFields(true)
	var m Mix
	if err := dec.Decode(&m); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the mix is empty")
		}
		return nil, fmt.Errorf("read mix: %w", err)
	}
	return &m, m.check()
}

// Write writes the mix as YAML.
func (m *Mix) Write(w io.Writer) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(m); err != nil {
		return err
	}
	return enc.Close()
}

// check completes the mix and finds what is wrong with it.
func (m *Mix) check() error {
	if m.Protocol == "" {
		m.Protocol = HTTP1
	}
	if !slices.Contains([]Protocol{HTTP1, H2C, HTTP2, GRPC}, m.Protocol) {
		return fmt.Errorf("protocol %q is unknown: want http1, http2, h2c or grpc", m.Protocol)
	}
	if m.Target == "" {
		return errors.New("the mix has no target")
	}
	if u, err := url.Parse(m.Target); m.Protocol != GRPC && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("target %q: want a URL such as http://127.0.0.1:8080", m.Target)
	}
	if len(m.Requests) == 0 {
		return errors.New("the mix has no requests")
	}
	for i := range m.Setup {
		r := &m.Setup[i]
		if err := r.check(m.Protocol); err != nil {
			return fmt.Errorf("setup %d of the mix: %w", i+1, err)
		}
		r.Times = max(r.Times, 1)
	}
	total := 0.0
	for i := range m.Requests {
		r := &m.Requests[i]
		if err := r.check(m.Protocol); err != nil {
			return fmt.Errorf("request %d of the mix: %w", i+1, err)
		}
		total += r.Weight
	}
	if total == 0 {
		return errors.New("all requests of the mix have weight 0")
	}
	return nil
}

func (r *Request) check(p Protocol) error {
	switch {
	case p == GRPC && strings.Count(r.RPC, "/") != 1:
		return fmt.Errorf("rpc %q: want the form package.Service/Method", r.RPC)
	case p != GRPC && r.RPC != "":
		return errors.New("rpc needs protocol: grpc")
	case p != GRPC && !strings.HasPrefix(r.Path, "/"):
		return fmt.Errorf("path %q: want one that begins with /", r.Path)
	case r.Weight < 0:
		return fmt.Errorf("weight %g is negative", r.Weight)
	}
	if r.Weight == 0 {
		r.Weight = 1
	}
	if r.Method == "" {
		r.Method = http.MethodGet
		if r.Body != nil {
			r.Method = http.MethodPost
		}
	}
	if r.Name == "" {
		r.Name = r.Method + " " + r.Path
		if p == GRPC {
			r.Name = r.RPC
		}
	}
	return nil
}

// accepts reports whether a status is no error.
func (r *Request) accepts(status int) bool {
	if len(r.OK) == 0 {
		return status < 400
	}
	return slices.Contains(r.OK, status)
}

// body returns the JSON text of the body, nil for none.
func (r *Request) body() ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r.Body); err != nil {
		return nil, fmt.Errorf("body of %s: %w", r.Name, err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
