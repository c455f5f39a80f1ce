package synth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold/instrument/profile/local"
	"github.com/onefold/onefold/instrument/profile/sim"
	"github.com/onefold/onefold/instrument/slowpoke"
)

// Service is one process: all endpoints of one service of a topology.
type Service struct {
	Topology  sim.Topology
	Service   int
	Addresses []string // of all services
	Form

	speed speed
	cores cores
	calls caller
}

// Form is how a topology runs.
type Form struct {
	GRPC bool // services talk gRPC, not HTTP/1.1
	// Real services use the time of processors, one each of this machine.
	Real bool
	// Plain services are not instrumented.
	Plain bool
}

// caller calls an endpoint of another service.
type caller interface {
	call(ctx context.Context, address string, endpoint int) error
}

// Config returns the application of a topology, with services at consecutive
// addresses. command starts a process that calls Run with its last argument.
func Config(t sim.Topology, addresses []string, form Form, command ...string) (*local.Config, error) {
	c := &local.Config{Name: t.Name}
	for i, s := range t.Services {
		data, err := json.Marshal(Service{Topology: t, Service: i, Addresses: addresses, Form: form})
		if err != nil {
			return nil, err
		}
		svc := local.Service{Name: s.Name, Address: addresses[i], Cores: float64(s.Cores)}
		if form.Real {
			svc.Command = []string{"taskset", "-c", strconv.Itoa(i)}
			svc.Time = time.Duration(t.Times()[i] * float64(time.Second)) // what SetFraction changes
		}
		svc.Command = append(append(svc.Command, command...), string(data))
		c.Services = append(c.Services, svc)
	}
	return c, nil
}

// Run is such a process.
func Run(argument string) error {
	var s Service
	if err := json.Unmarshal([]byte(argument), &s); err != nil {
		return err
	}
	s.speed.set(1)
	s.cores = processors{&s.speed}
	if !s.Real {
		s.cores = newVirtual(s.Topology.Services[s.Service].Cores, &s.speed)
	}
	mux := http.NewServeMux()
	for i := range s.Topology.Endpoints {
		if s.Topology.Endpoints[i].Service == s.Service {
			mux.HandleFunc("/"+strconv.Itoa(i), func(w http.ResponseWriter, r *http.Request) {
				if err := s.serve(r.Context(), i); err != nil {
					http.Error(w, err.Error(), http.StatusBadGateway)
				}
			})
		}
	}
	mux.HandleFunc("POST /-/scale", s.scale)
	if s.GRPC {
		return s.runGRPC(mux)
	}
	var handler http.Handler = mux
	var transport http.RoundTripper = &http.Transport{MaxIdleConnsPerHost: 1024}
	if !s.Plain {
		handler, transport = slowpoke.Handler(handler), slowpoke.Transport(transport)
	}
	s.calls = httpCaller{&http.Client{Transport: transport}}
	return http.ListenAndServe(s.Addresses[s.Service], handler)
}

// serve takes an endpoint's time of a core and makes its calls.
func (s *Service) serve(ctx context.Context, endpoint int) error {
	e := &s.Topology.Endpoints[endpoint]
	s.cores.hold(ctx, e.Time)
	g, ctx := errgroup.WithContext(ctx)
	if !e.Async {
		g.SetLimit(1)
	}
	for _, c := range e.Calls {
		for range c.Count {
			if rand.Float64() < c.Probability {
				g.Go(func() error { return s.calls.call(ctx, s.Addresses[s.Topology.Endpoints[c.To].Service], c.To) })
			}
		}
	}
	return g.Wait()
}

type httpCaller struct{ client *http.Client }

func (c httpCaller) call(ctx context.Context, address string, endpoint int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/%d", address, endpoint), nil)
	if err != nil {
		return err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// scale changes the service's speed.
func (s *Service) scale(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	factor, err2 := strconv.ParseFloat(string(body), 64)
	if err = errors.Join(err, err2); err != nil || factor <= 0 {
		http.Error(w, "want a factor", http.StatusBadRequest)
		return
	}
	s.speed.set(factor)
}

// SetFraction makes a service at an address faster by a fraction, 0 for as it was.
func SetFraction(ctx context.Context, address string, fraction float64) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	body := bytes.NewReader(strconv.AppendFloat(nil, 1-fraction, 'g', -1, 64))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/-/scale", body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("set speed of %s: %s", address, resp.Status)
	}
	return nil
}
