package stage

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// settle is how long processes may take to notice that the list of peers has changed.
const settle = 1500 * time.Millisecond

// Scale makes a service have n replicas, and returns when new ones are ready and
// those with the highest numbers, if there are too many, have ended. No request is lost: a
// replica that leaves first gets no more requests, then answers those that it has.
func (s *Stage) Scale(ctx context.Context, service string, n int) error {
	if !slices.Contains(s.opts.Services, service) {
		return fmt.Errorf("scale %s: there is no such service", service)
	}
	if n < 1 {
		return fmt.Errorf("scale %s to %d replicas: want at least 1", service, n)
	}
	s.scaling.Lock()
	defer s.scaling.Unlock()
	var have []*replica
	for _, r := range s.all() {
		if r.service == service {
			have = append(have, r)
		}
	}
	if len(have) > n {
		return s.shrink(ctx, have[n:])
	}
	return s.grow(ctx, service, len(have), n)
}

// grow starts replicas number have+1 to n.
func (s *Stage) grow(ctx context.Context, service string, have, n int) error {
	var fresh []*replica
	for number := have + 1; number <= n; number++ {
		r, err := s.add(service, number)
		if err != nil {
			return err
		}
		r.process.begin()
		fresh = append(fresh, r)
	}
	for _, r := range fresh {
		if err := s.await(ctx, r); err != nil {
			return fmt.Errorf("scale %s to %d replicas: %w", service, n, err)
		}
	}
	return s.writePeers()
}

// shrink ends replicas.
func (s *Stage) shrink(ctx context.Context, leaving []*replica) error {
	for _, r := range leaving {
		r.leaving.Store(true)
	}
	if err := s.writePeers(); err != nil {
		return err
	}
	noticed := time.Now().Add(settle)
	drain, cancel := context.WithTimeout(ctx, s.opts.Drain)
	defer cancel()
	var ending sync.WaitGroup
	for _, r := range leaving {
		ending.Go(func() {
			s.opts.Gateway.Drain(drain, r.service, r.address)
			time.Sleep(time.Until(noticed))
			r.process.stop()
			s.log.problem(r.process.name, r.process.removeGroup())
		})
	}
	ending.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members = slices.DeleteFunc(s.members, func(r *replica) bool { return slices.Contains(leaving, r) })
	return nil
}
