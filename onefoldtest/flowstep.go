package onefoldtest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/onefold/onefold/runtime/workflow"
)

// flowStep is a step that calls a method.
type flowStep struct {
	workflow.Call
	begun, done int64 // done is 0 until the result is known
	result      any
	err         error
}

func (s *flowStep) String() string {
	if s.done == 0 {
		return fmt.Sprintf("step %s: %s %+v: result not seen", s.Step, s.Method, s.Args)
	}
	return fmt.Sprintf("step %s: %s %+v: %v %v", s.Step, s.Method, s.Args, s.result, s.err)
}

// call notes that a step begins. It may do so several times, in several processes.
func (h *history) call(c workflow.Call) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.steps == nil {
		h.steps = map[string]*flowStep{}
	}
	if key := c.ID + " " + c.Step; h.steps[key] == nil {
		h.steps[key] = &flowStep{Call: c, begun: h.clock.Add(1)}
	}
	return nil
}

// called notes what a step ended in.
func (h *history) called(c workflow.Call, result any, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.steps[c.ID+" "+c.Step]
	s.done, s.result, s.err = h.clock.Add(1), result, err
}

// hooks have the steps of workflows noted.
func (h *history) hooks() workflow.Hooks { return workflow.Hooks{Call: h.call, Called: h.called} }

// addSteps adds the steps to the history; end is when those whose result was not seen had
// ended.
func (h *history) addSteps(end int64) {
	for _, key := range slices.Sorted(maps.Keys(h.steps)) {
		step := h.steps[key]
		h.add(porcupine.Operation{ClientId: h.opts.Clients + 1, Input: call{step: step}, Call: step.begun, Output: result{}, Return: cmp.Or(step.done, end)})
	}
}
