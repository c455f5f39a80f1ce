package onefoldtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/onefold/onefold/onefoldtest/snapshot"
	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/sim"
)

// CrashPoints runs a scenario on the compiled application and, at every store
// operation of each of its requests, every fault that the operation can have: a
// crash before it and after it, a conflict, an unknown result of a commit that
// landed, did not, or lands later, a read version that is too old, a full disk. After
// each the client does what it may, restarting what crashed and delivering the
// request again and once more than needed, and its reply and the state must be those
// of the plain services. Random faults, several to a request, follow; then the store
// fails by itself too if it can.
func CrashPoints(t *testing.T, plain *App, compiled *runtime.App, opts Options) {
	t.Helper()
	withoutWorkflows(t, compiled, opts, "CrashPoints")
	opts = opts.seeded(t)
	points, violations := crashPoints(t, plain, compiled, opts)
	for _, v := range violations {
		t.Error(v)
	}
	t.Logf("%d faulty runs", points)
}

func crashPoints(t *testing.T, plain *App, compiled *runtime.App, opts Options) (points int, violations []string) {
	t.Helper()
	opts.Steps = cmp.Or(opts.Steps, 12)
	opts.Runs = cmp.Or(opts.Runs, 5)
	initial := plain.save()
	defer initial.Restore()
	synctest.Test(t, func(t *testing.T) {
		e := &enumeration{plain: plain, oracle: newOracle(plain, compiled), compare: comparer{random: opts.Random, anyError: opts.AnyError}, opts: opts}
		e.stage = newStage(t, compiled, opts)
		defer e.stage.close()
		for i, req := range e.scenario() {
			e.request(i, req)
			if len(e.violations) >= cmp.Or(opts.most, 5) {
				break
			}
		}
		points, violations = e.points, e.violations
	})
	return points, violations
}

// enumeration is one call of CrashPoints.
type enumeration struct {
	plain      *App
	oracle     *oracle
	stage      *stage
	compare    comparer
	opts       Options
	points     int
	violations []string

	// Of the request under way:
	before, after checkpoint
	want          Reply
}

func (e *enumeration) scenario() []Request {
	if e.opts.Scenario != nil {
		return e.opts.Scenario
	}
	r := e.opts.rand(2)
	work := newWorkload(e.plain, e.opts)
	requests := make([]Request, e.opts.Steps)
	for i := range requests {
		requests[i] = work.request(r)
	}
	return requests
}

// checkpoint is both sides at one moment.
type checkpoint struct {
	plain *snapshot.Snapshot
	done  map[string]delivery
	state map[string]any // of the plain side
	store []store.KV     // of the compiled side
}

func (e *enumeration) save() checkpoint {
	return checkpoint{plain: e.plain.save(), done: maps.Clone(e.oracle.done), state: State(e.plain), store: contents(e.stage.store)}
}

func (e *enumeration) restore(c *checkpoint) {
	c.plain.Restore()
	e.oracle.done = maps.Clone(c.done)
	replace(e.stage.store, c.store)
}

// request tries one request with every fault, and leaves both sides as after the
// request without one.
func (e *enumeration) request(i int, req Request) {
	e.before = e.save()
	e.want = e.oracle.invoke(req)
	e.after = checkpoint{plain: e.plain.save(), done: maps.Clone(e.oracle.done), state: State(e.plain)}
	for as := range identities {
		name := fmt.Sprintf("request %d, %s %s", i, req, as)
		ops, calls := e.try(name+", without faults", req, as, func(*process) {})
		for _, op := range ops {
			for _, f := range faults(op.Kind) {
				e.try(fmt.Sprintf("%s, %s at operation %d (%s)", name, f, op.Index, op.Kind), req, as, func(p *process) { p.engine.FaultAt(op.Index, f) })
			}
		}
		for i := range calls {
			for t := noTrouble + 1; t < troubles; t++ {
				e.try(fmt.Sprintf("%s, %s at call %d", name, t, i), req, as, func(p *process) { p.system.wires.trouble(i, t) })
			}
		}
		for n := range e.opts.Runs {
			seed := e.opts.Seed + uint64(i*1000+n)
			e.try(fmt.Sprintf("%s, random faults of seed %d", name, seed), req, as, func(p *process) {
				e.stage.storm = seed
				p.engine.Random(seed, stormy)
				if p.system.wires != nil {
					p.system.wires.random(seed)
				}
			})
		}
	}
	e.reset()
	if _, err := newClient(e.stage, req, byNothing, i).deliver(); err != nil {
		e.violations = append(e.violations, fmt.Sprintf("request %d, %s: %v", i, req, err))
	}
	e.after.plain.Restore()
	e.oracle.done = e.after.done
}

