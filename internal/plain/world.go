package plain

import (
	"context"
	"errors"
	"sync"
	"time"
)

// The errors of a signal that cannot arrive. They read as those of the runtime.
var (
	ErrNotFound = errors.New("no such workflow")
	ErrEnded    = errors.New("the workflow has ended")
)

// Process is the world of a program that runs a spec without a runner. Its messages
// run at once, and its one workflow, whose id is empty, is always there.
var Process = &World{workflows: map[string]bool{"": true}}

// World is what the roots of a plain program share: the workflows that there are,
// and the signals that wait for them.
type World struct {
	// Post runs the function of an onefold.Go as a root of its own, now or later; nil
	// calls it at once and drops its error.
	Post func(ctx context.Context, fn Func)

	mu        sync.Mutex
	workflows map[string]bool // by id: whether it still runs
	boxes     map[box][]any
	arrived   chan struct{} // closed when a signal arrives; nil while nobody waits
}

// box is where the signals of one name wait for one workflow.
type box struct{ id, name string }

// Begin adds a workflow, which signals can then be sent to.
func (w *World) Begin(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.workflows == nil {
		w.workflows = map[string]bool{}
	}
	w.workflows[id] = true
}

// End ends a workflow: it takes no more signals, and those that wait are dropped.
func (w *World) End(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.workflows[id] = false
	for b := range w.boxes {
		if b.id == id {
			delete(w.boxes, b)
		}
	}
}

func (w *World) post(ctx context.Context, fn Func) {
	if w.Post != nil {
		w.Post(ctx, fn)
		return
	}
	_ = fn(ctx) // as documented at onefold.Go
}

func (w *World) reachable(id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	runs, known := w.workflows[id]
	switch {
	case !known:
		return ErrNotFound
	case !runs:
		return ErrEnded
	}
	return nil
}

// deliver puts a signal where its workflow looks for it.
func (w *World) deliver(id, name string, value any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.workflows[id] {
		return // has ended meanwhile
	}
	if w.boxes == nil {
		w.boxes = map[box][]any{}
	}
	w.boxes[box{id, name}] = append(w.boxes[box{id, name}], value)
	if w.arrived != nil {
		close(w.arrived)
		w.arrived = nil
	}
}

// take returns the oldest signal in a box, or else a channel that is closed when one arrives.
func (w *World) take(b box) (value any, ok bool, arrived <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if list := w.boxes[b]; len(list) > 0 {
		w.boxes[b] = list[1:]
		return list[0], true, nil
	}
	if w.arrived == nil {
		w.arrived = make(chan struct{})
	}
	return nil, false, w.arrived
}

// receive waits for a signal.
func (w *World) receive(ctx context.Context, id, name string, timeout time.Duration) (any, bool, error) {
	var over <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		over = timer.C
	}
	for {
		value, ok, arrived := w.take(box{id, name})
		if ok {
			return value, true, nil
		}
		select {
		case <-arrived:
		case <-over:
			return nil, false, nil
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
}
