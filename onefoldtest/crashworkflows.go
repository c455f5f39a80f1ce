package onefoldtest

import (
	"cmp"
	"fmt"
	"testing"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/store/sim"
)

// CrashWorkflows runs a script with the plain services, and then many times with the
// compiled application: with every fault at every store operation and every trouble of calls
// between processes, as [CrashPoints] has them; with a process that stands still before an operation until another one has taken over its
// workflows, and goes on then; and with several random faults. Each workflow is asked for by two
// clients. Each time, the replies that the script gets, the state in the end, and the number of
// different idempotency keys of each effect must be those of the plain services, and nothing
// may be left over.
//
// Recovery takes time, up to an hour in each step of the script, so the script's times
// should not depend on less. It runs often, so what it calls outside must be its own:
// made by the script, or reset.
func CrashWorkflows(t *testing.T, plain *App, compiled *runtime.App, script func(*Simulation), opts Options) {
	t.Helper()
	opts = opts.seeded(t)
	runs, violations := crashWorkflows(t, plain, compiled, script, opts)
	for _, v := range violations {
		t.Error(v)
	}
	t.Logf("%d faulty runs", runs)
}

func crashWorkflows(t *testing.T, plain *App, compiled *runtime.App, script func(*Simulation), opts Options) (runs int, violations []string) {
	t.Helper()
	compare := comparer{random: opts.Random, anyError: opts.AnyError}
	base, list := flawless(t, compiled, script, opts)
	want := base
	if !raceDetector {
		want = plainRun(t, plain, compiled, script, opts)
		want.dead = base.dead
	}
	if violations = base.against(want, compare); len(violations) > 0 {
		return 0, violations
	}
	for _, m := range chosen(list, opts) {
		runs++
		opts.shared = m.pause
		o := compiledRun(t, compiled, script, opts, m.prepare)
		for _, v := range o.against(want, compare) {
			violations = append(violations, fmt.Sprintf("%s: %s", m, v))
		}
		if len(violations) >= cmp.Or(opts.most, 5) {
			break
		}
	}
	return runs, violations
}

// flawless runs a script in which nothing goes wrong, and returns all that can.
func flawless(t *testing.T, compiled *runtime.App, script func(*Simulation), opts Options) (o outcome, list []mishap) {
	var first *process
	begin := 0
	o = compiledRun(t, compiled, script, opts, func(c *compiledSide) error {
		c.twice, first = true, c.stage.process()
		begin = len(first.engine.Trace())
		return nil
	})
	if first != nil {
		list = append(mishaps(first.engine.Trace(), begin), troubled(first.system.wires.count())...)
	}
	return o, list
}

// mishap is what goes wrong in one run of a script.
type mishap struct {
	at    int // operation of the first process
	kind  sim.Kind
	fault sim.Fault
	pause bool    // instead of the fault, the process stands still
	wire  trouble // instead of the fault, of the at-th call between processes
	seed  uint64  // instead of all that, of random faults
}

func (m mishap) String() string {
	switch {
	case m.seed != 0:
		return fmt.Sprintf("random faults of seed %d", m.seed)
	case m.wire != noTrouble:
		return fmt.Sprintf("%s at call %d", m.wire, m.at)
	case m.pause:
		return fmt.Sprintf("zombie before operation %d (%s)", m.at, m.kind)
	}
	return fmt.Sprintf("%s at operation %d (%s)", m.fault, m.at, m.kind)
}

// mishaps returns all that can go wrong at the operations of a trace from begin on. Of range reads
// that follow each other, as when a process looks around for what is due, the first stands for all.
func mishaps(trace []sim.Op, begin int) (list []mishap) {
	for i, op := range trace[begin:] {
		if i > 0 && op.Kind == sim.Range && trace[begin+i-1].Kind == sim.Range {
			continue
		}
		for _, f := range faults(op.Kind) {
			list = append(list, mishap{at: op.Index, kind: op.Kind, fault: f})
		}
		if op.Kind == sim.Commit || op.Kind == sim.ReadVersion {
			list = append(list, mishap{at: i, kind: op.Kind, pause: true})
		}
	}
	return list
}

// troubled returns all that can go wrong with calls between processes.
func troubled(calls int) (list []mishap) {
	for i := range calls {
		for t := noTrouble + 1; t < troubles; t++ {
			list = append(list, mishap{at: i, wire: t})
		}
	}
	return list
}

// chosen returns the mishaps that a run of the suite tries: all, or opts.Runs of them, and
// one in ten with random faults.
func chosen(list []mishap, opts Options) []mishap {
	r := opts.rand(4)
	for range len(list)/10 + 1 {
		list = append(list, mishap{seed: 1 + r.Uint64()>>1})
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	if opts.Runs > 0 && opts.Runs < len(list) {
		list = list[:opts.Runs]
	}
	return list
}

// unsteady are the rates of random faults in CrashWorkflows.
var unsteady = sim.Rates{
	CrashBefore: 0.002, CrashAfter: 0.002, Conflict: 0.03, UnknownLanded: 0.02, UnknownLost: 0.02, UnknownLate: 0.02,
	TooOld: 0.02, Full: 0.01, MaxLate: 4,
}

// prepare lets a mishap happen to a side that has just started.
func (m mishap) prepare(c *compiledSide) error {
	c.twice = true
	first := c.stage.process()
	switch {
	case m.seed != 0:
		first.engine.Random(m.seed, unsteady)
		if first.system.wires != nil {
			first.system.wires.random(m.seed)
		}
	case m.wire != noTrouble:
		first.system.wires.trouble(m.at, m.wire)
	case m.pause:
		return c.stage.relieve(m.at)
	default:
		first.engine.FaultAt(m.at, m.fault)
	}
	return nil
}
