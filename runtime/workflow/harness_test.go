package workflow_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	gosync "sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/memory"
	"github.com/onefold/onefold/runtime/store/sim"
	"github.com/onefold/onefold/runtime/store/tuple"
	"github.com/onefold/onefold/runtime/workflow"
)

// outside is the world of a test: it remembers the keys that effects came with.
type outside struct {
	mu    sync.Mutex
	calls map[string][]string // keys by effect
	fail  map[string]error
	hook  func(name string) // called in every effect
}

func newOutside() *outside { return &outside{calls: map[string][]string{}, fail: map[string]error{}} }

func (o *outside) effect(ctx context.Context, name, key string) (string, error) {
	if o.hook != nil {
		o.hook(name)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls[name] = append(o.calls[name], key)
	if err := o.fail[name]; err != nil {
		return "", err
	}
	return "done " + name, nil
}

// keys returns the effects, each with its keys without repetition.
func (o *outside) keys() map[string][]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	keys := map[string][]string{}
	for name, list := range o.calls {
		list = slices.Clone(list)
		slices.Sort(list)
		keys[name] = slices.Compact(list)
	}
	return keys
}

// stage is a store and one process after the other over it.
type stage struct {
	t     *testing.T
	inner store.Engine
	sim   *sim.Engine
	out   *outside
	begun time.Time
	opts  workflow.Options
	extra []workflow.Method

	runner *atomic.Runner
	engine *workflow.Engine
	stop   context.CancelFunc
	loops  sync.WaitGroup

	latest  gosync.Pointer[workflow.Engine] // for clients
	clients sync.WaitGroup
}

// inBubble runs fn with a stage in virtual time.
func inBubble(t *testing.T, fn func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		inner := memory.New()
		s := &stage{t: t, inner: inner, sim: sim.New(inner), out: newOutside(), begun: time.Now()}
		defer s.clients.Wait()
		defer s.kill()
		s.opts.Log = slog.New(slog.DiscardHandler)
		s.init()
		fn(s)
	})
}

func (s *stage) init() {
	s.t.Helper()
	err := atomic.NewRunner(s.inner, atomic.Options{}).Init(context.Background(), initLedger)
	if err != nil {
		s.t.Fatal(err)
	}
}

// boot starts a process, whose loop runs.
func (s *stage) boot() {
	s.t.Helper()
	s.bootIdle()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	engine := s.engine
	s.loops.Go(func() { engine.Loop(ctx) })
}

// bootIdle starts a process without a loop.
func (s *stage) bootIdle() {
	s.t.Helper()
	s.runner, s.engine = s.process(s.sim)
	s.latest.Store(s.engine)
}

func (s *stage) process(over store.Engine) (*atomic.Runner, *workflow.Engine) {
	s.t.Helper()
	runner := atomic.NewRunner(over, atomic.Options{})
	engine, err := workflow.New(runner, shopApp(s.out, s.extra...).Workflows(), s.opts)
	if err != nil {
		s.t.Fatal(err)
	}
	return runner, engine
}

// kill ends the process, whose store may be out of its reach.
func (s *stage) kill() {
	if s.stop != nil {
		s.stop()
	}
	if s.engine != nil {
		s.engine.Close()
	}
	s.loops.Wait()
	s.stop, s.engine = nil, nil
}

// crash ends the process without letting it do anything more, and starts the next one.
func (s *stage) crash() {
	s.sim.FaultAt(len(s.sim.Trace()), sim.Fault{Kind: sim.CrashBefore})
	if _, err := s.sim.ReadVersion(context.Background()); err == nil {
		s.t.Fatal("the process has not crashed")
	}
	s.reboot()
}

func (s *stage) reboot() {
	s.t.Helper()
	s.kill()
	s.sim.Restart()
	s.boot()
}

// id is the id of the workflow with a number.
func (s *stage) id(n int) string {
	ms := s.begun.UnixMilli()
	return fmt.Sprintf("%08x-%04x-7000-8000-%012x", ms>>16, ms&0xffff, n)
}

func startOf(id, method, name string) workflow.Start {
	args, err := shopArgsCodec.Append(nil, &shopArgs{name})
	if err != nil {
		panic(err)
	}
	return workflow.Start{ID: id, Method: "Shop." + method, Args: args}
}

// run is a client that asks for a workflow until it knows how it ended; crashed
// processes are followed by others meanwhile.
func (s *stage) run(start workflow.Start) *workflow.Outcome {
	s.t.Helper()
	for range 1000 {
		o, err := s.ask(start)
		switch {
		case s.sim.Crashed():
			s.reboot()
		case err == nil:
			return o
		default:
			s.t.Logf("run %s: %v", start.ID, err)
			time.Sleep(time.Second)
		}
	}
	s.t.Fatalf("workflow %s does not end", start.ID)
	return nil
}

// ask asks for a workflow once, and gives up when the process has crashed.
func (s *stage) ask(start workflow.Start) (*workflow.Outcome, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.clients.Go(func() {
		defer cancel()
		for !s.sim.Crashed() {
			select {
			case <-time.After(10 * time.Minute):
			case <-ctx.Done():
				return
			}
		}
	})
	return s.engine.Run(ctx, start)
}

// result returns the result of a workflow as text.
func result(t *testing.T, o *workflow.Outcome) string {
	t.Helper()
	if o.Err != nil {
		return o.Status.String() + ": " + o.Err.Error()
	}
	var text string
	if err := codec.String.Parse(o.Result, &text); err != nil {
		t.Fatal(err)
	}
	return text
}

// accounts returns the ledger's accounts, lines its lines, read around the process.
func (s *stage) accounts() map[string]int {
	var all map[string]int
	s.look(func(l *Ledger) { all = l.accounts.Load() })
	return all
}

func (s *stage) lines() []string {
	var all []string
	s.look(func(l *Ledger) { all = l.lines.Load() })
	slices.Sort(all)
	return all
}

func (s *stage) look(fn func(l *Ledger)) {
	s.t.Helper()
	runner := atomic.NewRunner(s.inner, atomic.Options{})
	err := runner.Read(context.Background(), func(_ context.Context, tx *atomic.Tx) error {
		fn(bindLedger(tx))
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// rows returns how many keys of each family there are.
func (s *stage) rows() map[string]int {
	s.t.Helper()
	count := map[string]int{}
	runner := atomic.NewRunner(s.inner, atomic.Options{})
	err := runner.Read(context.Background(), func(_ context.Context, tx *atomic.Tx) error {
		kvs, _ := tx.SnapshotRange(store.Range{Begin: store.KeyBegin, End: store.KeyEnd}, store.RangeOptions{})
		for _, kv := range kvs {
			count[familyOf(kv.Key)]++
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return count
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// familyOf returns the family of keys that a key belongs to.
func familyOf(key []byte) string {
	_, rest, err := tuple.DecodeString(key)
	if err != nil {
		return "?"
	}
	family, _, err := tuple.DecodeString(rest)
	if err != nil {
		return "?"
	}
	return family
}

// resources are what a process uses.
type resources struct {
	goroutines int
	heap       int64
}

func usage() resources {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return resources{runtime.NumGoroutine(), int64(m.HeapAlloc)}
}
