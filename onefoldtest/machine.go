package onefoldtest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/sim"
	"github.com/onefold/onefold/runtime/workflow"
)

// place is where processes run one after the other: a crash ends one, and the
// next starts a while later.
type place struct {
	placement
	swarm *swarm

	mu      sync.Mutex
	machine *machine // nil while none runs
}

// current returns the process that runs at the place, or nil.
func (p *place) current() *machine {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.machine
}

// machine is one process of a swarm.
type machine struct {
	place  *place
	engine *sim.Engine
	server *local.Server
	life   context.Context // ends when it crashes
	end    context.CancelFunc

	mu     sync.Mutex
	paused chan struct{} // closed when it goes on; nil while it runs
}

// boot starts a process at a place. Its start does not fail.
func (p *place) boot() error {
	s := p.swarm
	m := &machine{place: p, engine: sim.New(s.store)}
	m.life, m.end = context.WithCancel(s.life)
	part, err := p.part()
	if err != nil {
		return err
	}
	m.server, err = local.New(m.life, configured(s.compiled), s.opts.wrapped(&paced{Engine: m.engine, machine: m}), local.Options{
		Parallel:  s.plan.parallel,
		Part:      part,
		Calls:     &mesh{swarm: s, from: p.name, sender: m},
		Workflows: s.workflows(),
		Runner:    atomic.Options{Rand: func(n int64) int64 { return s.fate.of("pause of " + p.name).Int64N(n) }},
		Log:       slog.New(slog.DiscardHandler),
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		return err
	}
	m.engine.Reset()
	s.mu.Lock()
	if !s.calm {
		m.engine.Random(s.fate.of("store of "+p.name).Uint64(), s.plan.weather.store)
	}
	s.engines = append(s.engines, m.engine)
	s.mu.Unlock()
	p.mu.Lock()
	p.machine = m
	p.mu.Unlock()
	if isDurable(s.compiled) {
		s.loops.Go(m.loop)
	}
	return nil
}

// workflows returns the options of a process that starts now. In the storm it looks
// around often; later, when workflows sleep for days, seldom.
func (s *swarm) workflows() workflow.Options {
	opts := workflow.Options{Hooks: s.hooks(), MaxFailures: 1000, LeaseTime: 6 * time.Second, Poll: 3 * time.Second} // each crash is a failure
	if s.isCalm() {
		opts.Poll = time.Hour
	}
	return opts
}

// loop does what is due until the process ends.
func (m *machine) loop() {
	m.server.Workflows().Loop(m.life)
	m.server.Workflows().Close()
}

// crash ends the process: nothing that it does has an effect any more.
func (m *machine) crash(why string) {
	m.place.mu.Lock()
	if m.place.machine != m {
		m.place.mu.Unlock()
		return
	}
	m.place.machine = nil
	m.place.mu.Unlock()
	m.place.swarm.note("%s crashes %s", m.place.name, why)
	m.engine.Crash()
	m.resume()
	m.end()
}

// pause stops the process, as far as anybody else can see, until resume.
func (m *machine) pause() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.paused == nil {
		m.paused = make(chan struct{})
	}
}

func (m *machine) resume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.paused != nil {
		close(m.paused)
		m.paused = nil
	}
}

// running waits while the process is paused. name is what waits: not everything
// goes on at the same moment.
func (m *machine) running(name string) {
	for {
		m.mu.Lock()
		paused := m.paused
		m.mu.Unlock()
		if paused == nil {
			return
		}
		<-paused
		time.Sleep(within(m.place.swarm.fate.of("resume "+name), longestStep))
	}
}

// paced is the store as a process sees it: each operation takes a time of its own, so
// that at one moment only one thing happens, in an order that the seed decides.
type paced struct {
	*sim.Engine
	machine *machine
}

// longestStep is the longest time that an operation takes where nothing goes wrong.
const longestStep = 2 * time.Millisecond

// cause is the key of the context's value that says which message caused what is done.
type cause struct{}

// step makes an operation happen at its time, unless the process is paused then,
// and notices that it crashed the process.
func (p *paced) step(ctx context.Context, kind string, key []byte, operation func()) {
	m, fate := p.machine, p.machine.place.swarm.fate
	name := fmt.Sprintf("%s %s %x for %v", m.place.name, kind, key, ctx.Value(cause{}))
	name = fmt.Sprintf("%s #%d", name, fate.number(name))
	time.Sleep(within(fate.of(name), longestStep))
	m.running(name)
	m.place.swarm.trace.add(name)
	operation()
	if p.Engine.Crashed() {
		m.crash("at " + kind)
	}
	m.running(name)
}

// ReadVersion implements store.Engine.
func (p *paced) ReadVersion(ctx context.Context) (v store.Version, err error) {
	p.step(ctx, "ReadVersion", nil, func() { v, err = p.Engine.ReadVersion(ctx) })
	return v, err
}

// Get implements store.Engine.
func (p *paced) Get(ctx context.Context, v store.Version, key []byte) (value []byte, ok bool, err error) {
	p.step(ctx, "Get", key, func() { value, ok, err = p.Engine.Get(ctx, v, key) })
	return value, ok, err
}

// Range implements store.Engine.
func (p *paced) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) (kvs []store.KV, more bool, err error) {
	p.step(ctx, "Range", r.Begin, func() { kvs, more, err = p.Engine.Range(ctx, v, r, opts) })
	return kvs, more, err
}

// Commit implements store.Engine.
func (p *paced) Commit(ctx context.Context, c *store.Commit) (v store.Version, err error) {
	var key []byte
	if len(c.Ops) > 0 {
		key = c.Ops[len(c.Ops)-1].Key // that of the record
	}
	p.step(ctx, "Commit", key, func() { v, err = p.Engine.Commit(ctx, c) })
	return v, err
}

// Settle implements store.Engine.
func (p *paced) Settle(ctx context.Context, v store.Version) (err error) {
	p.step(ctx, "Settle", nil, func() { err = p.Engine.Settle(ctx, v) })
	return err
}
