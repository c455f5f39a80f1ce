package workflow

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/onefold/onefold/runtime/codec"
)

// A StepInfo is one step in the history of a workflow.
type StepInfo struct {
	Path       string          `json:"path"`
	Kind       string          `json:"kind"`           // call, child, sleep, effect, await, signal, message
	Name       string          `json:"name,omitempty"` // what it calls or waits for
	Begun      time.Time       `json:"begun"`
	Done       time.Time       `json:"done,omitzero"` // zero while it waits
	Due        time.Time       `json:"due,omitzero"`  // of a sleep, or of an await with a timeout
	TimedOut   bool            `json:"timedOut,omitempty"`
	Error      string          `json:"error,omitempty"`  // that it ended in
	ResultJSON json.RawMessage `json:"result,omitempty"` // for people
	Args       uint64          `json:"argsHash,omitempty,string"`
	Result     []byte          `json:"resultCBOR,omitempty"`
	Failure    []byte          `json:"errorCBOR,omitempty"` // the error whole
	Child      *History        `json:"child,omitempty"`
}

// History is a workflow with its log. As JSON it is what [Engine.Check] replays.
type History struct {
	Info
	ArgsJSON   json.RawMessage `json:"args,omitempty"`   // for people
	ResultJSON json.RawMessage `json:"result,omitempty"` // for people, if it has completed
	Error      string          `json:"error,omitempty"`  // that it ended in
	Ended      time.Time       `json:"ended,omitzero"`
	Steps      []StepInfo      `json:"steps"`    // in program order; paths tell branches
	Versions   map[string]bool `json:"versions"` // what Version answered
	Args       []byte          `json:"argsCBOR"`
	Result     []byte          `json:"resultCBOR,omitempty"`
}

// maxDepth is how far History follows children.
const maxDepth = 16

// History returns a workflow with its steps, and those of its children.
func (e *Engine) History(ctx context.Context, id string) (*History, error) {
	return e.history(ctx, id, maxDepth)
}

func (e *Engine) history(ctx context.Context, id string, depth int) (*History, error) {
	s, err := e.read(ctx, id)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, ErrNotFound
	}
	h := &History{
		Info: infoOf(id, s.head, s.state, &s.lease), Steps: []StepInfo{}, Versions: s.versions,
		Args: s.head.args, ArgsJSON: readable(s.head.args),
	}
	if s.result != nil {
		h.Result, h.ResultJSON, h.Ended = s.result.value, readable(s.result.value), s.result.at
		h.Error = s.result.err.message()
	}
	for _, en := range sortedLog(s.log) {
		step := stepInfo(en)
		if en.kind == childStep && depth > 0 {
			child, err := e.history(ctx, id+"/"+step.Path, depth-1)
			if err != nil && err != ErrNotFound {
				return nil, err
			}
			step.Child = child
		}
		h.Steps = append(h.Steps, step)
	}
	return h, nil
}

// readable returns CBOR as JSON, nil if it is neither.
func readable(cbor []byte) json.RawMessage {
	text, err := codec.AppendCBORAsJSON(nil, cbor)
	if err != nil {
		return nil
	}
	return text
}

// sortedLog returns the log in program order.
func sortedLog(log map[string]*entry) []*entry {
	list := make([]*entry, 0, len(log))
	for _, en := range log {
		list = append(list, en)
	}
	slices.SortFunc(list, func(a, b *entry) int { return slices.Compare(a.path, b.path) })
	return list
}

func stepInfo(en *entry) StepInfo {
	s := StepInfo{
		Path: en.path.String(), Kind: en.kind.String(), Name: en.name, Begun: en.from, Due: en.due,
		TimedOut: en.state == timedOut, Error: en.err.message(), Args: en.args, Result: en.value, ResultJSON: readable(en.value),
	}
	if en.err != nil {
		s.Failure = mustAppend(failureCodec, en.err)
	}
	switch {
	case en.state == waiting:
	case en.kind == sleepStep:
		s.Done = en.due
	default:
		s.Done = en.at
	}
	return s
}

// message returns the text of the error, empty for none.
func (f *failure) message() string {
	if f == nil {
		return ""
	}
	return f.text
}
