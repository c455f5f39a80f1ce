package onefoldtest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/internal/plain"
	"github.com/onefold/onefold/runtime/workflow"
)

// plainSide is the plain services in a simulation. One root runs at a time, since no
// two things happen at one moment of virtual time.
type plainSide struct {
	app *App
	ctx context.Context // of workflows
	end context.CancelFunc

	flows   sync.WaitGroup
	waiting atomic.Int64 // messages that have not begun
	sent    atomic.Int64 // messages, so that each has a moment of its own

	mu       sync.Mutex
	plans    []disturbance
	effects  effects
	messages []*plain.Root // that have begun and not ended
}

// underway is how long a message takes at least.
const underway = tick / 1000

func newPlainSide(app *App) *plainSide {
	p := &plainSide{app: app, effects: effects{}}
	p.ctx, p.end = context.WithCancel(context.Background())
	app.restart()
	app.effect = p.effect
	app.world = &plain.World{Post: p.post}
	for _, name := range app.methods() {
		if m, err := app.method(name); err == nil && m.schedule != "" {
			p.flows.Go(func() { p.keep(m) })
		}
	}
	return p
}

// post runs a message a moment later.
func (p *plainSide) post(_ context.Context, fn plain.Func) {
	p.alive()
	p.waiting.Add(1)
	p.flows.Go(func() {
		n := p.sent.Add(1)
		time.Sleep(underway * time.Duration(n))
		p.waiting.Add(-1)
		defer func() { _ = recover() }() // a message that panics is a dead letter
		p.message(fmt.Sprint("message ", n), fn)
	})
}

// message runs fn as a message: as an atomic root, or as the workflow id, which the plain
// program does not tell from one. It is one if it takes time, or does what only workflows do.
func (p *plainSide) message(id string, fn plain.Func) {
	before, begun := p.app.save(), time.Now()
	root := &plain.Root{World: p.app.world, Effect: p.app.effect}
	root.Begin = func() string {
		p.app.world.Begin(id)
		return id
	}
	p.setUnderWay(root, true)
	failed := true
	defer func() {
		p.setUnderWay(root, false)
		if time.Since(begun) > 0 {
			root.Workflow()
		}
		switch {
		case root.ID != "":
			p.app.world.End(id)
		case failed:
			before.Restore()
		default:
			root.Commit()
		}
	}()
	failed = fn(plain.With(p.ctx, root)) != nil
}

func (p *plainSide) setUnderWay(root *plain.Root, is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if is {
		p.messages = append(p.messages, root)
	} else {
		p.messages = slices.DeleteFunc(p.messages, func(r *plain.Root) bool { return r == root })
	}
}

// alive ends a workflow that goes on after the script.
func (p *plainSide) alive() {
	if p.ctx.Err() != nil {
		runtime.Goexit()
	}
}

// effect runs the function of an onefold.Do.
func (p *plainSide) effect(name, key string, fn func() error) error {
	p.alive()
	p.mu.Lock()
	p.effects.add(name, key)
	plan, ok := take(&p.plans, name)
	p.mu.Unlock()
	if ok && !plan.crash {
		return plan.err
	}
	return fn()
}

// keep runs a workflow at the ticks of its schedule.
func (p *plainSide) keep(m *method) {
	for p.ctx.Err() == nil {
		at, err := workflow.NextTick(m.schedule, time.Now())
		if err != nil {
			panic("onefoldtest: schedule of " + m.name + ": " + err.Error())
		}
		select {
		case <-time.After(time.Until(at)):
			p.app.run(m, "{}", func(fn plain.Func) error { return p.app.flow(p.ctx, m.name+" "+at.String(), fn) })
		case <-p.ctx.Done():
		}
	}
}

func (p *plainSide) settle() error {
	for synctest.Wait(); ; synctest.Wait() {
		if p.waiting.Load() > 0 {
			time.Sleep(underway)
			continue
		}
		p.mu.Lock()
		waiting := slices.Clone(p.messages) // for time to pass, so they are workflows
		p.mu.Unlock()
		for _, root := range waiting {
			root.Workflow()
		}
		if p.waiting.Load() == 0 { // they have sent nothing
			return nil
		}
	}
}

func (p *plainSide) isFlow(method string) bool {
	m, err := p.app.method(method)
	if err != nil {
		panic("onefoldtest: " + err.Error())
	}
	return m.workflow
}

func (p *plainSide) call(req Request) (Reply, error) {
	return Invoke(p.app, req.Method, req.Args), nil
}

func (p *plainSide) start(f *Flow, req Request) {
	m, err := p.app.method(req.Method)
	if err != nil {
		panic("onefoldtest: " + err.Error())
	}
	p.flows.Go(func() {
		defer close(f.ended)
		f.reply = p.app.run(m, req.Args, func(fn plain.Func) error { return p.app.flow(p.ctx, f.id, fn) })
	})
}

func (p *plainSide) signal(id, name string, value any) error {
	outside := &plain.Root{World: p.app.world, ID: "outside"}
	return outside.Signal(id, name, value)
}

func (p *plainSide) disturb(d disturbance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans = append(p.plans, d)
}

func (p *plainSide) history(string) (*workflow.History, error) { return nil, nil }
func (p *plainSide) commits(string) int                        { return 0 }
func (p *plainSide) dead() int                                 { return 0 }
func (p *plainSide) state() (map[string]any, error)            { return State(p.app), nil }
func (p *plainSide) keys() effects                             { return p.effects }

// close waits for the workflows that go on without the script.
func (p *plainSide) close() {
	p.end()
	p.flows.Wait()
}

// take takes the first plan for a step.
func take(plans *[]disturbance, step string) (disturbance, bool) {
	for i, d := range *plans {
		if d.step == step {
			*plans = append((*plans)[:i:i], (*plans)[i+1:]...)
			return d, true
		}
	}
	return disturbance{}, false
}

// effects are the idempotency keys that effects came with, by name.
type effects map[string]map[string]bool

func (e effects) add(name, key string) {
	if e[name] == nil {
		e[name] = map[string]bool{}
	}
	e[name][key] = true
}

// counts returns how many keys each effect came with.
func (e effects) counts() map[string]int {
	counts := map[string]int{}
	for name, keys := range e {
		counts[name] = len(keys)
	}
	return counts
}
