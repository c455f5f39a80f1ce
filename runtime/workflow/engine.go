package workflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
)

// Errors of an [Engine]. Compare with errors.Is.
var (
	// ErrNotFound: there is no workflow with this id, or not any more.
	ErrNotFound = errors.New("no such workflow")
	// ErrEnded: the workflow has ended.
	ErrEnded = errors.New("the workflow has ended")
	// ErrClosed: the engine was closed; the workflow goes on elsewhere, or later.
	ErrClosed = errors.New("the workflow engine is closed")
	// ErrNotStarted: the first execution failed before anything of the workflow was stored. It
	// comes wrapped together with the reason.
	ErrNotStarted = errors.New("the workflow was not started")
	// ErrNoMethod: the program has no workflow of this name.
	ErrNoMethod = errors.New("no such workflow method")
	// errElsewhere: another process hosts the service.
	errElsewhere = errors.New("it runs in another process")
)

// A Registry is what a program offers to an [Engine].
type Registry struct {
	Methods   []Method
	Sentinels []Sentinel
	Errors    []*ErrorType
}

// Options configure an [Engine]; the zero value works.
type Options struct {
	// Shared says that other processes run workflows on the same store. Then
	// their leases are respected, and the due index is looked at every Poll.
	Shared bool
	// Hosts reports whether workflows and messages of a method run here, where the services
	// that it calls are known; other processes see to the rest. Default: all.
	Hosts func(method string) bool
	// Poll is how often a shared store is looked at for what others left. Default 1 s.
	Poll time.Duration
	// Workers is how many workflows and messages run at a time. Default 256.
	Workers int
	// LeaseTime is how long a workflow stays with a process that shows no life. Default 30 s.
	LeaseTime time.Duration
	// Backoff is how long after the first failure the next try comes; each further one
	// takes twice as long, up to MaxBackoff. Defaults 1 s and 10 min.
	Backoff, MaxBackoff time.Duration
	// MaxFailures is after how many failures in a row something is parked. Default 10.
	MaxFailures int
	// Retention is how long a workflow is kept after its end. Default 24 hours.
	Retention time.Duration
	// Log gets what an operator must see. Default slog.Default().
	Log *slog.Logger
	// Hooks are for tests.
	Hooks Hooks
}

func (o Options) withDefaults() Options {
	o.Poll = cmp.Or(o.Poll, time.Second)
	o.Workers = cmp.Or(o.Workers, 256)
	o.LeaseTime = cmp.Or(o.LeaseTime, 30*time.Second)
	o.Backoff = cmp.Or(o.Backoff, time.Second)
	o.MaxBackoff = cmp.Or(o.MaxBackoff, 10*time.Minute)
	o.MaxFailures = cmp.Or(o.MaxFailures, 10)
	o.Retention = cmp.Or(o.Retention, 24*time.Hour)
	if o.Hosts == nil {
		o.Hosts = func(string) bool { return true }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// An Engine runs the workflows of one program over one store. All methods are safe
// for concurrent use.
type Engine struct {
	runner    *atomic.Runner
	opts      Options
	keys      keys
	workflows map[string]definition
	receivers map[string]receiver
	methods   []Method
	errors    *errorTable

	ctx  context.Context // of executions
	stop context.CancelFunc
	wg   sync.WaitGroup // executions and deliveries
	pace *pacer

	mu      sync.Mutex
	closed  bool
	active  map[string]*execution
	waiters map[string][]chan struct{}
}

// New returns an engine of what registry offers, over runner's store, whose watcher it
// becomes. Nothing happens by itself before [Engine.Loop] runs.
func New(runner *atomic.Runner, registry Registry, opts Options) (*Engine, error) {
	e := &Engine{
		runner:    runner,
		opts:      opts.withDefaults(),
		keys:      keys{runner.Prefix()},
		workflows: map[string]definition{},
		receivers: map[string]receiver{},
		methods:   registry.Methods,
		errors:    newErrorTable(registry.Sentinels, registry.Errors),
		pace:      newPacer(),
		active:    map[string]*execution{},
		waiters:   map[string][]chan struct{}{},
	}
	for _, m := range registry.Methods {
		if err := e.register(m); err != nil {
			return nil, err
		}
	}
	e.ctx, e.stop = context.WithCancel(context.Background())
	runner.Watch(e.hint)
	return e, nil
}

func (e *Engine) register(m Method) error {
	name := m.MethodName()
	if e.workflows[name] != nil || e.receivers[name] != nil {
		return fmt.Errorf("workflow: method %s is registered twice", name)
	}
	switch m := m.(type) {
	case definition:
		if _, err := parseSchedule(m.schedule()); err != nil {
			return fmt.Errorf("workflow: schedule of %s: %w", name, err)
		}
		e.workflows[name] = m
	case receiver:
		e.receivers[name] = m
	default:
		return fmt.Errorf("workflow: method %s is a %T", name, m)
	}
	return nil
}

func (e *Engine) now() time.Time { return e.runner.Now() }

// Close ends all executions where they are, lets others take them over at once, and
// waits until that is done.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	for _, x := range e.active {
		x.kill(ErrClosed)
	}
	e.mu.Unlock()
	e.stop()
	e.wg.Wait()
}

// spawn runs fn in a goroutine that Close waits for, unless the engine is closed.
func (e *Engine) spawn(fn func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.wg.Go(fn)
	return true
}

// wake has those look again who wait for something about a workflow.
func (e *Engine) wake(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.waiters[id] {
		close(c)
	}
	delete(e.waiters, id)
}

// update runs fn as a transaction of the engine's own. fn may run several times, also after
// an attempt that was committed, so it must find out what is done already.
func (e *Engine) update(ctx context.Context, what string, fn func(tx *atomic.Tx) error) error {
	req := atomic.Request{Method: what, MethodHash: hashString(what), Journal: housekeeping{}}
	reply, err := e.runner.Run(ctx, req, func(_ context.Context, tx *atomic.Tx) ([]byte, error) { return nil, fn(tx) })
	return cmp.Or(err, reply.Err)
}

// housekeeping is a journal without records: what is done says that it is done.
type housekeeping struct{}

func (housekeeping) Begin(*atomic.Tx) (*atomic.Reply, error) { return nil, nil }
func (housekeeping) Record(*atomic.Tx, *atomic.Reply)        {}

func (e *Engine) newOwner() uint64 { return uint64(e.runner.Rand(math.MaxInt64))<<1 | 1 }
