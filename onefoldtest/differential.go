package onefoldtest

import (
	"cmp"
	"fmt"
	"math/rand"
	randv2 "math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/onefoldtest/snapshot"
	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/store"
)

// Differential sends random requests, Idempotency-Keys and repeated deliveries
// among them, one after the other to the plain services and to the compiled
// application. It fails t where replies or states differ, or where a request
// uses the store more than its kind allows, and prints a short sequence of
// requests that shows it. The state of plain is restored.
//
// The clock is virtual; math/rand is seeded alike on both sides, for which the
// test's process must run with GODEBUG=randseednop=0, which Differential sets.
func Differential(t *testing.T, plain *App, compiled *runtime.App, opts Options) {
	t.Helper()
	withoutWorkflows(t, compiled, opts, "Differential")
	opts = opts.seeded(t)
	if report := differ(t, plain, compiled, opts); report != "" {
		t.Fatalf("the compiled application differs from the plain one (seed %d):\n%s", opts.Seed, report)
	}
}

// differ returns a short sequence of requests that shows a difference, or "".
func differ(t *testing.T, plain *App, compiled *runtime.App, opts Options) (report string) {
	t.Helper()
	opts.Steps = cmp.Or(opts.Steps, 200)
	t.Setenv("GODEBUG", "randseednop=0")
	d := &differential{plain: plain, compiled: compiled, compare: comparer{times: !opts.Rounds, anyError: opts.AnyError}, opts: opts}
	synctest.Test(t, func(t *testing.T) {
		d.t = t
		d.initial = plain.save()
		defer d.initial.Restore()
		steps := d.steps()
		if f := d.run(steps); f != nil {
			steps, f = d.minimise(steps[:f.at+1], f)
			report = f.report(steps)
		}
	})
	return report
}

// differential is one call of Differential.
type differential struct {
	t        *testing.T
	plain    *App
	compiled *runtime.App
	initial  *snapshot.Snapshot
	compare  comparer
	opts     Options
}

// step is one request of a sequence.
type step struct {
	Request
	wait time.Duration // before it
	seed int64         // of math/rand, for this request
}

// failure is where and how the sides differ.
type failure struct {
	at   int
	what string
}

func (f *failure) report(steps []step) string {
	var b strings.Builder
	for i, s := range steps {
		fmt.Fprintf(&b, "%3d  after %s: %s\n", i, s.wait, s.Request)
	}
	fmt.Fprintf(&b, "request %d: %s", f.at, f.what)
	return b.String()
}

// steps makes the sequence of requests.
func (d *differential) steps() []step {
	r := d.opts.rand(1)
	work := newWorkload(d.plain, d.opts)
	var steps []step
	var keyed []Request
	for i := range d.opts.Steps {
		s := step{Request: work.request(r), wait: time.Duration(r.IntN(5)) * time.Second, seed: r.Int64()}
		switch n := r.IntN(100); {
		case n < 30:
			s.Key = fmt.Sprintf("key %d", i)
			keyed = append(keyed, s.Request)
		case n < 45 && len(keyed) > 0:
			s.Request = keyed[r.IntN(len(keyed))]
			s.Args = respelt(r, s.Args)
		case n < 48 && len(keyed) > 0:
			s.Key = keyed[r.IntN(len(keyed))].Key // with what are most likely other arguments
		case n < 50:
			s.Args = damaged(r, s.Args)
		}
		steps = append(steps, s)
	}
	return steps
}

// respelt returns another spelling of a JSON object.
func respelt(r *randv2.Rand, args string) string {
	if r.IntN(2) == 0 {
		return args
	}
	return " { " + strings.TrimPrefix(args, "{")
}

// damaged returns arguments that no method has.
func damaged(r *randv2.Rand, args string) string {
	switch r.IntN(3) {
	case 0:
		return "[" + args + "]"
	case 1:
		return args[:len(args)-1]
	default:
		return `{"nobodyHasThis":1` + strings.Replace(","+args[1:], ",}", "}", 1)
	}
}

// run sends steps to both sides, from the initial state. It returns nil if they agree.
func (d *differential) run(steps []step) *failure {
	d.initial.Restore()
	stored := d.opts.open(d.t)
	defer stored.Close()
	used := newCounters(d.compiled)
	sys := start(d.t, d.compiled, d.opts, func() store.Engine { return &meter{d.opts.wrapped(stored.Connect()), used, d.opts.Rounds} })
	defer sys.stop()
	r := running{differential: d, oracle: newOracle(d.plain, d.compiled), used: used, system: sys}
	for i, s := range steps {
		time.Sleep(s.wait)
		if what := r.step(s); what != "" {
			return &failure{at: i, what: what}
		}
	}
	return nil
}

// running is one run of a sequence.
type running struct {
	*differential
	oracle *oracle
	used   *counters
	system *system
}

// step sends one request to both sides and returns how they differ.
func (r *running) step(s step) string {
	old := State(r.plain)
	rand.Seed(s.seed) //lint:ignore SA1019 nothing else seeds the functions that specs use
	want := r.oracle.invoke(s.Request)
	r.used.reset()
	before := r.system.wires.count()
	rand.Seed(s.seed) //lint:ignore SA1019 as above
	begun := time.Now()
	got := r.system.send(s.Request, "")
	used := r.used.reset()
	if r.opts.Rounds {
		used.Rounds = used.Versions + int(time.Since(begun))
	}
	used.Calls = r.system.wires.count() - before
	if r.opts.Observe != nil {
		r.opts.Observe(s.Request, got, used)
	}
	if diff := r.compare.replies(s.Method, want, got); diff != "" {
		return fmt.Sprintf("replies differ (-plain +compiled):\n%s", diff)
	}
	now := State(r.plain)
	state, err := r.system.state()
	if err != nil {
		return fmt.Sprintf("read the compiled side's state: %v", err)
	}
	if diff := r.compare.states(now, state); diff != "" {
		return fmt.Sprintf("states differ (-plain +compiled):\n%s", diff)
	}
	return used.check(r.oracle.kinds[s.Method], s.Request, got, !same(old, now))
}
