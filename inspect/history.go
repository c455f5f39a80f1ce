package inspect

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// A History is a workflow with its steps.
type History struct {
	Workflow
	Args   json.RawMessage
	Result json.RawMessage
	Error  string
	Ended  time.Time
	Steps  []*Step
}

// A Step is one step of a workflow, in its log.
type Step struct {
	Path     string          `json:"path"` // as in 3.2.1: step 1 of branch 2 of the group that is step 3
	Kind     string          `json:"kind"`
	Name     string          `json:"name"`
	Begun    time.Time       `json:"begun"`
	Done     time.Time       `json:"done"` // zero while it waits
	Due      time.Time       `json:"due"`
	TimedOut bool            `json:"timedOut"`
	Error    string          `json:"error"`
	Result   json.RawMessage `json:"result"`
	Child    *History        `json:"child"`
}

// UnmarshalJSON reads the fields of the workflow and those beside them.
func (h *History) UnmarshalJSON(b []byte) error {
	if err := h.Workflow.UnmarshalJSON(b); err != nil {
		return err
	}
	var rest struct {
		Args   json.RawMessage `json:"args"`
		Result json.RawMessage `json:"result"`
		Error  string          `json:"error"`
		Ended  time.Time       `json:"ended"`
		Steps  []*Step         `json:"steps"`
	}
	if err := json.Unmarshal(b, &rest); err != nil {
		return err
	}
	h.Args, h.Result, h.Error, h.Ended, h.Steps = slices.Clone(rest.Args), slices.Clone(rest.Result), rest.Error, rest.Ended, rest.Steps
	return nil
}

// History returns a workflow with its steps, and those of its children.
func (c *Client) History(ctx context.Context, id string) (*History, error) {
	h, err := getAs[History](ctx, c, workflowPath(id)+"/history", nil)
	return h, about(id, err)
}
