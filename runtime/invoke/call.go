package invoke

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// Request and reply headers, in canonical form.
const (
	headerKey      = "Idempotency-Key"
	headerID       = "Onefold-Id"
	headerReplayed = "Onefold-Replayed"
	headerTrace    = "Traceparent"
)

// maxKey is the longest Idempotency-Key, in bytes.
const maxKey = 255

// maxPooled is the largest buffer kept for later requests.
const maxPooled = 64 << 10

// A call is one request on its way. Calls and their buffers are used again and
// again, and the functions that the runner wants are made once for each.
type call struct {
	h       *Handler
	e       *endpoint
	start   time.Time
	id      atomic.ID
	keyed   bool // it came with an Idempotency-Key
	fresh   bool // it came with neither key nor id
	trace   trace
	traced  bool
	body    []byte
	out     []byte
	keySum  [keySize]byte
	args    codec.Args
	run     atomic.Func
	problem func(error) ([]byte, bool)

	panicked *atomic.PanicError // by an error of the method's that was asked for its text
}

var calls = sync.Pool{New: func() any {
	c := new(call)
	c.run = c.attempt
	c.problem = c.application
	return c
}}

// invoke answers a request to a method.
func (h *Handler) invoke(w http.ResponseWriter, r *http.Request, e *endpoint) {
	c := h.newCall(e)
	status := c.serve(w, r)
	took := time.Since(c.start)
	e.counters.observe(status, took)
	h.logAccess(c, status, took)
	c.release()
}

// newCall returns a call of a method, with a fresh id.
func (h *Handler) newCall(e *endpoint) *call {
	c := calls.Get().(*call)
	c.h, c.e, c.keyed, c.fresh, c.traced = h, e, false, true, false
	c.start = time.Now()
	c.id = NewID(h.now(c.start))
	return c
}

// release gives c back. A panic on the way simply loses it.
func (c *call) release() {
	if cap(c.body) > maxPooled {
		c.body = nil
	}
	if cap(c.out) > maxPooled {
		c.out = nil
	}
	c.h, c.e, c.panicked = nil, nil, nil
	calls.Put(c)
}

// serve runs the invocation, replies, and returns the status it replied with.
func (c *call) serve(w http.ResponseWriter, r *http.Request) int {
	req, p := c.accept(w, r)
	if p != nil {
		return c.refuse(w, p)
	}
	if c.e.method.Kind == runtime.Workflow {
		return c.serveWorkflow(w, r)
	}
	if !c.h.gate.enter(r.Context()) {
		return c.refuse(w, &Problem{Type: TypeOverload, Status: http.StatusServiceUnavailable, Detail: "the server runs as many requests as it may; try again soon"})
	}
	reply, err := c.runWithin(r.Context(), req)
	c.e.counters.add(&reply)
	if err == nil && c.panicked != nil {
		err = c.panicked
	}
	if err != nil {
		return c.refuse(w, c.failure(err))
	}
	if input := inputError(&reply); input != nil {
		return c.refuse(w, inputProblem(input))
	}
	return c.reply(w, &reply)
}

// runWithin runs the invocation, and leaves the gate whatever happens.
func (c *call) runWithin(ctx context.Context, req atomic.Request) (atomic.Reply, error) {
	defer c.h.gate.leave()
	patience := newPatience(ctx, c.start, c.h.opts.Timeout)
	defer patience.over()
	return c.h.runner.Run(patience, req, c.run)
}

// accept reads the request, up to where the method can run.
func (c *call) accept(w http.ResponseWriter, r *http.Request) (atomic.Request, *Problem) {
	c.trace, c.traced = parseTrace(header1(r, headerTrace))
	if Phase(c.h.phase.Load()) == Starting {
		return atomic.Request{}, &Problem{Type: TypeUnavailable, Status: http.StatusServiceUnavailable, Detail: "the server is starting"}
	}
	if p := c.readBody(w, r); p != nil {
		return atomic.Request{}, p
	}
	req := atomic.Request{
		ID:         c.id,
		Fresh:      true,
		Method:     c.e.name,
		MethodHash: c.e.hash,
		ReadOnly:   c.e.readOnly,
		Problem:    c.problem,
	}
	if p := c.identify(r, &req); p != nil {
		return req, p
	}
	if err := c.args.Parse(c.body); err != nil {
		return req, inputProblem(err)
	}
	if !req.ReadOnly {
		req.ArgsHash = hashArgs(c.body)
	}
	return req, nil
}

