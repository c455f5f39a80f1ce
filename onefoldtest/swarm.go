package onefoldtest

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/http"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/gateway"
	"github.com/onefold/onefold/runtime/peer"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/sim"
)

// Swarm runs the compiled application as many processes behind the gateway, over
// one store, in virtual time. Messages between them get lost, late, in another order, and
// arrive twice; processes crash and pause; the store conflicts, loses results and finds
// versions too old. What happens is decided by the seed: the same seed gives the same
// run. The replies that clients get, and the state in the end, must be those of the plain
// services when the requests run one after the other, each between its first delivery
// and its reply, and no delivery may take longer than its deadline. Of workflows, each step that
// calls a method counts as a request, as in [WorkflowHistories], with what it says of messages
// and signals; a seed run again seldom has their goroutines take turns in another way.
//
// A violation prints the seed, and a history that was made as short as it still shows it.
func Swarm(t *testing.T, plain *App, compiled *runtime.App, opts Options) {
	t.Helper()
	opts = opts.seeded(t)
	for _, v := range swarms(t, plain, compiled, opts) {
		t.Error(v)
	}
}

func swarms(t *testing.T, plain *App, compiled *runtime.App, opts Options) (violations []string) {
	t.Helper()
	opts.Runs = cmp.Or(opts.Runs, 5)
	opts.Steps = cmp.Or(opts.Steps, 5)
	opts.Clients = cmp.Or(opts.Clients, 3)
	// On one thread goroutines take turns in the same way in every run.
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	for run := range opts.Runs {
		o := opts
		o.Seed += uint64(run)
		p := newPlan(plain, compiled, o)
		s := runSwarm(t, plain, compiled, o, p)
		if len(s.failures) == 0 {
			continue
		}
		if violations == nil && !opts.long { // one is enough to look at
			s = shortest(t, s)
		}
		violations = append(violations, s.report())
		if len(violations) >= cmp.Or(opts.most, 5) {
			break
		}
	}
	return violations
}

// swarm is one run.
type swarm struct {
	history
	plan   *plan
	store  store.Engine
	fate   *fate
	trace  trace
	places []*place

	life    context.Context // of everything
	busy    sync.WaitGroup  // what messages have begun
	loops   sync.WaitGroup  // of processes with workflows
	started time.Time

	mu      sync.Mutex // of what follows
	front   *gateway.Gateway
	engines []*sim.Engine
	notes   []string
	calm    bool
}

// trace is a digest of all that happened, to tell runs apart.
type trace struct {
	mu  sync.Mutex
	sum uint64
}

func (t *trace) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := fnv.New64a()
	fmt.Fprint(h, t.sum, time.Now().UnixNano(), what)
	t.sum = h.Sum64()
}

// note records a fault.
func (s *swarm) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.trace.add(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, fmt.Sprintf("%10s  %s", time.Since(s.started).Round(time.Microsecond), text))
}

// runSwarm makes the run of a plan. The state of plain is restored.
func runSwarm(t *testing.T, plain *App, compiled *runtime.App, opts Options, p *plan) *swarm {
	t.Helper()
	initial := plain.save()
	defer initial.Restore()
	s := &swarm{
		history: history{plain: plain, compiled: compiled, opts: opts, compare: comparer{random: opts.Random, anyError: opts.AnyError}},
		plan:    p,
		fate:    newFate(opts.Seed),
	}
	synctest.Test(t, s.run)
	if len(s.failures) == 0 {
		initial.Restore()
		synctest.Test(t, func(*testing.T) { s.check() })
	}
	return s
}

// run runs the clients, and looks at the state when all is quiet again.
func (s *swarm) run(t *testing.T) {
	open := openEmbedded
	if isDurable(s.compiled) {
		open = s.opts.openQuiet
	}
	stored := open(t)
	defer stored.Close()
	s.store = stored.Connect()
	reader := start(t, s.compiled, alone, stored.Connect)
	var end context.CancelFunc
	s.life, end = context.WithCancel(context.Background())
	s.started = time.Now()
	if err := s.boot(); err != nil {
		s.fail(err.Error())
		end()
		s.loops.Wait()
		return
	}
	agents := s.begin()
	var clients sync.WaitGroup
	for i, script := range s.plan.clients {
		clients.Go(func() { s.client(i, script) })
	}
	clients.Wait()
	s.clear()
	s.gateway().Close()
	s.busy.Wait()
	s.rest(reader)
	end()
	agents.Wait()
	s.loops.Wait()
	s.look(func() (map[string]any, error) { return s.final(reader) })
}

