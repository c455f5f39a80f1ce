package atomic

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// Elsewhere is the way to the services that other processes host.
type Elsewhere interface {
	// Hosts reports whether another process hosts a service.
	Hosts(service string) bool
	// Touches returns the services whose state a method may touch, through calls too.
	Touches(service, method string) []string
	// Call has a method run in another process. The part is what it did, whether
	// it returned an error or not; an error means that it did nothing. ErrUnreachable
	// says that no process answers.
	Call(ctx context.Context, c *Call) (*Part, error)
}

// ErrUnreachable: no process that hosts a service answers. Nothing was changed.
var ErrUnreachable = errors.New("a service cannot be reached")

// A Call is a call of a method in another process, with what the method needs of
// the caller's attempt.
type Call struct {
	Service, Method string
	Args            []byte // encoded

	ID         ID     // of the request
	Path       string // which of the request's calls it is, as in "/2/1"
	Version    store.Version
	Pending    []store.Op // of the services that the method can reach
	ReadOnly   bool       // the request commits nothing
	Sequential bool       // branches run in program order
	Context    CallerContext
}

// CallerContext is what a method can see of its caller's context.
type CallerContext struct {
	Deadline time.Time // zero is none
	Ended    bool      // it had been cancelled before the call
}

// A Part is what a method did in another process.
type Part struct {
	overlay.Part
	Results []byte   // encoded
	Err     error    // the method's
	Calls   int      // that it made in turn
	Hints   [][]byte // for the watcher of the process that commits
}

// Elsewhere reports whether another process hosts the service that key stands for.
func (tx *Tx) Elsewhere(key *Key) bool {
	e := tx.attempt.runner.opts.Elsewhere
	return e != nil && e.Hosts(key.name)
}

// Call calls a method of a service that another process hosts, as a part of tx.
// The error is the method's. Where the method could not run, the attempt unwinds.
func (tx *Tx) Call(ctx context.Context, service *Key, method string, args []byte) ([]byte, error) {
	tx.check()
	a := tx.attempt
	deadline, _ := ctx.Deadline()
	c := &Call{
		Service: service.name, Method: method, Args: args,
		ID: a.id(), Path: tx.nextPath(),
		ReadOnly:   tx.parent == nil && a.run != nil && a.run.req.ReadOnly,
		Sequential: a.sequential,
		Context:    CallerContext{Deadline: deadline, Ended: ctx.Err() != nil},
	}
	if touched := a.runner.opts.Elsewhere.Touches(service.name, method); len(touched) > 0 {
		var err error
		if c.Version, err = a.take(a.ctx, nil); err != nil {
			tx.Fail(err)
		}
		tx.leave(touched)
		c.Pending = tx.overlay.Pending(a.runner.stateOf(touched))
	}
	part, err := a.runner.opts.Elsewhere.Call(a.ctx, c)
	tx.check()
	if err != nil {
		tx.Fail(err)
	}
	tx.calls += 1 + part.Calls
	tx.overlay.Join(&part.Part)
	for _, h := range part.Hints {
		tx.Hint(h)
	}
	return part.Results, part.Err
}

// id returns the id of the request.
func (a *attempt) id() ID {
	if a.run != nil {
		return a.run.req.ID
	}
	return a.caller
}

// nextPath returns the path of the next call or branch of tx, if other processes
// may be called.
func (tx *Tx) nextPath() string {
	if tx.attempt.runner.opts.Elsewhere == nil {
		return ""
	}
	tx.steps++
	return tx.path + "/" + strconv.Itoa(tx.steps)
}

// leave prepares for other processes to go on with services: what tx has of them
// in memory goes into the overlay, and is loaded again when it is next touched. No
// method of theirs is under way here, since services do not depend on each other in a circle.
func (tx *Tx) leave(services []string) {
	tx.flush()
	if tx.forgets(services) {
		if err := tx.shared(); err != nil {
			tx.Fail(err) // the places would become apart
		}
		tx.forget(services)
	}
	for _, s := range services {
		if !slices.Contains(tx.left, s) {
			tx.left = append(tx.left, s)
		}
	}
}

// forgets reports whether tx has anything of services in memory.
func (tx *Tx) forgets(services []string) bool {
	return slices.ContainsFunc(tx.tracked, func(t trackedField) bool { return slices.Contains(services, serviceOf(t.field)) })
}

// forget drops what tx has of services in memory. It must have been flushed.
func (tx *Tx) forget(services []string) {
	tx.tracked = slices.DeleteFunc(tx.tracked, func(t trackedField) bool { return slices.Contains(services, serviceOf(t.field)) })
	tx.instances = slices.DeleteFunc(tx.instances, func(i instance) bool { return slices.Contains(services, i.key.name) })
}

// serviceOf returns the service of a field's descriptor.
func serviceOf(field any) string {
	if f, ok := field.(interface{ Service() string }); ok {
		return f.Service()
	}
	return ""
}

// stateOf returns a function that tells the keys of the state of services.
func (r *Runner) stateOf(services []string) func(key []byte) bool {
	state := tuple.AppendString(r.prefix[:len(r.prefix):len(r.prefix)], "state")
	prefixes := make([]string, len(services))
	for i, s := range services {
		prefixes[i] = string(tuple.AppendString(state[:len(state):len(state)], s))
	}
	return func(key []byte) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(string(key), p) })
	}
}
