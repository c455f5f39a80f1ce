package onefoldtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/peer"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/workflow"
)

// wires is what the processes of one application call each other over. Its
// connections are in memory, so that it works with a virtual clock.
type wires struct {
	mu        sync.Mutex
	listeners map[string]*pipeListener // by address
	servers   []*http.Server
	calls     int             // since the last reset
	plan      map[int]trouble // by call
	rng       *rand.Rand      // of random trouble; nil for none
	serving   sync.WaitGroup
}

// trouble is what happens to a call between processes.
type trouble uint8

// The troubles.
const (
	noTrouble   trouble = iota
	lostRequest         // it does not arrive; the connection's stream breaks
	lostReply           // it arrives, and the reply does not
	duplicated          // it arrives twice, at the same time
	delayed             // it arrives late
	refused             // the process is about to stop

	troubles
)

func (t trouble) String() string {
	return [...]string{"no trouble", "request lost", "reply lost", "duplicated", "delayed", "refused"}[t]
}

func newWires() *wires {
	return &wires{listeners: map[string]*pipeListener{}, plan: map[int]trouble{}}
}

// reset forgets the calls, and plans no trouble.
func (n *wires) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls, n.plan, n.rng = 0, map[int]trouble{}, nil
}

// random has one call of five run into trouble from now on.
func (n *wires) random(seed uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rng = rand.New(rand.NewPCG(seed, 7))
}

// trouble plans trouble for the i-th call after the reset.
func (n *wires) trouble(i int, t trouble) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.plan[i] = t
}

// count returns the number of calls since the reset.
func (n *wires) count() int {
	if n == nil {
		return 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls
}

// next returns what happens to the next call, and for how long it is delayed.
func (n *wires) next() (t trouble, late time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, late = n.plan[n.calls], time.Second
	n.calls++
	if n.rng != nil {
		late = rand.N(20 * time.Millisecond)
		if n.rng.IntN(5) == 0 {
			t = trouble(n.rng.IntN(int(troubles)))
		}
	}
	return t, late
}

// troubled is a handler of calls that run into trouble.
func (n *wires) troubled(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, late := n.next()
		switch t {
		case lostRequest:
			panic(http.ErrAbortHandler)
		case lostReply:
			handler.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case duplicated:
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			again := r.Clone(r.Context())
			again.Body, r.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
			var other sync.WaitGroup
			defer other.Wait()
			other.Go(func() { handler.ServeHTTP(httptest.NewRecorder(), again) })
		case delayed:
			time.Sleep(late)
		case refused:
			http.Error(w, "about to stop", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// listen has handler answer at an address.
func (n *wires) listen(address string, handler http.Handler) {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: n.troubled(handler), Protocols: protocols, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	l := newPipeListener()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listeners[address] = l
	n.servers = append(n.servers, server)
	n.serving.Go(func() { server.Serve(l) })
}

// dial connects to an address.
func (n *wires) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("nobody listens at %s", address)
	}
	return l.dial(ctx)
}

// close ends all connections.
func (n *wires) close() {
	n.mu.Lock()
	servers := n.servers
	n.mu.Unlock()
	for _, s := range servers {
		s.Close()
	}
	n.serving.Wait()
}

// pipeListener is a net.Listener of connections in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// startProcesses starts a process for each service of app. engine returns a
// process's own way to the store.
func startProcesses(app *runtime.App, options Options, workflows workflow.Options, engine func() store.Engine) (*system, error) {
	s := &system{app: app, servers: map[string]*local.Server{}, wires: newWires()}
	s.stop = s.wires.close
	var names, addresses []string
	for _, service := range app.Services {
		names = append(names, service.Name)
		addresses = append(addresses, service.Name+"=http://"+addressOf(service.Name))
	}
	peers, err := peer.ParsePeers(strings.Join(addresses, ","), names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		opts := serverOptions(options, true, workflows)
		opts.Part, opts.Dial = peer.Config{Services: []string{name}, Peers: peers}, s.wires.dial
		server, err := local.New(context.Background(), app, engine(), opts)
		if err != nil {
			s.wires.close()
			return nil, err
		}
		s.servers[name] = server
		s.wires.listen(addressOf(name), server.Internal())
	}
	return s, nil
}

func addressOf(service string) string { return strings.ToLower(service) + ".test:80" }