// faults returns what can happen to an operation.
func faults(k sim.Kind) []sim.Fault {
	var all []sim.Fault
	for _, kind := range sim.Faults(k) {
		all = append(all, sim.Fault{Kind: kind})
		if kind == sim.UnknownLate {
			all = append(all, sim.Fault{Kind: kind, After: 1}, sim.Fault{Kind: kind, After: 2})
		}
	}
	return all
}

// stormy are the rates of random faults in CrashPoints.
var stormy = sim.Rates{
	CrashBefore: 0.04, CrashAfter: 0.04, Conflict: 0.15, UnknownLanded: 0.1, UnknownLost: 0.1, UnknownLate: 0.1,
	TooOld: 0.05, Full: 0.05, MaxLate: 3,
}

// try delivers a request under faults and checks the outcome. It returns the
// operations of the first delivery's process, and its number of calls to others.
func (e *enumeration) try(name string, req Request, as identity, plan func(*process)) ([]sim.Op, int) {
	e.points++
	e.reset()
	p := e.stage.process()
	plan(p)
	c := newClient(e.stage, req, as, e.points)
	c.untouched = func(r Reply) error {
		if diff := e.differs(&e.before); diff != "" {
			return fmt.Errorf("%s, but the state changed (-want +got):\n%s", r.Detail, diff)
		}
		return nil
	}
	got, err := c.deliver()
	ops, calls := p.engine.Trace(), p.system.wires.count()
	if what := e.check(c, got, err); what != "" {
		e.violations = append(e.violations, name+": "+what)
	}
	return ops, calls
}

// reset puts both sides back to before the request, and stops all faults.
func (e *enumeration) reset() {
	e.stage.land()
	e.stage.storm = 0
	e.stage.process().reset()
	e.restore(&e.before)
}

// check returns what is wrong with the outcome of a request.
func (e *enumeration) check(c *client, got Reply, err error) string {
	if errors.Is(err, errLost) {
		if diff := e.differs(&e.after); diff != "" && e.differs(&e.before) != "" {
			return fmt.Sprintf("reply lost; the state is neither that before nor that after the request (-after +got):\n%s", diff)
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	if diff := e.compare.replies(c.req.Method, e.want, got); diff != "" {
		return fmt.Sprintf("replies differ (-plain +compiled):\n%s", diff)
	}
	if diff := e.differs(&e.after); diff != "" {
		return fmt.Sprintf("states differ (-plain +compiled):\n%s", diff)
	}
	return e.repeated(c, got)
}

// repeated delivers the request once more, which must change nothing. What may
// change state must get the same reply.
func (e *enumeration) repeated(c *client, first Reply) string {
	if c.id == "" && c.req.Key == "" || e.oracle.kinds[c.req.Method] != runtime.Atomic || first.Status == http.StatusInternalServerError {
		return ""
	}
	second, err := c.deliver()
	if err != nil {
		return "second delivery: " + err.Error()
	}
	if diff := e.compare.replies(c.req.Method, first, second); diff != "" {
		return fmt.Sprintf("the second delivery got another reply (-first +second):\n%s", diff)
	}
	if diff := e.differs(&e.after); diff != "" {
		return fmt.Sprintf("the second delivery changed the state (-want +got):\n%s", diff)
	}
	return ""
}

// differs returns how the compiled side's state differs from the plain one's at c.
func (e *enumeration) differs(c *checkpoint) string {
	got, err := e.stage.state()
	if err != nil {
		return "read the state: " + err.Error()
	}
	return e.compare.states(c.state, got)
}

// contents returns all that a store holds.
func contents(engine store.Engine) []store.KV {
	ctx := context.Background()
	v, err := engine.ReadVersion(ctx)
	if err != nil {
		panic(err)
	}
	defer engine.Release(v)
	kvs, _, err := engine.Range(ctx, v, store.Range{Begin: store.KeyBegin, End: store.KeyEnd}, store.RangeOptions{})
	if err != nil {
		panic(err)
	}
	if kvs == nil {
		kvs = []store.KV{}
	}
	return kvs
}

// replace makes a store hold kvs and nothing else.
func replace(engine store.Engine, kvs []store.KV) {
	ctx := context.Background()
	v, err := engine.ReadVersion(ctx)
	if err != nil {
		panic(err)
	}
	defer engine.Release(v)
	c := &store.Commit{Version: v, Ops: []store.Op{{Kind: store.ClearRange, Key: store.KeyBegin, Value: store.KeyEnd}}}
	for _, kv := range kvs {
		c.Ops = append(c.Ops, store.Op{Kind: store.Set, Key: kv.Key, Value: kv.Value})
	}
	if _, err := engine.Commit(ctx, c); err != nil {
		panic(err)
	}
}
