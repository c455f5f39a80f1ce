package onefoldtest

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/anishathalye/porcupine"

	"github.com/onefold/onefold/onefoldtest/snapshot"
	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/store/sim"
)

// Histories lets clients send random requests at the same time while the store
// fails at random, and checks with porcupine that the replies, and the state in the end,
// are those of the plain services when the requests run one after the other, each
// between its first delivery and its reply.
func Histories(t *testing.T, plain *App, compiled *runtime.App, opts Options) {
	t.Helper()
	withoutWorkflows(t, compiled, opts, "Histories")
	opts = opts.seeded(t)
	for _, v := range histories(t, plain, compiled, opts) {
		t.Error(v)
	}
}

func histories(t *testing.T, plain *App, compiled *runtime.App, opts Options) (violations []string) {
	t.Helper()
	opts.Steps = cmp.Or(opts.Steps, 5)
	opts.Runs = cmp.Or(opts.Runs, 20)
	opts.Clients = cmp.Or(opts.Clients, 3)
	initial := plain.save()
	defer initial.Restore()
	for run := range opts.Runs {
		h := &history{plain: plain, compiled: compiled, opts: opts, number: run, compare: comparer{random: opts.Random, anyError: opts.AnyError}}
		h.opts.Seed += uint64(run)
		initial.Restore()
		synctest.Test(t, func(t *testing.T) { h.record(t) })
		if len(h.failures) == 0 {
			initial.Restore()
			synctest.Test(t, func(*testing.T) { h.check() }) // at the time of the recording
		}
		for _, f := range h.failures {
			violations = append(violations, fmt.Sprintf("history %d: %s", run, f))
		}
		if len(violations) >= cmp.Or(opts.most, 5) {
			break
		}
	}
	return violations
}

// history is one run of concurrent clients.
type history struct {
	plain    *App
	compiled *runtime.App
	opts     Options
	number   int
	compare  comparer

	clock    atomic.Int64 // orders calls and returns
	mu       sync.Mutex
	ops      []porcupine.Operation
	steps    map[string]*flowStep // of workflows, by workflow and place
	failures []string
}

// call is what a client did: a request, or looking at the whole state.
type call struct {
	Request
	look bool
	step *flowStep // of a workflow
}

// result is what came of it.
type result struct {
	reply Reply
	lost  bool // nobody knows
	state map[string]any
}

// Rates of random faults in Histories: with crashes in every second run.
var (
	breezy = sim.Rates{Conflict: 0.05, UnknownLanded: 0.05, UnknownLost: 0.05, UnknownLate: 0.05, TooOld: 0.02, MaxLate: 3}
	gusty  = sim.Rates{CrashBefore: 0.02, CrashAfter: 0.02, UnknownLanded: 0.03, UnknownLost: 0.03, UnknownLate: 0.03, MaxLate: 3}
)

// record runs the clients.
func (h *history) record(t *testing.T) {
	s := newStage(t, h.compiled, h.opts)
	defer s.close()
	for i, req := range h.opts.Scenario {
		h.send(s, req, byKey, h.opts.Clients, i)
	}
	s.rates = &breezy
	if h.number%2 == 1 {
		s.rates = &gusty
	}
	if err := s.restart(s.current); err != nil {
		h.fail(err.Error())
		return
	}

	work := newWorkload(h.plain, h.opts)
	var clients sync.WaitGroup
	for i := range h.opts.Clients {
		r := h.opts.rand(uint64(3 + i))
		requests := make([]Request, h.opts.Steps)
		ids := make([]identity, h.opts.Steps)
		for j := range requests {
			requests[j], ids[j] = work.request(r), identity(r.IntN(int(identities)))
		}
		clients.Go(func() {
			for j, req := range requests {
				h.send(s, req, ids[j], i, j)
			}
		})
	}
	clients.Wait()
	h.look(s.state)
}

// look adds the state to the history.
func (h *history) look(state func() (map[string]any, error)) {
	called := h.clock.Add(1)
	now, err := state()
	if err != nil {
		h.fail("read the state: " + err.Error())
	}
	h.add(porcupine.Operation{ClientId: h.opts.Clients, Input: call{look: true}, Call: called, Output: result{state: now}, Return: h.clock.Add(1)})
}

// send sends a request of a client.
func (h *history) send(s *stage, req Request, as identity, client, number int) {
	h.deliver(newClient(s, req, as, client*1000+number), client)
}

// deliver sends a request until its outcome is known. Requests with a key are
// delivered twice, the second time while others run.
func (h *history) deliver(c *client, client int) {
	deliveries := 1
	if c.req.Key != "" {
		deliveries = 2
	}
	for range deliveries {
		called := h.clock.Add(1)
		reply, err := c.deliver()
		op := porcupine.Operation{ClientId: client, Input: call{Request: c.req}, Call: called, Output: result{reply: reply}, Return: h.clock.Add(1)}
		if err == errLost {
			op.Output, op.Return = result{lost: true}, math.MaxInt64
		} else if err != nil {
			h.fail(fmt.Sprintf("%s: %v", c.req, err))
			return
		}
		h.add(op)
	}
}

func (h *history) add(op porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
}

func (h *history) fail(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures = append(h.failures, what)
}

// check looks for an order of the operations that explains them.
func (h *history) check() {
	if !porcupine.CheckOperations(h.model(), h.ops) {
		h.fail("no order of the requests explains the replies:\n" + h.String())
	}
}

// String lists the operations.
func (h *history) String() string {
	var b strings.Builder
	for _, op := range h.ops {
		in, out := op.Input.(call), op.Output.(result)
		switch {
		case in.step != nil:
			fmt.Fprintf(&b, "%s, %d to %d: %s\n", in.step.ID, op.Call, op.Return, in.step)
		case in.look:
			fmt.Fprintf(&b, "client %d, %d to %d: state %v\n", op.ClientId, op.Call, op.Return, out.state)
		case out.lost:
			fmt.Fprintf(&b, "client %d, from %d: %s: reply lost\n", op.ClientId, op.Call, in.Request)
		default:
			fmt.Fprintf(&b, "client %d, %d to %d: %s: %d %s%s\n", op.ClientId, op.Call, op.Return, in.Request, out.reply.Status, out.reply.Value, out.reply.Detail)
		}
	}
	return b.String()
}

// world is the plain side at one point of an order.
type world struct {
	plain *snapshot.Snapshot
	done  map[string]delivery
	name  string // equal for equal worlds
}

// model is the plain services as porcupine wants them.
func (h *history) model() porcupine.Model {
	o := newOracle(h.plain, h.compiled)
	now := func() *world {
		return &world{plain: h.plain.save(), done: maps.Clone(o.done), name: fmt.Sprint(h.compare.state(State(h.plain)), o.answered())}
	}
	nondeterministic := porcupine.NondeterministicModel{
		Init: func() []any { return []any{now()} },
		Step: func(state, input, output any) []any {
			w, in, out := state.(*world), input.(call), output.(result)
			w.plain.Restore()
			o.done = maps.Clone(w.done)
			switch {
			case in.look:
				if h.compare.states(State(h.plain), out.state) != "" {
					return nil
				}
				return []any{w}
			case in.step != nil:
				if h.plain.step(in.step, h.compare) != "" {
					return nil
				}
				return []any{now()}
			case out.lost:
				o.invoke(in.Request)
				return []any{w, now()}
			}
			if h.compare.replies(in.Method, o.invoke(in.Request), out.reply) != "" {
				return nil
			}
			return []any{now()}
		},
		Equal: func(a, b any) bool { return a.(*world).name == b.(*world).name },
	}
	return nondeterministic.ToModel()
}
