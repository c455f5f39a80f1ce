//go:build foundationdb

package foundationdb

import (
	"context"
	"sync"

	"github.com/onefold/onefold/runtime/store"
)

// versions asks for read versions. Those who wait at the same time share one: a
// version serves only calls that began before it was asked for, so it includes
// every commit that was acknowledged to anyone before.
type versions struct {
	mu      sync.Mutex
	running bool
	next    *versionCall // collects who waits for the call after the running one
}

// versionCall is one request to the cluster and those who wait for it.
type versionCall struct {
	ctx     context.Context // done when nobody waits any more
	cancel  context.CancelFunc
	waiters int  // guarded by versions.mu
	asked   bool // guarded by versions.mu
	done    chan struct{}
	version store.Version
	err     error
}

// ReadVersion returns a version that includes every commit acknowledged before
// the call.
func (e *Engine) ReadVersion(ctx context.Context) (store.Version, error) {
	if err := e.begin(ctx); err != nil {
		return 0, err
	}
	defer e.busy.Done()
	call := e.joinVersionCall()
	select {
	case <-call.done:
	case <-ctx.Done():
		e.versions.leave(call)
		return 0, context.Cause(ctx)
	}
	if call.err != nil {
		return 0, call.err
	}
	e.readers.hold(call.version)
	return call.version, nil
}

// joinVersionCall waits for the next call, and sees to it that it is made.
func (e *Engine) joinVersionCall() *versionCall {
	s := &e.versions
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		ctx, cancel := context.WithCancel(context.Background())
		s.next = &versionCall{ctx: ctx, cancel: cancel, done: make(chan struct{})}
	}
	s.next.waiters++
	if !s.running {
		s.running = true
		e.busy.Go(e.serveVersions)
	}
	return s.next
}

// leave gives up waiting for call. The last one to leave ends it.
func (s *versions) leave(call *versionCall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call.waiters--
	if call.waiters == 0 && call.asked {
		call.cancel()
	}
}

// serveVersions makes calls as long as somebody waits.
func (e *Engine) serveVersions() {
	for {
		call := e.versions.take()
		if call == nil {
			return
		}
		call.version, call.err = e.askVersion(call.ctx)
		call.cancel()
		close(call.done)
	}
}

// take returns the next call to make, nil if nobody waits.
func (s *versions) take() *versionCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := s.next
	s.next = nil
	if call == nil || call.waiters == 0 {
		s.running = false
		return nil
	}
	call.asked = true
	return call
}

// askVersion asks the cluster for a read version.
func (e *Engine) askVersion(ctx context.Context) (store.Version, error) {
	tr, err := e.transaction(0)
	if err != nil {
		return 0, err
	}
	f := tr.GetReadVersion()
	v, err := await(ctx, f, f.Get)
	if err != nil {
		return 0, readError("read version", err)
	}
	return store.Version(v), nil
}
