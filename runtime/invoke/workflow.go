package invoke

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/workflow"
)

// headerWorkflow names the workflow in the replies of workflow methods.
const headerWorkflow = "Onefold-Workflow"

// keyPrefix begins the ids of workflows that were started with an Idempotency-Key.
const keyPrefix = "key-"

// workflowID returns the id of the workflow that the call is about.
func (c *call) workflowID() string {
	if c.keyed {
		return keyPrefix + hex.EncodeToString(c.keySum[:])
	}
	return c.id.String()
}

// startedHere reports whether id may be that of a workflow started by workflowID. Others,
// the children and the scheduled runs, have ids that can be guessed.
func startedHere(id string) bool {
	if len(id) == len(keyPrefix)+2*keySize && id[:len(keyPrefix)] == keyPrefix {
		return true
	}
	_, err := parseID(id)
	return err == nil
}

// serveWorkflow starts a workflow unless it has been started, and replies with what it ended
// in or, where the client does not want to wait so long, with where to ask for that.
func (c *call) serveWorkflow(w http.ResponseWriter, r *http.Request) int {
	args, err := c.h.opts.Workflows.ParseArgs(c.e.name, &c.args)
	var input *codec.InputError
	switch {
	case errors.As(err, &input):
		return c.refuse(w, inputProblem(err))
	case err != nil:
		return c.refuse(w, c.failure(err))
	}
	start := workflow.Start{ID: c.workflowID(), Method: c.e.name, Args: args, Time: c.h.now(c.start)}
	w.Header()[headerWorkflow] = []string{start.ID}
	want := c.preference(r)
	if want.async {
		return c.accepted(r.Context(), w, start)
	}
	ctx, cancel := context.WithTimeout(r.Context(), want.wait)
	defer cancel()
	begun, o, err := c.outcome(ctx, start)
	switch {
	case err == nil:
		return c.replyOutcome(w, o, !begun && !c.fresh)
	case ctx.Err() != nil, begun && errors.Is(err, workflow.ErrClosed):
		return c.accepted(context.WithoutCancel(r.Context()), w, start)
	}
	return c.refuse(w, c.failure(err))
}

// outcome is [workflow.Engine.Run], whose first half is bounded as requests are: what
// waits costs little.
func (c *call) outcome(ctx context.Context, start workflow.Start) (begun bool, o *workflow.Outcome, err error) {
	for {
		if begun, err = c.begin(ctx, start); err != nil {
			return begun, nil, err
		}
		o, err = c.h.opts.Workflows.Wait(ctx, start.ID)
		if begun || !errors.Is(err, workflow.ErrNotFound) {
			return begun, o, err
		}
	}
}

// errOverload says that there was no place for a start.
var errOverload = errors.New("too many first executions of workflows at once")

func (c *call) begin(ctx context.Context, start workflow.Start) (bool, error) {
	if !c.h.starts.enter(ctx) {
		return false, errOverload
	}
	defer c.h.starts.leave()
	return c.h.opts.Workflows.Begin(ctx, start)
}

// sureWithin is how long a reply may take that a workflow has been accepted, once
// nobody waits for its end any more.
const sureWithin = 5 * time.Second

// accepted replies that the workflow will run, once that is certain, and where to ask for its outcome.
func (c *call) accepted(ctx context.Context, w http.ResponseWriter, start workflow.Start) int {
	ctx, cancel := context.WithTimeout(ctx, sureWithin)
	defer cancel()
	_, err := c.h.opts.Workflows.Status(ctx, start.ID)
	known := err == nil
	var info workflow.Info
	// Start refuses what is another workflow of this id.
	if err = c.h.opts.Workflows.Start(ctx, start); err == nil {
		info, err = c.h.opts.Workflows.Status(ctx, start.ID)
	}
	switch {
	case ctx.Err() != nil:
		return c.refuse(w, c.outcomeUnknown())
	case err != nil:
		return c.refuse(w, c.failure(err))
	}
	return c.replyStatus(ctx, w, &info, known && !c.fresh)
}

// replyStatus replies with a workflow's outcome, or with what it is at if it has not ended.
func (c *call) replyStatus(ctx context.Context, w http.ResponseWriter, info *workflow.Info, replayed bool) int {
	if info.Status.Final() {
		o, err := c.h.opts.Workflows.Wait(ctx, info.ID)
		if err != nil {
			return c.refuse(w, c.failure(err))
		}
		return c.replyOutcome(w, o, replayed)
	}
	body, err := json.Marshal(struct {
		ID     string          `json:"id"`
		Method string          `json:"method"`
		Status workflow.Status `json:"status"`
	}{info.ID, info.Method, info.Status})
	if err != nil {
		return c.refuse(w, c.failure(err))
	}
	header := w.Header()
	c.setHeaders(header, plainJSON)
	header["Location"] = []string{"/" + c.e.service.Name + "/" + c.e.method.Name + "/" + url.PathEscape(info.ID)}
	header["Retry-After"] = retryAfter
	w.WriteHeader(http.StatusAccepted)
	w.Write(append(body, '\n'))
	return http.StatusAccepted
}

// replyOutcome replies with what a workflow ended in.
func (c *call) replyOutcome(w http.ResponseWriter, o *workflow.Outcome, replayed bool) int {
	reply := atomic.Reply{Replayed: replayed, Err: o.Err}
	var err error
	switch o.Status {
	case workflow.Completed:
		reply.Body, err = c.h.opts.Workflows.AppendResult(c.out[:0], o)
	case workflow.Cancelled:
		return c.refuse(w, &Problem{Type: TypeCancelled, Status: http.StatusConflict, Detail: workflow.ErrCancelled.Error()})
	default:
		reply.Failed = true
		if reply.Body, _ = c.application(o.Err); c.panicked != nil {
			err = c.panicked
		}
	}
	if err != nil {
		return c.refuse(w, c.failure(err))
	}
	c.e.counters.add(&reply)
	return c.reply(w, &reply)
}

// serveOutcome answers GET /Service/Method/id.
func (h *Handler) serveOutcome(w http.ResponseWriter, r *http.Request, e *endpoint, id string) {
	c := h.newCall(e)
	defer c.release()
	c.keyed = true // a reply has no id of its own
	w.Header()[headerWorkflow] = []string{id}
	var info workflow.Info
	err := error(workflow.ErrNotFound)
	if startedHere(id) {
		info, err = h.opts.Workflows.Status(r.Context(), id)
	}
	if err == nil && info.Method != e.name {
		err = workflow.ErrNotFound
	}
	if want := c.preference(r); err == nil && want.given && !info.Status.Final() {
		ctx, cancel := context.WithTimeout(r.Context(), want.wait)
		defer cancel()
		if _, err = h.opts.Workflows.Wait(ctx, id); err == nil || ctx.Err() != nil {
			info, err = h.opts.Workflows.Status(r.Context(), id)
		}
	}
	if err != nil {
		c.refuse(w, c.failure(err))
		return
	}
	c.replyStatus(r.Context(), w, &info, false)
}
