package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/invoke"
)

// collectEvery is how often records past their retention are removed.
const collectEvery = 10 * time.Minute

// Serve runs app, or the part of it that the environment says (see package peer),
// until ctx ends, then lets the requests that run come to an end and closes the
// store. Its error says what was wrong with the configuration, an address or the
// store; it is nil after a clean stop.
func Serve(ctx context.Context, app *runtime.App, opts Options) (err error) {
	opts, err = opts.withDefaults(app).fromEnv(app)
	if err != nil {
		return err
	}
	if err := configure(app, opts.LookupEnv); err != nil {
		return err
	}
	at, err := listeners(ctx, &opts)
	if err != nil {
		return err
	}
	defer at.close()
	engine, failed, err := open(ctx, opts)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := engine.Close(); closeErr != nil {
			err = errors.Join(err, fmt.Errorf("close store %s: %w", opts.store(), closeErr))
		}
	}()
	operators := invoke.Access{Token: opts.AdminToken, Local: at.isLocal()}
	s, err := newServer(app, engine, opts, operators)
	if err != nil {
		return err
	}
	return s.serve(ctx, at, failed)
}

// isLocal reports whether only this machine reaches the public address.
func (at *addresses) isLocal() bool {
	if at.public == nil {
		return false
	}
	tcp, ok := at.public.Addr().(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// serve answers requests and calls until ctx ends, or the engine has failed and
// has to be opened again.
func (s *Server) serve(ctx context.Context, at *addresses, engineFailed <-chan struct{}) error {
	failed := make(chan error, 2)
	var servers []*http.Server
	for _, front := range []struct {
		listener net.Listener
		handler  http.Handler
	}{{at.public, measured(s.app, s.Handler())}, {at.internal, measured(s.app, s.Internal())}} {
		if front.listener != nil {
			server := httpServer(front.handler)
			servers = append(servers, server)
			go func() { failed <- server.Serve(front.listener) }()
		}
	}
	err := s.start(ctx)
	switch {
	case err == nil:
		s.announce(ctx, at)
		err = s.untilDone(ctx, failed, engineFailed)
	case ctx.Err() != nil: // stopped before it began
		err = nil
	}
	s.stop(ctx, servers)
	return err
}

// finishWithin is how long executions of workflows may take to come to an end or a wait
// when the server stops. They lose nothing by being cut short.
const finishWithin = time.Second

// stop lets requests and workflows come to an end.
func (s *Server) stop(ctx context.Context, servers []*http.Server) {
	s.handler.SetPhase(invoke.Draining)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Drain)
	defer cancel()
	closed := make(chan struct{})
	end := sync.OnceFunc(func() {
		s.workflows.Close() // also tells those who wait for one that it goes on later
		close(closed)
	})
	timer := time.AfterFunc(min(finishWithin, s.opts.Drain/2), end)
	for _, server := range servers { // the public one first: its requests may need calls
		if err := server.Shutdown(drain); err != nil {
			s.opts.Log.Warn("requests were cut short", "after", s.opts.Drain)
			server.Close()
		}
	}
	timer.Stop()
	go end()
	select {
	case <-closed:
	case <-drain.Done():
		s.opts.Log.Warn("workflows were cut short: the functions of onefold.Do should end when their context does", "after", s.opts.Drain)
	}
}

// untilDone runs workflows and removes old records now and then until ctx ends, or something fails.
func (s *Server) untilDone(ctx context.Context, failed <-chan error, engineFailed <-chan struct{}) error {
	var background sync.WaitGroup
	defer background.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	background.Go(func() { s.collect(ctx) })
	background.Go(func() { s.workflows.Loop(ctx) }) // until ctx ends, which is all that its error says
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-engineFailed:
		return errors.New("the store failed")
	}
}

func (s *Server) collect(ctx context.Context) {
	ticker := time.NewTicker(collectEvery)
	defer ticker.Stop()
	for {
		if _, err := s.runner.Collect(ctx, s.now()); err != nil && ctx.Err() == nil {
			s.opts.Log.Error("remove old records", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *Server) now() time.Time {
	if s.opts.Runner.Now != nil {
		return s.opts.Runner.Now()
	}
	return time.Now()
}

// httpServer returns the server's side of the protocol: HTTP/1.1 and HTTP/2. Its
// time limits are for slow clients; those of requests are the runner's.
func httpServer(handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 1000},
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}
