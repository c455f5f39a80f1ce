package load_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/onefold/onefold/instrument/load"
)

// run sends a mix and returns what was measured.
func run(t *testing.T, ctx context.Context, m *load.Mix, opts load.Options) *load.Result {
	t.Helper()
	r, err := load.New(ctx, m, opts)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func get(target, path string) *load.Mix {
	return &load.Mix{Target: target, Requests: []load.Request{{Path: path}}}
}

// TestHost: a Host in the headers is the host that is asked for, as for curl.
func TestHost(t *testing.T) {
	var hosts sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hosts.Store(r.Host, true) }))
	defer server.Close()
	mix := get(server.URL, "/")
	mix.Requests[0].Headers = map[string]string{"host": "shop-${int:7-7}.example"}
	run(t, t.Context(), mix, load.Options{Clients: 2, Requests: 10})
	if _, ok := hosts.Load("shop-7.example"); !ok {
		hosts.Range(func(host, _ any) bool { t.Errorf("asked for %v", host); return true })
	}
}

// TestClosed: every request reaches the server, is counted once, and is of the
// kind that its weight says.
func TestClosed(t *testing.T) {
	var count [2]atomic.Int64
	var mu sync.Mutex
	keys := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		keys[r.Header.Get("Idempotency-Key")] = true
		mu.Unlock()
		if r.URL.Path == "/rare" {
			count[1].Add(1)
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		var body struct {
			User string
			N    int
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || !strings.HasPrefix(body.User, "u-") || body.N < 1 || body.N > 3 {
			t.Errorf("body %+v: %v", body, err)
		}
		count[0].Add(1)
	}))
	defer server.Close()
	mix := &load.Mix{Target: server.URL, Requests: []load.Request{
		{Path: "/often", Weight: 9, Body: map[string]any{"user": "u-${seq}", "n": "${int:1-3}"}},
		{Path: "/rare", Weight: 1},
	}}
	res := run(t, t.Context(), mix, load.Options{Clients: 8, Requests: 1000, IdempotencyKeys: true, Seed: 1})
	if res.Requests != count[0].Load() || res.Errors != count[1].Load() || res.Requests+res.Errors != 1000 {
		t.Errorf("measured %d and %d errors, the server saw %d and %d", res.Requests, res.Errors, count[0].Load(), count[1].Load())
	}
	if res.Errors < 60 || res.Errors > 150 {
		t.Errorf("%d of 1000 requests have a weight of a tenth", res.Errors)
	}
	if res.ErrorKinds["status 503"] != res.Errors {
		t.Errorf("errors by kind: %v", res.ErrorKinds)
	}
	if len(keys) != 1000 {
		t.Errorf("%d different keys in 1000 requests", len(keys))
	}
	if res.Routes[0].Name != "POST /often" || res.Routes[0].Requests != res.Requests {
		t.Errorf("routes: %+v", res.Routes)
	}
}

// TestNoOmission: a server that stalls once delays all who come meanwhile. In open
// loop the result has to show that, although one client alone would have seen a
// single slow answer.
func TestNoOmission(t *testing.T) {
	const stall = 400 * time.Millisecond
	var once sync.Once
	var gate sync.RWMutex
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() {
			gate.Lock()
			defer gate.Unlock()
			time.Sleep(stall)
		})
		gate.RLock()
		defer gate.RUnlock()
	}))
	defer server.Close()
	res := run(t, t.Context(), get(server.URL, "/"), load.Options{Rate: 200, Duration: 800 * time.Millisecond, MaxInFlight: 2})
	// Half of the requests were due during the stall, and waited for half of it in the mean.
	if res.Latency.Mean < 0.05 {
		t.Errorf("mean latency %.3f s of requests of which half met a stall of %v", res.Latency.Mean, stall)
	}
	if res.Latency.Max < 0.9*stall.Seconds() {
		t.Errorf("longest latency %.3f s, the server stalled for %v", res.Latency.Max, stall)
	}
}

