package workflow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/store/sim"
)

// Two processes run workflows over one store. Whenever one of them dies, before or after one of its
// commits, the other one finishes what it had begun, once its leases have run out.
func TestTakeover(t *testing.T) {
	for i := range scenarios {
		sc := &scenarios[i]
		for _, kind := range []sim.FaultKind{sim.CrashBefore, sim.CrashAfter} {
			t.Run(fmt.Sprint(sc, "/", kind), func(t *testing.T) {
				died := true
				for n := 0; died && !t.Failed(); n++ {
					t.Run(fmt.Sprint(n), func(t *testing.T) {
						sc.onStage(t, func(s *stage) { died = takeOver(s, sc, n, kind) })
					})
				}
			})
		}
	}
}

// takeOver runs the scenario with two processes, of which the one that starts the workflow
// dies at its n-th commit; it reports whether it came that far.
func takeOver(s *stage, sc *scenario, n int, kind sim.FaultKind) bool {
	s.opts.Shared, s.opts.Poll = true, 10*time.Minute
	store := sim.New(s.inner)
	_, dying := s.process(store)
	ctx, cancel := context.WithCancel(context.Background())
	defer dying.Close()
	defer cancel()
	s.clients.Go(func() { dying.Loop(ctx) })
	s.clients.Go(func() { // nothing of a dead process goes on
		defer cancel()
		for !store.Crashed() && ctx.Err() == nil {
			time.Sleep(10 * time.Minute)
		}
	})
	synctest.Wait()
	store.Reset()
	store.FaultNth(sim.Commit, n, sim.Fault{Kind: kind})
	s.clients.Go(func() { dying.Run(ctx, startOf(s.id(1), sc.method, "x")) })
	time.Sleep(time.Second)

	s.boot()
	sc.play(s)
	return store.Crashed()
}

// Several processes that all live share the work, and each workflow runs once.
func TestSeveralProcesses(t *testing.T) {
	inBubble(t, func(s *stage) {
		const n = 100
		s.opts.Shared, s.opts.Poll = true, 10*time.Minute
		for range 3 {
			_, e := s.process(s.inner)
			ctx, cancel := context.WithCancel(background)
			defer e.Close()
			defer cancel()
			s.clients.Go(func() { e.Loop(ctx) })
		}
		s.boot()
		for i := range n {
			if err := s.engine.Start(background, startOf(s.id(i), "Onboard", fmt.Sprint("u", i))); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(80 * time.Hour) // all wake at once, and again a day later, in whichever process looks first
		synctest.Wait()
		s.expect("lines", 2*n, len(s.lines()))
		for i := range n {
			o, err := s.engine.Wait(background, s.id(i))
			if err != nil {
				t.Fatal(err)
			}
			s.expect("result", "forgotten", result(t, o))
		}
	})
}

// A process runs the workflows of services that it hosts, and leaves the others alone.
func TestHosts(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.opts.Shared, s.opts.Poll, s.opts.LeaseTime = true, time.Hour, time.Hour
		hosting := func(service string) {
			s.opts.Hosts = func(method string) bool { return strings.HasPrefix(method, service+".") }
			s.boot()
		}
		hosting("Shop")
		if err := s.engine.Start(background, startOf(s.id(1), "Onboard", "ann")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		begun := len(s.lines())
		s.kill()

		hosting("Ledger")
		time.Sleep(80 * time.Hour)
		synctest.Wait()
		s.expect("lines after a process without the service", begun, len(s.lines()))
		s.kill()

		hosting("Shop")
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		o, err := s.engine.Wait(background, s.id(1))
		if err != nil {
			t.Fatal(err)
		}
		s.expect("result", "forgotten", result(t, o))
	})
}
