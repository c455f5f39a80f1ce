// Package plain is what a plain run of a spec knows of itself: the root that runs,
// what it sends, and the workflows that signals go to. Package onefold reads it
// from the context; whoever runs the roots, package onefoldtest above all, puts it there.
package plain

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Func is a function that onefold.Go was given.
type Func = func(ctx context.Context) error

// Root is one root of a plain program: an atomic request, a workflow or a message.
type Root struct {
	// World is what all roots of the program share; nil is [Process].
	World *World
	// ID is the workflow's; empty in an atomic request or a message. What a
	// workflow sends goes out at once, since each sending is a step. What an atomic root
	// sends is held back until Commit, and dropped if that never comes.
	ID string
	// Begin makes a workflow of a message, which the plain program does not tell from one: it
	// is called, once, when the message does what only workflows do, and returns the
	// workflow's id. nil for other roots.
	Begin func() string

	// Effect runs the function of an onefold.Do, with which a test may count or
	// fail it; nil calls it.
	Effect func(name, key string, fn func() error) error
	// Wait runs wait, which blocks until a signal or the timeout of an
	// onefold.Await; a runner that lets one root run at a time lets others run meanwhile. nil calls it.
	Wait func(wait func())
	// Version answers onefold.Version; nil is true always.
	Version func(change string) bool

	mu      sync.Mutex
	outbox  []func()
	effects int
}

type rootKey struct{}

// With returns a context of r.
func With(ctx context.Context, r *Root) context.Context {
	return context.WithValue(ctx, rootKey{}, r)
}

// alone is the root of a program that runs a spec without a runner.
var alone = &Root{World: Process}

// From returns the root that ctx belongs to. Without one that is a root of the whole
// process, whose id is empty and that sends at once.
func From(ctx context.Context) *Root {
	if r, ok := ctx.Value(rootKey{}).(*Root); ok {
		return r
	}
	return alone
}

// Workflow returns the id of the workflow that the root is, empty for another root.
func (r *Root) Workflow() string {
	r.mu.Lock()
	begin := r.Begin
	r.Begin = nil
	r.mu.Unlock()
	if begin != nil {
		r.ID = begin()
		r.Commit() // what a workflow sends goes out at once
	}
	return r.ID
}

func (r *Root) world() *World {
	if r.World == nil {
		return Process
	}
	return r.World
}

// send delivers something now, or with Commit.
func (r *Root) send(deliver func()) {
	if r == alone || r.ID != "" {
		deliver()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outbox = append(r.outbox, deliver)
}

// Commit delivers what the root sent: call it once, after the root succeeded.
func (r *Root) Commit() {
	r.mu.Lock()
	outbox := r.outbox
	r.outbox = nil
	r.mu.Unlock()
	for _, deliver := range outbox {
		deliver()
	}
}

// Mark returns a place in what the root has sent, for Rollback.
func (r *Root) Mark() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.outbox)
}

// Rollback drops what the root sent after the mark.
func (r *Root) Rollback(mark int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outbox = r.outbox[:mark]
}

// Go sends a message.
func (r *Root) Go(ctx context.Context, fn Func) {
	w := r.world()
	r.send(func() { w.post(context.WithoutCancel(ctx), fn) })
}

// Signal sends a copy of value to the workflow id.
func (r *Root) Signal(id, name string, value any) error {
	w := r.world()
	if err := w.reachable(id); err != nil {
		return err
	}
	value = Clone(value)
	r.send(func() { w.deliver(id, name, value) })
	return nil
}

// Await waits for a signal to the root's workflow; a timeout of zero is none. The
// error is that of ctx.
func (r *Root) Await(ctx context.Context, name string, timeout time.Duration) (value any, ok bool, err error) {
	id := r.Workflow()
	wait := func() { value, ok, err = r.world().receive(ctx, id, name, timeout) }
	if r.Wait == nil {
		wait()
	} else {
		r.Wait(wait)
	}
	return value, ok, err
}

// Do runs an effect with a key of its own.
func (r *Root) Do(name string, fn func(key string) error) error {
	id := r.Workflow()
	r.mu.Lock()
	r.effects++
	key := fmt.Sprintf("%s/%d", id, r.effects)
	r.mu.Unlock()
	if r.Effect == nil {
		return fn(key)
	}
	return r.Effect(name, key, func() error { return fn(key) })
}