// TestRate: open loops send as many as they should, evenly or at random.
func TestRate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	for _, poisson := range []bool{false, true} {
		r, err := load.New(t.Context(), get(server.URL, "/"), load.Options{Rate: 100, Poisson: poisson, Requests: 50, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		res, err := r.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if res.Requests != 50 || r.Sent() != 50 || r.Completed() != 50 || r.Failed() != 0 {
			t.Errorf("poisson %v: %d answered, %d sent, want 50", poisson, res.Requests, r.Sent())
		}
		if res.Seconds < 0.3 { // 49 gaps of 10 ms; random ones are shorter with this seed at worst
			t.Errorf("poisson %v: 50 requests of 100/s took %.2f s", poisson, res.Seconds)
		}
	}
}

// TestInterrupt: a run that is interrupted returns what it has, at once.
func TestInterrupt(t *testing.T) {
	var seen atomic.Int64
	var cancel context.CancelFunc
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if seen.Add(1) > 100 {
			cancel()
			<-hang
		}
	}))
	defer server.Close()
	defer close(hang)
	for _, opts := range []load.Options{{Clients: 4}, {Rate: 2000}} {
		seen.Store(0)
		var ctx context.Context
		ctx, cancel = context.WithCancel(t.Context())
		res := run(t, ctx, get(server.URL, "/"), opts)
		cancel()
		// Of an open loop any number may have been under way.
		if res.Requests < int64(24*opts.Clients) || res.Requests > 104 || res.Errors != 0 {
			t.Errorf("%+v: interrupted after 100 answers: %d answers, %d errors", opts, res.Requests, res.Errors)
		}
	}
}

// TestH2C: one connection carries all requests, in HTTP/2 without TLS.
func TestH2C(t *testing.T) {
	var wrong atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			wrong.Add(1)
		}
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	mix := get(server.URL, "/")
	mix.Protocol = load.H2C
	res := run(t, t.Context(), mix, load.Options{Clients: 8, Requests: 100})
	if res.Requests != 100 || wrong.Load() != 0 {
		t.Errorf("%d answers, %d requests not in HTTP/2; errors %v", res.Requests, wrong.Load(), res.ErrorKinds)
	}
}

// TestGRPC sends to a server whose types it asks for.
func TestGRPC(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	state := health.NewServer()
	state.SetServingStatus("shop", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, state)
	reflection.Register(server)
	go server.Serve(listener)
	defer server.Stop()
	mix := func(rpc string, body any) *load.Mix {
		return &load.Mix{Target: listener.Addr().String(), Protocol: load.GRPC, Requests: []load.Request{{RPC: rpc, Body: body}}}
	}
	m := mix("grpc.health.v1.Health/Check", map[string]any{"service": "${pick:shop|fax}"})
	res := run(t, t.Context(), m, load.Options{Clients: 4, Requests: 200, IdempotencyKeys: true})
	if res.Requests < 50 || res.ErrorKinds["grpc NotFound"] < 50 || res.Requests+res.Errors != 200 {
		t.Errorf("%d answers, errors %v; half of the requests ask for a service that is not there", res.Requests, res.ErrorKinds)
	}
	for rpc, want := range map[string]string{
		"grpc.health.v1.Health/Watch": "streams",
		"grpc.health.v1.Health/Fax":   "has no method Fax",
		"shop.Cart/Add":               "does not know shop.Cart",
	} {
		if _, err := load.New(t.Context(), mix(rpc, nil), load.Options{Clients: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rpc, err, want)
		}
	}
	_, err = load.New(t.Context(), mix("grpc.health.v1.Health/Check", map[string]any{"name": 1}), load.Options{Clients: 1})
	if err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("a body of unknown fields: %v", err)
	}
}

// TestText: the printed result has every route, the errors and their kinds.
func TestText(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	mix := &load.Mix{Target: server.URL, Requests: []load.Request{{Path: "/a"}, {Path: "/b", OK: []int{404}}}}
	res := run(t, t.Context(), mix, load.Options{Clients: 2, Requests: 20})
	var b bytes.Buffer
	if err := res.Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GET /a", "GET /b", "all", "error: status 404", "closed loop, 2 clients"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if err := res.JSON(io.Discard); err != nil {
		t.Error(err)
	}
}
