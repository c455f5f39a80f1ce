package onefoldtest

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/workflow"
)

// A Simulation is an application in virtual time, that a script makes requests of.
// Before each of them, everything is done that can be done without time passing: messages
// are delivered, and workflows run until they sleep, wait or end.
type Simulation struct {
	side  side
	plain bool
	flows int
	seen  []event
	wrong []string
}

// A side is the plain or the compiled application in a simulation.
type side interface {
	// settle returns when nothing is left to be done until time passes.
	settle() error
	isFlow(method string) bool
	call(req Request) (Reply, error)
	start(f *Flow, req Request)
	signal(id, name string, value any) error
	history(id string) (*workflow.History, error)
	commits(id string) int
	dead() int
	keys() effects
	state() (map[string]any, error)
	disturb(d disturbance)
	close()
}

// event is something that the script saw, which must be the same on both sides.
type event struct {
	what   string
	method string
	reply  Reply
}

// disturbance is something that goes wrong on purpose.
type disturbance struct {
	step  string // name of an effect, or method that is called
	err   error  // that it ends in, or
	crash bool   // the process crashes when it commits,
	after bool   // after that
}

// A Flow is a workflow that a script has started.
type Flow struct {
	sim    *Simulation
	id     string
	method string
	ended  chan struct{} // closed when reply is there
	reply  Reply
}

// longestFlow is how long Wait waits for a workflow.
const longestFlow = 400 * 24 * time.Hour

// tick is how long after one action of the script the next one comes, at least: no two happen at one time.
const tick = time.Millisecond

// act gets everything done that can be, and lets a moment pass.
func (s *Simulation) act() {
	time.Sleep(tick)
	if err := s.side.settle(); err != nil {
		s.Errorf("%v", err)
		runtime.Goexit()
	}
}

func (s *Simulation) saw(what, method string, reply Reply) {
	s.seen = append(s.seen, event{what, method, reply})
}

// Call makes a request, of an atomic method or of a workflow, and returns its reply.
// method is "Service.Method", args a JSON object of the parameters by name.
func (s *Simulation) Call(method, args string) Reply {
	if s.side.isFlow(method) {
		return s.Start(method, args).Wait()
	}
	s.act()
	reply, err := s.side.call(Request{Method: method, Args: args})
	if err != nil {
		s.Errorf("%s %s: %v", method, args, err)
	}
	s.saw(method+" "+args, method, reply)
	return reply
}

// Start starts a workflow and does not wait for it.
func (s *Simulation) Start(method, args string) *Flow {
	s.act()
	s.flows++
	f := &Flow{sim: s, id: flowID(s.flows), method: method, ended: make(chan struct{})}
	s.side.start(f, Request{Method: method, Args: args})
	s.act()
	return f
}

// flowID returns the id of the n-th workflow of a script: a UUIDv7 of the day, so that it is
// the same on both sides.
func flowID(n int) string {
	ms := time.Now().Truncate(24 * time.Hour).UnixMilli()
	return fmt.Sprintf("%08x-%04x-7000-8000-%012x", ms>>16, ms&0xffff, n)
}

// Skip lets time pass.
func (s *Simulation) Skip(d time.Duration) {
	s.act()
	time.Sleep(d)
	s.act()
}

// FailEffect makes the next onefold.Do of this name end in err: its function is not called.
func (s *Simulation) FailEffect(name string, err error) {
	s.side.disturb(disturbance{step: name, err: err})
}

// FailStep makes the next step that calls method, "Service.Method", end in err: the
// method is not called. The plain program cannot be made to do that, so the
// script ends here on the plain side, and the sides are not compared.
func (s *Simulation) FailStep(method string, err error) {
	if s.plain {
		panic(errOneSided)
	}
	s.side.disturb(disturbance{step: method, err: err})
}

// errOneSided ends a script on the plain side.
var errOneSided = errors.New("the plain side cannot do this")

// CrashBefore makes the process die right before the next commit of a step that has this name:
// the method that it calls, or the effect that it has, which then has happened. Another
// process starts. That must not show, and on the plain side it does not happen.
func (s *Simulation) CrashBefore(step string) {
	s.side.disturb(disturbance{step: step, crash: true})
}

// CrashAfter is as CrashBefore, but the process dies right after the commit.
func (s *Simulation) CrashAfter(step string) {
	s.side.disturb(disturbance{step: step, crash: true, after: true})
}

// State returns the state of all services, as [State] does.
func (s *Simulation) State() map[string]any {
	s.act()
	state, err := s.side.state()
	if err != nil {
		s.Errorf("read the state: %v", err)
	}
	return state
}

// Errorf says that something is wrong; it fails the test, which goes on.
func (s *Simulation) Errorf(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// Expect says that a reply must be of the given value, spelt as JSON.
func (s *Simulation) Expect(reply Reply, value string) {
	if reply.Status != http.StatusOK || !same(decoded([]byte(value)), decoded(reply.Value)) {
		s.Errorf("reply %d %s%s, want %s", reply.Status, reply.Value, reply.Detail, value)
	}
}

// ID returns the workflow's id, as onefold.ID does within it.
func (f *Flow) ID() string { return f.id }

// Wait lets time pass until the workflow has ended, and returns its reply.
func (f *Flow) Wait() Reply {
	f.sim.act()
	select {
	case <-f.ended:
	case <-time.After(longestFlow):
		f.reply = Reply{Type: invoke.TypeTimeout, Detail: fmt.Sprintf("workflow %s has not ended after %s", f.method, longestFlow)}
		f.sim.Errorf("%s", f.reply.Detail)
	}
	f.sim.act()
	f.sim.saw("end of "+f.method, f.method, f.reply)
	return f.reply
}

// Ended reports whether the workflow has ended.
func (f *Flow) Ended() bool {
	f.sim.act()
	return f.over()
}

func (f *Flow) over() bool {
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// Signal sends the workflow a signal from outside. The error says that it has ended.
func (f *Flow) Signal(name string, value any) error {
	f.sim.act()
	err := f.sim.side.signal(f.id, name, value)
	reply := Reply{Status: http.StatusOK}
	if err != nil {
		reply = Reply{Status: http.StatusConflict, Type: "signal", Detail: err.Error()}
	}
	f.sim.saw("signal "+name, f.method, reply)
	return err
}

// History returns the workflow's log. On the plain side there is none, and it returns nil.
func (f *Flow) History() *workflow.History {
	f.sim.act()
	h, err := f.sim.side.history(f.id)
	if err != nil {
		f.sim.Errorf("history of %s: %v", f.method, err)
	}
	return h
}

// Commits returns how many commits the workflow has made so far, its children's not included;
// 0 on the plain side.
func (f *Flow) Commits() int {
	f.sim.act()
	return f.sim.side.commits(f.id)
}
