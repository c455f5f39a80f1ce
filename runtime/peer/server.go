package peer

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	syncatomic "sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// Handler answers calls from other processes to the services that this one hosts.
type Handler struct {
	keys    *Keys
	runner  *atomic.Runner
	errors  *errorTable
	methods map[string]*runtime.Method // by path
	ready   syncatomic.Bool
	calls   syncatomic.Uint64
}

// NewHandler returns the handler of a process of app. It refuses calls until Ready.
func NewHandler(app *runtime.App, runner *atomic.Runner, config Config) *Handler {
	h := &Handler{keys: config.Keys, runner: runner, errors: newErrorTable(app), methods: map[string]*runtime.Method{}}
	for _, s := range app.Services {
		for _, m := range s.Methods {
			if config.Hosts(s.Name) && m.Serve != nil {
				h.methods[pathPrefix+s.Name+"/"+m.Name] = m
			}
		}
	}
	return h
}

// Ready lets calls in.
func (h *Handler) Ready() { h.ready.Store(true) }

// Calls returns how many calls were answered.
func (h *Handler) Calls() uint64 { return h.calls.Load() }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := h.methods[r.URL.Path]
	service, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, pathPrefix), "/")
	switch shown, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); {
	case h.keys != nil && (!bearer || !h.keys.Accept(service, shown)):
		http.Error(w, "calls of "+service+" need a key of one of its callers; see "+EnvKeys, http.StatusUnauthorized)
	case !h.ready.Load():
		http.Error(w, "starting", http.StatusServiceUnavailable)
	case m == nil:
		http.Error(w, "this process does not answer "+r.URL.Path+"; see "+EnvServices+" here and "+EnvPeers+" at the caller", http.StatusNotFound)
	case r.Method != http.MethodPost:
		http.Error(w, "want POST", http.StatusMethodNotAllowed)
	case r.ContentLength > maxMessage:
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	default:
		h.answer(w, r, m)
	}
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request, m *runtime.Method) {
	body, err := readAll(http.MaxBytesReader(w, r.Body, maxMessage), r.ContentLength)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	call, err := parseCall(body, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	call.Service, call.Method, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, pathPrefix), "/")
	h.calls.Add(1)
	reply := h.perform(r.Context(), call, m)
	header := w.Header()
	header["Content-Type"] = contentTypes
	header["Content-Length"] = []string{strconv.Itoa(len(reply))}
	w.Write(reply)
}

// perform runs the method and returns the reply.
func (h *Handler) perform(ctx context.Context, call *atomic.Call, m *runtime.Method) []byte {
	part, err := h.runner.Perform(ctx, call, func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
		ctx, end := callerContext(ctx, &call.Context)
		defer end()
		out := codec.NewEncoder(nil)
		methodErr := m.Serve(ctx, tx, codec.NewDecoder(call.Args), out)
		results, err := out.Finish()
		if err != nil {
			tx.Fail(fmt.Errorf("results of %s.%s cannot be sent: %w", call.Service, call.Method, err))
		}
		return results, methodErr
	})
	if err != nil {
		return appendFailure(nil, err)
	}
	return h.reply(part)
}

// reply encodes a part. An error may run code of the specification when it is asked
// for its text; a panic there fails the request as one in the method does.
func (h *Handler) reply(part *atomic.Part) (reply []byte) {
	defer func() {
		if v := recover(); v != nil {
			reply = appendFailure(nil, &atomic.PanicError{Value: v})
		}
	}()
	return h.errors.appendPart(make([]byte, 0, 512), part)
}

// callerContext returns ctx with what the method can see of its caller's context.
func callerContext(ctx context.Context, c *atomic.CallerContext) (context.Context, context.CancelFunc) {
	end := context.CancelFunc(func() {})
	if !c.Deadline.IsZero() {
		ctx, end = context.WithDeadline(ctx, c.Deadline)
	}
	if c.Ended {
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		ctx = cancelled
	}
	return ctx, end
}