// header1 returns the first value of the header with the given canonical name.
func header1(r *http.Request, name string) string {
	if v := r.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// identify takes the invocation's identity from the headers, if they give one.
func (c *call) identify(r *http.Request, req *atomic.Request) *Problem {
	keys, ids := r.Header[headerKey], r.Header[headerID]
	if len(keys) == 0 && len(ids) == 0 {
		return nil
	}
	req.Fresh, c.fresh = false, false
	switch {
	case len(keys)+len(ids) > 1:
		return malformed("give one " + headerKey + " or one " + headerID + ", not several")
	case len(keys) == 1 && (keys[0] == "" || len(keys[0]) > maxKey):
		return malformed(headerKey + " has " + strconv.Itoa(len(keys[0])) + " bytes; want 1 to " + strconv.Itoa(maxKey))
	case len(keys) == 1:
		c.keyed = true
		c.keySum = digest(keys[0])
		req.Key = c.keySum[:]
	default:
		id, err := parseID(ids[0])
		if err != nil {
			return malformed(headerID + " is " + err.Error())
		}
		c.id, req.ID = id, id
	}
	return nil
}

func malformed(detail string) *Problem {
	return &Problem{Type: TypeInput, Status: http.StatusBadRequest, Detail: detail}
}

// attempt is the atomic.Func of the call. A result that JSON cannot say, such as
// NaN, is no error of the method's: it fails the request as a panic does.
func (c *call) attempt(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
	out, err := c.e.method.Call(ctx, tx, &c.args, c.out[:0])
	if e, ok := err.(*codec.Error); ok {
		panic(e)
	}
	if out != nil {
		c.out = out
	}
	return out, err
}

// inputError returns what is wrong with the parameters if the method found that.
func inputError(reply *atomic.Reply) error {
	if !reply.Failed {
		return nil
	}
	var input *codec.InputError
	if errors.As(reply.Err, &input) {
		return input
	}
	return nil
}

// reply sends the outcome of an invocation that came to an end.
func (c *call) reply(w http.ResponseWriter, reply *atomic.Reply) int {
	status, contentType := http.StatusOK, plainJSON
	if reply.Failed {
		status, contentType = http.StatusUnprocessableEntity, problemJSON
	}
	header := w.Header()
	c.setHeaders(header, contentType)
	switch {
	case reply.Replayed:
		header[headerReplayed] = replayedYes
	case !c.fresh:
		header[headerReplayed] = replayedNo
	}
	if status != http.StatusOK {
		w.WriteHeader(status)
	}
	// A reply that was made just now lies at the beginning of c.out already.
	c.out = append(append(c.out[:0], reply.Body...), '\n')
	w.Write(c.out)
	return status
}

// refuse sends a problem other than an application error.
func (c *call) refuse(w http.ResponseWriter, p *Problem) int {
	p.ID = c.id.String()
	c.setHeaders(w.Header(), problemJSON)
	p.Write(w)
	return p.Status
}

// setHeaders sets what every reply carries. An invocation that came with a key
// is asked for by that key, so it gets no id that a client might take for one.
func (c *call) setHeaders(header http.Header, contentType []string) {
	header["Content-Type"] = contentType
	if !c.keyed {
		header[headerID] = []string{string(appendID(make([]byte, 0, 36), c.id))}
	}
	if c.traced {
		c.trace.respond(header, c.id)
	}
}

var (
	replayedNo  = []string{"false"}
	replayedYes = []string{"true"}
)
