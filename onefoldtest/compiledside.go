package onefoldtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/store/sim"
	"github.com/onefold/onefold/runtime/workflow"
)

// compiledSide is the compiled application in a simulation: a stage, and clients
// who ask until they know.
type compiledSide struct {
	stage   *stage
	clients sync.WaitGroup
	ctx     context.Context // of clients
	end     context.CancelFunc
	twice   bool // every workflow is asked for by two clients

	mu      sync.Mutex
	plans   []disturbance
	effects effects
	unborn  []*Flow // workflows that were started, and may not be stored yet
}

// newCompiledSide starts an application on a new store.
func newCompiledSide(t testing.TB, compiled *runtime.App, opts Options) (*compiledSide, error) {
	c := &compiledSide{effects: effects{}}
	c.ctx, c.end = context.WithCancel(context.Background())
	hooks := workflow.Hooks{Call: c.callHook, Effect: c.effectHook}
	var err error
	c.stage, err = tryStage(compiled, opts.openQuiet(t), opts, hooks)
	return c, err
}

// callHook does to a step that calls a method what is planned for it.
func (c *compiledSide) callHook(call workflow.Call) error {
	plan, ok := c.plan(call.Method)
	if !ok {
		return nil
	}
	return plan.err
}

// effectHook does to an effect what is planned for it.
func (c *compiledSide) effectHook(name, key string, fn func() error) error {
	c.mu.Lock()
	c.effects.add(name, key)
	c.mu.Unlock()
	if plan, ok := c.plan(name); ok && plan.err != nil {
		return plan.err
	}
	return fn()
}

// plan takes what is planned for a step. A crash strikes the next commit.
func (c *compiledSide) plan(step string) (disturbance, bool) {
	c.mu.Lock()
	plan, ok := take(&c.plans, step)
	c.mu.Unlock()
	if ok && plan.crash {
		fault := sim.Fault{Kind: sim.CrashBefore}
		if plan.after {
			fault.Kind = sim.CrashAfter
		}
		engine := c.stage.process().engine
		engine.FaultNth(sim.Commit, engine.Counts().Commits, fault)
	}
	return plan, ok
}

func (c *compiledSide) disturb(d disturbance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plans = append(c.plans, d)
}

// mostSettling is how often settle looks, at last once a minute. Nothing takes hours to recover.
const mostSettling = 300

func (c *compiledSide) settle() error {
	for i := range mostSettling {
		synctest.Wait()
		idle, err := c.stage.reader.flows().Idle(c.ctx)
		if err != nil {
			return err
		}
		if idle && !c.stage.process().engine.Crashed() && c.born() {
			return nil
		}
		time.Sleep(min(time.Duration(i+1)*time.Second, time.Minute))
	}
	return errors.New("the compiled application does not come to rest")
}

// born reports whether all workflows that were started are stored, or have been refused.
func (c *compiledSide) born() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.unborn) > 0 {
		_, err := c.stage.reader.flows().Status(c.ctx, c.unborn[0].id)
		if err != nil && !c.unborn[0].over() {
			return false
		}
		c.unborn = c.unborn[1:]
	}
	return true
}

func (c *compiledSide) isFlow(method string) bool { return isFlow(c.stage.compiled, method) }

// isFlow reports whether a method, "Service.Method", is a workflow.
func isFlow(app *runtime.App, method string) bool {
	service, name, _ := strings.Cut(method, ".")
	for _, s := range app.Services {
		for _, m := range s.Methods {
			if s.Name == service && m.Name == name {
				return m.Kind == runtime.Workflow
			}
		}
	}
	return false
}

func (c *compiledSide) call(req Request) (Reply, error) {
	return newClient(c.stage, req, byID, 0).deliver()
}

func (c *compiledSide) start(f *Flow, req Request) {
	c.mu.Lock()
	c.unborn = append(c.unborn, f)
	c.mu.Unlock()
	c.clients.Go(func() {
		f.reply = c.ask(f.id, req)
		close(f.ended)
	})
	if c.twice {
		c.clients.Go(func() { c.ask(f.id, req) })
	}
}

// ask asks for a workflow until its end is known.
func (c *compiledSide) ask(id string, req Request) Reply {
	for failures := 0; failures < patience && c.ctx.Err() == nil; {
		p := c.stage.process()
		reply := p.system.send(req, id)
		switch {
		case reply.Status == http.StatusAccepted: // it goes on without us
			if reason, parked := c.await(p, id); parked {
				return Reply{Status: http.StatusInternalServerError, Type: invoke.TypeInternal, Detail: reason}
			}
		case p.engine.Crashed(), reply.Type == invoke.TypeOutcomeUnknown, saysNothingChanged(reply):
			failures++
			time.Sleep(time.Second)
		default:
			return reply
		}
	}
	return Reply{Type: invoke.TypeOutcomeUnknown, Detail: "no outcome after many deliveries, or the script has ended"}
}

// await waits for the end of a workflow, for a day at most, or says why it is a dead letter.
func (c *compiledSide) await(p *process, id string) (reason string, parked bool) {
	ctx, cancel := context.WithTimeout(c.ctx, 24*time.Hour)
	defer cancel()
	_, err := p.system.flows().Wait(ctx, id)
	if err == nil {
		return "", false
	}
	info, err := c.stage.reader.flows().Status(c.ctx, id)
	return info.Reason, err == nil && info.Status == workflow.Parked
}

func (c *compiledSide) signal(id, name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	var last error
	req := atomic.Request{ID: atomic.ID(uuid7())}
	for range patience {
		last = c.stage.process().system.flows().Signal(c.ctx, req, id, name, text)
		if last == nil || errors.Is(last, workflow.ErrEnded) || errors.Is(last, workflow.ErrNotFound) {
			return last
		}
		time.Sleep(time.Second)
	}
	return fmt.Errorf("signal not delivered: %w", last)
}

func (c *compiledSide) history(id string) (*workflow.History, error) {
	return c.stage.reader.flows().History(c.ctx, id)
}

func (c *compiledSide) commits(id string) int {
	c.stage.counting.Lock()
	defer c.stage.counting.Unlock()
	return c.stage.commits[id]
}

func (c *compiledSide) dead() int {
	list, _, err := c.stage.reader.flows().DeadLetters(c.ctx, "", 0)
	if err != nil {
		return -1
	}
	return len(list)
}

func (c *compiledSide) keys() effects {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.effects
}

func (c *compiledSide) state() (map[string]any, error) { return c.stage.state() }

func (c *compiledSide) close() {
	c.end()
	c.clients.Wait()
	c.stage.close()
}
