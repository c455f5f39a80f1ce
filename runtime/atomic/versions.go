package atomic

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/onefold/onefold/runtime/store"
)

// versions hands out read versions. Where asking for one is a network round,
// those who wait at the same time share one: a version serves only requests that
// arrived before it was asked for, so it includes every commit acknowledged to
// them or to anyone before.
type versions struct {
	engine store.Engine
	share  bool

	mu      sync.Mutex
	running bool
	next    *versionCall // collects the waiters of the call after the running one
}

// versionCall is one call of ReadVersion and those who wait for it.
type versionCall struct {
	waiters int
	keys    [][]byte // that they read first
	done    chan struct{}
	lease   *lease
	found   []store.Found // of keys
	err     error
}

// lease is a read version, released when all who share it have released it.
type lease struct {
	version store.Version
	engine  store.Engine
	holders atomic.Int32
}

func (l *lease) release() {
	if l.holders.Add(-1) == 0 {
		l.engine.Release(l.version)
	}
}

// take returns a version that includes every commit acknowledged before the
// call, for which it may use own, and what keys hold at it, as far as that costs no
// round of its own.
func (s *versions) take(ctx context.Context, own *lease, keys [][]byte) (*lease, []store.Found, error) {
	if !s.share {
		found, err := s.ask(ctx, own, 1, nil)
		return own, found, err
	}
	s.mu.Lock()
	if s.next == nil {
		s.next = &versionCall{done: make(chan struct{}), lease: new(lease)}
	}
	call := s.next
	call.waiters++
	from := len(call.keys)
	call.keys = append(call.keys, keys...)
	if !s.running {
		s.running = true
		go s.serve(context.WithoutCancel(ctx))
	}
	s.mu.Unlock()

	<-call.done
	if call.found == nil {
		return call.lease, nil, call.err
	}
	return call.lease, call.found[from : from+len(keys)], call.err
}

// serve asks for versions as long as somebody waits. The engine's own timeouts
// bound each call; no single waiter's context may, since all of them wait for it.
func (s *versions) serve(ctx context.Context) {
	for {
		s.mu.Lock()
		call := s.next
		s.next = nil
		if call == nil {
			s.running = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		call.found, call.err = s.ask(ctx, call.lease, call.waiters, call.keys)
		close(call.done)
	}
}

// ask makes l a lease of a new version that several share.
func (s *versions) ask(ctx context.Context, l *lease, holders int, keys [][]byte) (found []store.Found, err error) {
	l.engine = s.engine
	l.holders.Store(int32(holders))
	if opener, ok := s.engine.(store.Opener); ok && len(keys) > 0 {
		l.version, found, err = opener.Open(ctx, keys)
		return found, err
	}
	l.version, err = s.engine.ReadVersion(ctx)
	return nil, err
}
