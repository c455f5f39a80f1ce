package onefoldtest

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/onefold/onefold/runtime"
)

// Simulate runs a script with the plain services, and then, unless compiled is nil, with
// the compiled application, each in virtual time: a script that sleeps for two
// days takes a millisecond. The replies that the script gets, the state in the end, and how many different
// idempotency keys each effect came with must be the same on both sides.
//
// The context of workflows that have not ended is cancelled after the script; the plain
// side ends when they do. The state of plain is restored.
//
// The race detector would report the plain services, which need no locks since
// onefold runs one root at a time. With it, the plain side is left out, and a test of the plain
// side alone is skipped.
func Simulate(t *testing.T, plain *App, compiled *runtime.App, script func(*Simulation)) {
	t.Helper()
	if raceDetector && compiled == nil {
		t.Skip("the plain side of a simulation cannot run under the race detector")
	}
	for _, v := range simulate(t, plain, compiled, script, Options{}) {
		t.Error(v)
	}
}

func simulate(t *testing.T, plain *App, compiled *runtime.App, script func(*Simulation), opts Options) []string {
	t.Helper()
	if raceDetector {
		return compiledRun(t, compiled, script, opts, nil).wrong
	}
	want := plainRun(t, plain, compiled, script, opts)
	if compiled == nil {
		return want.wrong
	}
	got := compiledRun(t, compiled, script, opts, nil)
	if want.oneSided {
		return got.wrong
	}
	want.dead = got.dead // a workflow that panics is one
	return append(want.wrong, got.against(want, comparer{random: opts.Random, anyError: opts.AnyError})...)
}

// outcome is what a run of a script came to.
type outcome struct {
	seen     []event
	wrong    []string
	state    map[string]any
	keys     map[string]int // how many different ones effects came with
	dead     int            // dead letters
	oneSided bool
}

// plainRun runs a script with the plain services.
func plainRun(t *testing.T, plain *App, compiled *runtime.App, script func(*Simulation), opts Options) (o outcome) {
	t.Helper()
	if compiled != nil {
		newOracle(plain, compiled) // tells the plain side the names of errors
	}
	initial := plain.save()
	defer plain.restart()
	defer initial.Restore()
	synctest.Test(t, func(*testing.T) {
		o = play(&Simulation{side: newPlainSide(plain), plain: true}, script)
	})
	return o
}

// compiledRun runs a script with the compiled application; prepare, unless nil, is called before.
func compiledRun(t *testing.T, compiled *runtime.App, script func(*Simulation), opts Options, prepare func(*compiledSide) error) (o outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		side, err := newCompiledSide(t, compiled, opts)
		if err == nil && prepare != nil {
			synctest.Wait() // its start is over
			err = prepare(side)
		}
		if err != nil {
			o.wrong = []string{"start the compiled application: " + err.Error()}
			return
		}
		o = play(&Simulation{side: side}, script)
	})
	return o
}

// play runs a script to its end, and closes its side.
func play(s *Simulation, script func(*Simulation)) (o outcome) {
	defer s.side.close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil && r != errOneSided {
				panic(r)
			} else if r != nil {
				o.oneSided = true
			}
		}()
		script(s)
		s.State() // everything that was under way arrives
		o.state = s.State()
		o.dead = s.side.dead()
	}()
	<-done
	o.seen, o.wrong, o.keys = s.seen, s.wrong, s.side.keys().counts()
	return o
}

// against returns what is wrong with a compiled run, and how it differs from the plain one.
func (o *outcome) against(want outcome, c comparer) []string {
	wrong := o.wrong
	for i, w := range want.seen {
		if i >= len(o.seen) {
			return append(wrong, fmt.Sprintf("the compiled side's script ended before: %s", w.what))
		}
		g := o.seen[i]
		if g.what != w.what {
			return append(wrong, fmt.Sprintf("the compiled side's script went on with %s instead of %s", g.what, w.what))
		}
		if d := c.replies(w.method, w.reply, g.reply); d != "" {
			wrong = append(wrong, fmt.Sprintf("%s: replies differ (-plain +compiled):\n%s", w.what, d))
		}
	}
	if d := c.states(want.state, o.state); d != "" {
		wrong = append(wrong, fmt.Sprintf("states differ (-plain +compiled):\n%s", d))
	}
	if o.dead != want.dead {
		wrong = append(wrong, fmt.Sprintf("%d dead letters, want %d", o.dead, want.dead))
	}
	if d := diff(want.keys, o.keys); d != "" {
		wrong = append(wrong, fmt.Sprintf("different idempotency keys that effects came with (-plain +compiled):\n%s", d))
	}
	return wrong
}
