package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime/store"
)

// ServerOptions adjust a server. The zero value lets everybody in.
type ServerOptions struct {
	// Accept reports whether a client may come in that shows key.
	Accept func(key string) bool
	// InFlight is how many operations of one client run beside each other; further
	// ones wait in the connection. Default 1,024.
	InFlight int
	// Log gets what an operator must see. Default slog.Default().
	Log *slog.Logger
}

// Server lets clients use an engine, which stays the caller's to close.
type Server struct {
	engine  store.Engine
	opts    ServerOptions
	floor   store.Version // versions below are of a server before this one
	durable atomic.Uint64

	mu     sync.Mutex
	open   map[io.Closer]struct{} // listeners and connections
	closed bool
	busy   sync.WaitGroup // connections
}

// NewServer returns a server of engine.
func NewServer(ctx context.Context, engine store.Engine, opts ServerOptions) (*Server, error) {
	opts.InFlight = cmp.Or(opts.InFlight, 1024)
	if opts.Accept == nil {
		opts.Accept = func(string) bool { return true }
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	v, err := engine.ReadVersion(ctx)
	if err != nil {
		return nil, fmt.Errorf("remote: serve: %w", err)
	}
	engine.Release(v)
	return &Server{engine: engine, opts: opts, floor: v, open: map[io.Closer]struct{}{}}, nil
}

// Serve answers the clients that connect to listener, until Close.
func (s *Server) Serve(listener net.Listener) error {
	if !s.hold(listener) {
		return nil
	}
	defer s.drop(listener)
	for wait := 5 * time.Millisecond; ; {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			wait = 5 * time.Millisecond
			if s.hold(conn) {
				s.busy.Go(func() { s.serve(conn) })
			}
		case s.isClosed():
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("remote: serve: %w", err)
		default: // as when there are too many open files
			s.opts.Log.Error("accept a client of the store", "error", err)
			time.Sleep(wait)
			wait = min(2*wait, time.Second)
		}
	}
}

// hold has Close close c; it reports false if it has closed everything already.
func (s *Server) hold(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return false
	}
	s.open[c] = struct{}{}
	return true
}

func (s *Server) drop(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	c.Close()
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close ends all connections, and returns when nothing uses the engine any more.
// Commits under way happen or do not; their clients do not learn which.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.busy.Wait()
	return nil
}

// probe finds out, without waiting, whether everything readable at v is on disk.
func (s *Server) probe(v store.Version) {
	if uint64(v) > s.durable.Load() && s.engine.Settle(over, v) == nil {
		s.settled(v)
	}
}

// over is a context that has ended.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// settle waits until everything readable at v is on disk.
func (s *Server) settle(ctx context.Context, v store.Version) error {
	if v < s.floor {
		return store.ErrTooOld // it may have been read before a crash that lost it
	}
	err := s.engine.Settle(ctx, v)
	if err == nil {
		s.settled(v)
	}
	return err
}

// settled notes that everything up to v is on disk.
func (s *Server) settled(v store.Version) {
	for old := s.durable.Load(); uint64(v) > old && !s.durable.CompareAndSwap(old, uint64(v)); old = s.durable.Load() {
	}
}
