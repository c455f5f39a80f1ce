package invoke

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/workflow"
)

// failure turns an error of the runner into what the client is told. What an
// operator should know goes to the log: only there is the text of failures inside.
func (c *call) failure(err error) *Problem {
	var unknown *atomic.OutcomeUnknownError
	var panicked *atomic.PanicError
	var limit *atomic.LimitError
	var input *codec.InputError
	// The first ones wrap other errors, so they come first.
	switch {
	case errors.Is(err, workflow.ErrNotStarted) && !errors.As(err, &limit): // the engine has logged it
		return c.internal("the workflow failed before its first commit")
	case errors.Is(err, workflow.ErrNotFound):
		return &Problem{Type: TypeNoWorkflow, Status: http.StatusNotFound, Detail: "there is no workflow of this id, or not any more"}
	case errors.Is(err, workflow.ErrEnded):
		return &Problem{Type: TypeEnded, Status: http.StatusConflict, Detail: workflow.ErrEnded.Error()}
	case errors.Is(err, workflow.ErrClosed):
		return unavailable(TypeUnavailable, "the server is stopping; nothing was changed")
	case errors.Is(err, errOverload):
		return unavailable(TypeOverload, errOverload.Error()+"; try again soon")
	case errors.As(err, &input):
		return inputProblem(err)
	case errors.As(err, &unknown):
		c.log(slog.LevelError, "outcome unknown", slog.Any("error", unknown.Err))
		return c.outcomeUnknown()
	case errors.As(err, &panicked):
		if e, ok := panicked.Value.(*codec.Error); ok {
			c.log(slog.LevelError, "reply without JSON", slog.Any("error", e))
			return c.internal("the reply cannot be written as JSON: " + e.Error())
		}
		c.log(slog.LevelError, "panic", slog.Any("panic", panicked.Value), slog.String("stack", string(panicked.Stack)))
		return c.internal("the method panicked")
	case errors.As(err, &limit):
		p := &Problem{Type: TypeTooLarge, Status: http.StatusUnprocessableEntity, Detail: limit.Error()}
		if errors.Is(limit.Err, store.ErrTooOld) {
			p.Status = http.StatusGatewayTimeout
		}
		return p
	case errors.Is(err, atomic.ErrMismatch):
		return &Problem{Type: TypeMismatch, Status: http.StatusUnprocessableEntity, Detail: atomic.ErrMismatch.Error()}
	case errors.Is(err, atomic.ErrExpired):
		return &Problem{Type: TypeExpired, Status: http.StatusUnprocessableEntity, Detail: atomic.ErrExpired.Error()}
	case errors.Is(err, atomic.ErrFuture):
		return malformed(headerID + ": " + atomic.ErrFuture.Error())
	case errors.Is(err, atomic.ErrContention):
		return unavailable(TypeContention, "every attempt lost against other requests for the same state; nothing was changed, try again soon")
	case errors.Is(err, store.ErrFull):
		c.log(slog.LevelError, "no space left", slog.Any("error", err))
		return &Problem{Type: TypeStorageFull, Status: http.StatusInsufficientStorage, Detail: "the store has no space left; nothing was changed"}
	case errors.Is(err, atomic.ErrUnreachable):
		c.log(slog.LevelError, "a service cannot be reached", slog.Any("error", err))
		return unavailable(TypeUnavailable, "a service that "+c.e.name+" calls cannot be reached; nothing was changed, try again soon")
	case errors.Is(err, store.ErrClosed):
		return unavailable(TypeUnavailable, "the server is stopping; nothing was changed")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Problem{Type: TypeTimeout, Status: http.StatusGatewayTimeout, Detail: c.e.name + " did not finish in time; nothing was changed"}
	}
	c.log(slog.LevelError, "failure", slog.Any("error", err))
	return c.internal("the store failed")
}

func unavailable(kind, detail string) *Problem {
	return &Problem{Type: kind, Status: http.StatusServiceUnavailable, Detail: detail}
}

func (c *call) internal(what string) *Problem {
	return &Problem{Type: TypeInternal, Status: http.StatusInternalServerError, Detail: what + "; nothing was changed, and the server's log says more under this id"}
}

func (c *call) outcomeUnknown() *Problem {
	how := headerID + ": " + c.id.String()
	if c.keyed {
		how = "the same " + headerKey
	}
	return unavailable(TypeOutcomeUnknown, "the request may have happened; send it again with "+how+" to find out, it will not happen twice")
}

// inputProblem is the problem of a request whose body or parameters are wrong.
func inputProblem(err error) *Problem {
	p := malformed(err.Error())
	var input *codec.InputError
	if errors.As(err, &input) {
		p.Parameter = input.Param
	}
	return p
}

// log writes a line about the call. The request's parameters and its key stay out
// of it: they may be secrets.
func (c *call) log(level slog.Level, message string, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String("method", c.e.name), slog.String("id", c.id.String()))
	if c.traced {
		attrs = append(attrs, slog.String("trace", c.trace.String()))
	}
	c.h.opts.Log.LogAttrs(context.Background(), level, message, attrs...)
}
