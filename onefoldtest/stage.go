package onefoldtest

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/sim"
	"github.com/onefold/onefold/runtime/workflow"
)

// stage is a store and the processes that serve a compiled application from it, one
// after the other: a crash ends one, and the next starts.
type stage struct {
	compiled *runtime.App
	stored   Store
	store    store.Engine // of stored
	reader   *system      // over the store itself, for looking at the state
	opts     Options
	rates    *sim.Rates // of random faults, from the next process on; nil for none, and no delays
	seed     uint64     // of the last process
	storm    uint64     // the seed of what the store does at the next delivery, where it can; 0 for nothing

	hooks workflow.Hooks

	mu      lock
	current *process
	beside  []*process    // that run too
	engines []*sim.Engine // of all processes

	counting sync.Mutex     // apart from mu, which is held while a process ends
	commits  map[string]int // of workflows, by id
}

// lock is a mutex that may be held for a while: unlike with sync.Mutex, who waits for it does not
// keep virtual time from passing.
type lock chan struct{}

func (l lock) Lock()   { l <- struct{}{} }
func (l lock) Unlock() { <-l }

// process is one process of the compiled application, or one for each service, which
// then crash together: a crash of one alone is to the others a call without reply.
// What it asks of the store can fail; once it has crashed it does nothing any more.
type process struct {
	engine *sim.Engine
	pause  *pausing // above engine
	pace   *pace    // of what is above pause
	system *system
	gone   chan struct{} // closed when it has crashed, or was ended
	end    func()        // closes gone, once
}

// newStage opens a store for an application, and starts the first process.
func newStage(t testing.TB, compiled *runtime.App, opts Options) *stage {
	t.Helper()
	s, err := tryStage(compiled, opts.open(t), opts, workflow.Hooks{})
	if err != nil {
		t.Fatalf("onefoldtest: start the compiled application: %v", err)
	}
	return s
}

// tryStage starts an application over a store, which the stage closes.
func tryStage(compiled *runtime.App, stored Store, opts Options, hooks workflow.Hooks) (s *stage, err error) {
	s = &stage{mu: make(lock, 1), stored: stored, store: stored.Connect(), opts: opts, seed: opts.Seed, hooks: hooks, commits: map[string]int{}}
	if s.reader, err = tryStart(compiled, alone, workflow.Options{}, func() store.Engine { return s.store }); err != nil {
		return nil, err
	}
	s.compiled = configured(compiled)
	return s, s.start()
}

// configured returns app without its configuration, which a process sets once at its
// start: those of a stage share it, and requests of dead ones may still run.
func configured(app *runtime.App) *runtime.App {
	copied := *app
	copied.Services = nil
	for _, s := range app.Services {
		service := *s
		service.Configure = nil
		copied.Services = append(copied.Services, &service)
	}
	return &copied
}

// close ends the process that runs, and closes the store.
func (s *stage) close() {
	s.mu.Lock()
	all := append(s.beside, s.current)
	s.current = nil
	s.mu.Unlock()
	for _, p := range all {
		p.stop()
	}
	s.stored.Close()
}

// stop ends a process.
func (p *process) stop() {
	p.end()
	p.system.stop()
}

// mostProcesses is how many processes of a stage fail at random. Then requests that
// ask the store so often that no process survives them get their turn.
const mostProcesses = 20

// start starts a process and makes it the one that serves. Its start does not fail at random.
func (s *stage) start() error {
	p, err := s.another()
	if err != nil {
		return err
	}
	s.current = p
	s.seed++
	if s.rates != nil && len(s.engines) <= mostProcesses {
		p.pace.begin(s.seed)
		p.engine.Random(s.seed, *s.rates)
		if p.system.wires != nil {
			p.system.wires.random(s.seed)
		}
	}
	return nil
}

// another starts a process.
func (s *stage) another() (p *process, err error) {
	p = &process{engine: sim.New(s.store), pace: new(pace), gone: make(chan struct{})}
	p.end = sync.OnceFunc(func() { close(p.gone) })
	opts := workflow.Options{MaxFailures: 3, Hooks: s.hooks, Shared: s.opts.shared, Poll: 10 * time.Minute}
	if s.rates != nil {
		opts.MaxFailures = 10 * mostProcesses // each process that dies is a failure of its workflows
	}
	p.system, err = tryStart(s.compiled, s.opts, opts, func() store.Engine { return p.over(s) })
	if err != nil {
		return nil, err
	}
	s.engines = append(s.engines, p.engine)
	p.reset()
	if isDurable(s.compiled) {
		p.system.loop()
		go s.watch(p)
	}
	return p, nil
}

// over returns a way to the store under the plan of the process.
func (p *process) over(s *stage) store.Engine {
	pause := &pausing{Engine: &alarm{Engine: &flowMeter{Engine: p.engine.Over(s.stored.Connect()), stage: s}, process: p}}
	if p.pause == nil {
		p.pause = pause
	}
	return &slow{s.opts.wrapped(pause), p.pace}
}

// relieve starts a second process, and makes the one that serves stand still before the n-th
// operation from now on: then the second one serves.
func (s *stage) relieve(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	second, err := s.another()
	if err != nil {
		return err
	}
	first := s.current
	s.beside = append(s.beside, second)
	first.pause.plan(n, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.current, s.beside[0] = second, first
	})
	return nil
}

