package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/sim"
)

// A scenario is a workflow and everything that must be so after it, whatever
// happened on the way.
type scenario struct {
	method   string
	signal   bool // somebody approves after an hour
	fail     map[string]error
	result   string
	accounts map[string]int
	lines    []string
	effects  []string
}

var scenarios = []scenario{
	{
		method: "Sell", result: "done charge x",
		accounts: map[string]int{"stock": 4, "empty": 0},
		lines:    []string{"x sold, 4 left"},
		effects:  []string{"charge x"},
	},
	{
		method: "Sell", fail: map[string]error{"charge x": errors.New("declined")},
		result:   "failed: charge: declined",
		accounts: map[string]int{"stock": 5, "empty": 0},
		effects:  []string{"charge x"},
	},
	{
		method: "Onboard", signal: true, result: "ann",
		accounts: map[string]int{"stock": 5, "empty": 0},
		lines:    []string{"ann approved x", "hello x"},
	},
	{
		method: "Onboard", result: "forgotten",
		accounts: map[string]int{"stock": 5, "empty": 0},
		lines:    []string{"hello x", "nobody approved x"},
	},
	{
		method: "Fan", result: "[11 12 13]",
		accounts: map[string]int{"stock": 5, "empty": 0, "x0": 11, "x1": 12, "x2": 13},
		lines:    []string{"x[11 12 13]"},
		effects:  []string{"fan x0", "fan x1", "fan x2"},
	},
	{
		method: "Bulk", result: "done charge x1 done charge x2",
		accounts: map[string]int{"stock": 3, "empty": 0},
		lines:    []string{"bulk x", "later x", "x1 sold, 4 left", "x2 sold, 3 left"},
		effects:  []string{"charge x1", "charge x2"},
	},
}

func (sc *scenario) String() string {
	if sc.fail != nil {
		return sc.method + " failing"
	}
	if sc.signal {
		return sc.method + " signalled"
	}
	return sc.method
}

// stride is which part of an enumeration is run: all of it in make soak, each n-th normally, each
// short-th with -short.
func stride(n, short int) int {
	switch {
	case os.Getenv("ONEFOLD_SOAK") != "":
		return 1
	case testing.Short():
		return short
	}
	return n
}

// onStage runs fn with a stage in virtual time on which the scenario's effects fail.
func (sc *scenario) onStage(t *testing.T, fn func(s *stage)) {
	t.Helper()
	inBubble(t, func(s *stage) {
		if sc.fail != nil {
			s.out.fail = sc.fail
		}
		fn(s)
	})
}

// play runs the scenario on a stage whose process is up. Two clients ask for it.
func (sc *scenario) play(s *stage) {
	s.t.Helper()
	id := s.id(1)
	if sc.signal {
		s.clients.Go(func() { s.approve(id) })
	}
	go s.engine.Run(context.Background(), startOf(id, sc.method, "x"))
	o := s.run(startOf(id, sc.method, "x"))
	s.expect("result", sc.result, result(s.t, o))
	s.rest()
	sc.check(s)
	s.sim.Land(context.Background())
	sc.check(s)
}

// approve is a client that sends one signal, as often as it takes.
func (s *stage) approve(id string) {
	time.Sleep(time.Hour)
	req := atomic.Request{ID: atomicID(s.begun, 77)}
	for range 1000 {
		err := s.latest.Load().Signal(context.Background(), req, id, "approve", []byte(`"ann"`))
		if err == nil {
			return
		}
		time.Sleep(time.Minute)
	}
	s.t.Error("the signal does not get through")
}

// rest waits until nothing is left to be done, crashed processes being followed by others.
func (s *stage) rest() {
	s.t.Helper()
	for range 1000 {
		time.Sleep(time.Minute)
		synctest.Wait()
		if s.sim.Crashed() {
			s.reboot()
			continue
		}
		if rows := s.rows(); rows["out"] == 0 && rows["due"] == rows["wfi"] {
			return
		}
	}
	s.t.Errorf("there is work left: %v", s.rows())
}

func (sc *scenario) check(s *stage) {
	s.t.Helper()
	s.expect("accounts", sc.accounts, s.accounts())
	s.expect("lines", sc.lines, s.lines())
	keys := s.out.keys()
	s.expect("effects", sc.effects, sortedKeys(keys))
	for name, list := range keys {
		if len(list) != 1 {
			s.t.Errorf("effect %q came with keys %q", name, list)
		}
	}
	if rows := s.rows(); rows["dead"] != 0 {
		s.t.Errorf("dead letters: %v", rows)
	}
}

// A plan is one thing that goes wrong.
type plan struct {
	at    int
	fault sim.Fault
}

// plans returns every fault at every operation of a trace; of range reads that follow
// each other, as when the loop looks around, the first stands for all.
func plans(trace []sim.Op) (list []plan) {
	for i, op := range trace {
		if i > 0 && op.Kind == sim.Range && trace[i-1].Kind == sim.Range {
			continue
		}
		for _, kind := range sim.Faults(op.Kind) {
			list = append(list, plan{i, sim.Fault{Kind: kind, After: 1}})
			if kind == sim.UnknownLate {
				list = append(list, plan{i, sim.Fault{Kind: kind, After: 3}}, plan{i, sim.Fault{Kind: kind}})
			}
		}
	}
	return list
}

