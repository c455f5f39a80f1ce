package onefoldtest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/anishathalye/porcupine"

	"github.com/onefold/onefold/runtime"
)

// WorkflowHistories is [Histories] of an application with workflows: clients make requests and run
// workflows at the same time while the store fails at random. Each step of a workflow that calls
// a method counts as a request of its own: workflows interleave between their steps,
// and each of these took effect once, between when it began and when its result was recorded.
//
// Messages run some time after the request that sent them, so what they change is to be named in
// opts.Random, and no method should read it. Requests that send signals must have the weight 0.
func WorkflowHistories(t *testing.T, plain *App, compiled *runtime.App, opts Options) {
	t.Helper()
	opts = opts.seeded(t)
	for _, v := range workflowHistories(t, plain, compiled, opts) {
		t.Error(v)
	}
}

func workflowHistories(t *testing.T, plain *App, compiled *runtime.App, opts Options) (violations []string) {
	t.Helper()
	opts.Steps = cmp.Or(opts.Steps, 3)
	opts.Clients = cmp.Or(opts.Clients, 3)
	initial := plain.save()
	defer initial.Restore()
	for run := range cmp.Or(opts.Runs, 10) {
		f := &flowHistory{}
		f.history = history{plain: plain, compiled: compiled, opts: opts, number: run, compare: comparer{random: opts.Random, anyError: opts.AnyError}}
		f.opts.Seed += uint64(run)
		synctest.Test(t, func(t *testing.T) { f.record(t) })
		initial.Restore()
		if len(f.failures) == 0 {
			synctest.Test(t, func(*testing.T) { f.check() })
		}
		for _, what := range f.failures {
			violations = append(violations, fmt.Sprintf("history %d: %s", run, what))
		}
		if len(violations) >= cmp.Or(opts.most, 5) {
			break
		}
	}
	return violations
}

// flowHistory is one run of concurrent clients and workflows.
type flowHistory struct{ history }

// record runs the clients.
func (f *flowHistory) record(t *testing.T) {
	s, err := tryStage(f.compiled, f.opts.openQuiet(t), f.opts, f.hooks())
	if err != nil {
		f.fail(err.Error())
		return
	}
	defer s.close()
	for i, req := range f.opts.Scenario {
		f.send(s, req, byKey, f.opts.Clients, i)
	}
	s.rates = &breezy
	if f.number%2 == 1 {
		s.rates = &gusty
	}
	s.process().stop()
	if err := s.start(); err != nil {
		f.fail(err.Error())
		return
	}
	side := &compiledSide{stage: s, effects: effects{}, ctx: context.Background()}
	f.clients(side)
	if err := side.settle(); err != nil {
		f.fail(err.Error())
	}
	end := f.clock.Add(1)
	state, err := s.state()
	if err != nil {
		f.fail("read the state: " + err.Error())
	}
	f.addSteps(end)
	f.add(porcupine.Operation{ClientId: f.opts.Clients, Input: call{look: true}, Call: f.clock.Add(1), Output: result{state: state}, Return: f.clock.Add(1)})
}

// clients runs all clients to their end.
func (f *flowHistory) clients(side *compiledSide) {
	work := newWorkload(f.plain, f.opts)
	var clients sync.WaitGroup
	for i := range f.opts.Clients {
		r := f.opts.rand(uint64(3 + i))
		requests := make([]Request, f.opts.Steps)
		for j := range requests {
			requests[j] = work.request(r)
		}
		clients.Go(func() {
			for j, req := range requests {
				if isFlow(f.compiled, req.Method) {
					side.ask(mintID(), req)
				} else {
					f.send(side.stage, req, byID, i, j)
				}
			}
		})
	}
	clients.Wait()
}