// watch replaces a process that has workflows once it crashes: nobody else may notice.
func (s *stage) watch(p *process) {
	<-p.gone
	if p.engine.Crashed() {
		_ = s.restart(p) // or else a client finds out why
	}
}

// reset stops all faults and forgets what there was.
func (p *process) reset() {
	p.engine.Reset()
	if p.system.wires != nil {
		p.system.wires.reset()
	}
}

// process returns the process that serves.
func (s *stage) process() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// restart replaces a process that crashed, unless somebody else did.
func (s *stage) restart(crashed *process) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != crashed {
		return nil
	}
	crashed.stop()
	return s.start()
}

// land makes the commits arrive that are on their way, of dead processes too.
func (s *stage) land() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.engines {
		e.Land(context.Background())
	}
}

// state returns the state after all commits have arrived.
func (s *stage) state() (map[string]any, error) {
	s.land()
	return s.reader.state()
}

// identity is how deliveries of one request are told to be that.
type identity uint8

// The identities.
const (
	byNothing identity = iota // the server mints an id; a client that hears nothing cannot ask again
	byID                      // the client mints an id
	byKey                     // the client makes a key up
	identities
)

func (i identity) String() string { return [...]string{"without id", "with id", "with key"}[i] }

// errLost is the outcome of a request without identity whose reply was lost.
var errLost = errors.New("the reply was lost")

// A client sends one request until it knows the outcome.
type client struct {
	req  Request
	id   string
	mint func() string // new ids
	// send delivers the request with an id, or none; lost reports that no reply came.
	send func(req Request, id string) (reply Reply, lost bool, err error)
	// untouched, if set, is called after a reply that says nothing was changed,
	// when no earlier delivery can have changed anything either.
	untouched func(Reply) error
	uncertain bool // an earlier delivery may have changed something
}

// newClient returns the client of a request; number tells keys apart.
func newClient(s *stage, req Request, as identity, number int) *client {
	c := &client{req: req, mint: mintID, send: s.send}
	c.identify(as, fmt.Sprintf("client %d", number))
	return c
}

// identify gives the request an identity.
func (c *client) identify(as identity, key string) {
	switch as {
	case byID:
		c.id = c.mint()
	case byKey:
		c.req.Key = key
	}
}

// send delivers a request to the process that serves, and replaces it if it crashed:
// then the reply never left it.
func (s *stage) send(req Request, id string) (reply Reply, lost bool, err error) {
	p := s.process()
	calm := s.disturb()
	reply = p.system.send(req, id)
	calm()
	if !p.engine.Crashed() {
		return reply, false, nil
	}
	if err := s.restart(p); err != nil {
		return reply, true, fmt.Errorf("start after a crash: %w", err)
	}
	return reply, true, nil
}

// disturb makes the store fail if it is to, at each delivery in another way.
func (s *stage) disturb() (calm func()) {
	if s.storm == 0 || s.stored.Disturb == nil {
		return func() {}
	}
	s.storm++
	return s.stored.Disturb(s.storm)
}

// patience is how often a client tries. Faults are rarer than that.
const patience = 200

// deliver returns the outcome of the request.
func (c *client) deliver() (Reply, error) {
	var last Reply
	for range patience {
		reply, lost, err := c.send(c.req, c.id)
		last = reply
		switch {
		case err != nil:
			return Reply{}, err
		case lost && c.id == "" && c.req.Key == "":
			return Reply{}, errLost
		case lost:
			c.uncertain = true
		case reply.Type == invoke.TypeOutcomeUnknown:
			c.uncertain = true
			if c.req.Key == "" {
				c.id = reply.ID
			}
		case saysNothingChanged(reply):
			if err := c.again(reply); err != nil {
				return Reply{}, err
			}
		default:
			return reply, nil
		}
	}
	return Reply{}, fmt.Errorf("no outcome after %d deliveries; the last said %s: %s", patience, last.Type, last.Detail)
}

// again prepares another delivery after a reply that says that nothing was changed.
// A client may believe it, and ask as if for the first time.
func (c *client) again(reply Reply) error {
	if c.uncertain {
		if c.req.Key == "" {
			c.id = reply.ID
		}
		return nil
	}
	if c.id != "" {
		c.id = c.mint()
	}
	if c.untouched != nil {
		return c.untouched(reply)
	}
	return nil
}

// saysNothingChanged reports whether a reply is a failure, other than of the
// method itself, that left no trace.
func saysNothingChanged(r Reply) bool {
	switch r.Type {
	case invoke.TypeContention, invoke.TypeUnavailable, invoke.TypeTimeout, invoke.TypeStorageFull:
		return true
	case invoke.TypeTooLarge:
		return r.Status == http.StatusGatewayTimeout // it took too long, perhaps for no fault of its own
	case invoke.TypeInternal:
		return !strings.Contains(r.Detail, "panicked")
	}
	return false
}

// mintID returns a new UUIDv7 as text.
func mintID() string {
	id := uuid7()
	s := hex.EncodeToString(id[:])
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}

// uuid7 returns a new UUIDv7.
func uuid7() (id [16]byte) {
	cryptorand.Read(id[:]) // never fails
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(time.Now().UnixMilli())<<16)
	copy(id[:6], stamp[:6])
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}