// Whatever fails at whichever operation of the store, each step's effects are there
// once, and the result is that of a run without failures.
func TestEveryCrashPoint(t *testing.T) {
	for i := range scenarios {
		sc := &scenarios[i]
		t.Run(sc.String(), func(t *testing.T) {
			var trace []sim.Op
			sc.onStage(t, func(s *stage) {
				s.quietBoot()
				sc.play(s)
				trace = s.sim.Trace()
			})
			struck := 0
			for i, p := range plans(trace) {
				if i%stride(4, 20) != 0 {
					continue
				}
				name := fmt.Sprintf("%s at %d (%s)", p.fault, p.at, trace[p.at].Kind)
				ok := t.Run(name, func(t *testing.T) {
					sc.onStage(t, func(s *stage) {
						s.quietBoot()
						s.sim.FaultAt(p.at, p.fault)
						sc.play(s)
						struck += s.sim.Fired()
					})
				})
				if !ok {
					return
				}
			}
			t.Logf("%d operations, %d plans, %d faults struck", len(trace), len(plans(trace)), struck)
		})
	}
}

// quietBoot starts a process, and numbers the operations from then on.
func (s *stage) quietBoot() {
	s.boot()
	synctest.Wait()
	s.sim.Reset()
}

// tryBoot starts a process, which may crash while it starts.
func (s *stage) tryBoot() {
	s.boot()
	synctest.Wait()
	if s.sim.Crashed() {
		s.reboot()
	}
}

// Any number of faults at random do not show either.
func TestRandomFaults(t *testing.T) {
	first := uint64(time.Now().UnixNano()) % 1_000_000
	if text := os.Getenv("ONEFOLD_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first = seed
	}
	seeds := uint64(30)
	if testing.Short() {
		seeds = 5
	}
	for n := range seeds {
		seed := first + n
		sc := &scenarios[seed%uint64(len(scenarios))]
		ok := t.Run(fmt.Sprintf("%s/ONEFOLD_SEED=%d", sc, seed), func(t *testing.T) {
			sc.onStage(t, func(s *stage) {
				s.sim.Random(seed, sim.Rates{
					CrashBefore: 0.002, CrashAfter: 0.002, Conflict: 0.03, UnknownLanded: 0.02, UnknownLost: 0.02,
					UnknownLate: 0.02, TooOld: 0.02, Full: 0.01, MaxLate: 4,
				})
				s.tryBoot()
				sc.play(s)
			})
		})
		if !ok {
			return
		}
	}
}

// pausing is the store as a process sees it that stands still for a while.
type pausing struct {
	store.Engine
	at   int // operation before which it stops
	long time.Duration

	mu    sync.Mutex
	count int
	until time.Time
}

func (p *pausing) step() {
	p.mu.Lock()
	if p.count++; p.count == p.at {
		p.until = time.Now().Add(p.long)
	}
	until := p.until
	p.mu.Unlock()
	time.Sleep(time.Until(until))
}

func (p *pausing) ReadVersion(ctx context.Context) (store.Version, error) {
	p.step()
	return p.Engine.ReadVersion(ctx)
}

func (p *pausing) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	p.step()
	return p.Engine.Commit(ctx, c)
}

// A process that stands still until others have taken its workflows over does no
// harm when it wakes up.
func TestZombies(t *testing.T) {
	for i := range scenarios {
		sc := &scenarios[i]
		t.Run(sc.String(), func(t *testing.T) {
			for at := 1; ; at += stride(1, 10) {
				reached := true
				ok := t.Run(fmt.Sprint(at), func(t *testing.T) {
					sc.onStage(t, func(s *stage) { reached = zombie(s, sc, at) })
				})
				if !ok || !reached {
					return
				}
			}
		})
	}
}

// zombie runs the scenario with two processes, of which the one that starts the
// workflow stands still before an operation; it reports whether it came that far.
func zombie(s *stage, sc *scenario, at int) bool {
	slow := &pausing{Engine: s.inner, at: at, long: 10 * time.Minute}
	_, first := s.process(slow)
	ctx, cancel := context.WithCancel(context.Background())
	defer first.Close()
	defer cancel()
	s.clients.Go(func() { first.Loop(ctx) })
	synctest.Wait()
	slow.count = 0
	id := s.id(1)
	s.clients.Go(func() { first.Run(ctx, startOf(id, sc.method, "x")) })
	time.Sleep(time.Second)

	s.opts.Shared, s.opts.Poll = true, 10*time.Minute
	s.boot()
	sc.play(s)
	time.Sleep(20 * time.Minute)
	synctest.Wait()
	sc.check(s)
	return slow.count >= at
}

func atomicID(t time.Time, n byte) (id atomic.ID) {
	ms := t.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8], id[15] = 0x70, 0x80, n
	return id
}
