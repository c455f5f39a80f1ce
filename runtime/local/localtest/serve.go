package localtest

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/store/memory"
	"github.com/onefold/onefold/runtime/workflow"
)

// Serve serves the application until the test ends, with opts for what is not of its
// own: workflows are parked when they fail once. It returns the address, as in
// http://127.0.0.1:40000.
func (o *Orders) Serve(t testing.TB, opts local.Options) string {
	t.Helper()
	opts.Log = slog.New(slog.DiscardHandler)
	opts.Workflows = workflow.Options{MaxFailures: 1, Backoff: time.Millisecond}
	server, err := local.New(t.Context(), o.App(), memory.New(), opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() { server.Workflows().Loop(ctx) }) // until ctx ends
	listener := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		cancel()
		server.Workflows().Close()
		listener.Close()
		loop.Wait()
	})
	return listener.URL
}