// rest waits until no workflow and no message has anything left to do, and adds the steps
// of workflows to the history.
func (s *swarm) rest(reader *system) {
	for range mostQuestions {
		idle, err := reader.flows().Idle(context.Background())
		if err != nil {
			s.fail("look for workflows under way: " + err.Error())
			return
		}
		if idle {
			s.addSteps(s.clock.Add(1))
			return
		}
		time.Sleep(time.Minute)
	}
	s.fail("workflows or messages do not come to rest")
}

// boot starts a process at every place, and a gateway.
func (s *swarm) boot() error {
	for _, where := range s.plan.places {
		s.places = append(s.places, &place{swarm: s, placement: where})
	}
	for _, p := range s.places {
		if err := p.boot(); err != nil {
			return fmt.Errorf("start %s: %w", p.name, err)
		}
	}
	s.balance(0)
	return nil
}

// balance starts a gateway, in place of the one before, that looks after the processes
// at times; 0 is its default.
func (s *swarm) balance(every time.Duration) {
	front := gateway.New(gateway.Options{
		HealthEvery: every,
		Transport:   s.opts.wired(&mesh{swarm: s, from: "gateway"}),
		NewID:       func() string { return seededID(s.fate.of("id of the gateway")) },
		Log:         slog.New(slog.DiscardHandler),
	})
	for _, p := range s.places {
		for _, service := range p.services {
			// No two health checks begin at one moment.
			time.Sleep(within(s.fate.of("place "+p.name), longestStep))
			front.Add(service, p.name+publicPort)
		}
	}
	s.mu.Lock()
	before := s.front
	s.front = front
	s.mu.Unlock()
	if before != nil {
		before.Close()
	}
}

func (s *swarm) gateway() *gateway.Gateway {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.front
}

// final returns the state after all commits have arrived.
func (s *swarm) final(reader *system) (map[string]any, error) {
	s.land()
	return reader.state()
}

// land makes the commits arrive that are on their way, of dead processes too.
func (s *swarm) land() {
	s.mu.Lock()
	engines := slices.Clone(s.engines)
	s.mu.Unlock()
	for _, e := range engines {
		e.Land(context.Background())
	}
}

// host returns who has an address on the network: a process, or the gateway.
func (s *swarm) host(address string) (*machine, http.Handler) {
	if address == gatewayHost {
		return nil, s.gateway()
	}
	for _, p := range s.places {
		m := p.current()
		switch {
		case m == nil:
		case address == p.name+publicPort:
			return m, m.server.Handler()
		case address == p.name+callsPort:
			return m, m.server.Internal()
		}
	}
	return nil, nil
}

const gatewayHost = "gateway"

// part returns which part of the application a process at a place is.
func (p *place) part() (peer.Config, error) {
	s := p.swarm
	env := map[string]string{peer.EnvPeers: s.plan.peers()}
	var all []string
	for _, service := range s.compiled.Services {
		all = append(all, service.Name)
	}
	if len(p.services) < len(all) {
		env[peer.EnvServices] = strings.Join(p.services, ",")
	}
	if s.plan.remote {
		env[peer.EnvStore] = "tcp://store:7071"
	}
	return peer.FromEnv(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, all)
}

// report says what is wrong, and how to see it again.
func (s *swarm) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d (%s; %s): %s\n", s.opts.Seed, s.plan, s.plan.weather, strings.Join(s.failures, "; "))
	fmt.Fprintln(&b, "what went wrong, by virtual time:")
	for _, n := range s.notes {
		fmt.Fprintf(&b, "  %s\n", n)
	}
	fmt.Fprintf(&b, "to see it again: Options{Seed: %d, Runs: 1}", s.opts.Seed)
	return b.String()
}
