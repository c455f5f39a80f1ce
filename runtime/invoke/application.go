package invoke

import (
	"errors"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// A sentinel is a declared error value, ready for comparison.
type sentinel struct {
	runtime.Sentinel
	comparable bool
}

// sentinelsOf returns the declared errors of all services, each once.
func sentinelsOf(app *runtime.App) []sentinel {
	var all []sentinel
	for _, s := range app.Services {
		for _, declared := range s.Sentinels {
			same := func(other sentinel) bool { return other.Name == declared.Name }
			if !slices.ContainsFunc(all, same) {
				all = append(all, sentinel{declared, reflect.TypeOf(declared.Err).Comparable()})
			}
		}
	}
	return all
}

// application is atomic.Request.Problem: it encodes an error that the method
// returned. The document is what every delivery of the invocation gets, so it
// holds nothing of this one. An error may run code of the specification when it is
// asked for its text; a panic there fails the request as one in the method does.
func (c *call) application(err error) (body []byte, record bool) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked = &atomic.PanicError{Value: v, Stack: debug.Stack()}
			body, record = c.internal("the method's error panicked").append(nil), false
		}
	}()
	var input *codec.InputError
	if errors.As(err, &input) {
		return nil, false
	}
	p := Problem{Type: TypeApplication, Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	p.Codes = c.h.codes(nil, err)
	if len(p.Codes) > 0 {
		p.Code = p.Codes[0]
	}
	p.Error = c.h.errorValue(err)
	return p.append(nil), true
}

// errorValue returns the first error in err's tree that has an exported type, in
// the order in which the types are declared; nil where there is none.
func (h *Handler) errorValue(err error) *ErrorValue {
	for _, s := range h.app.Services {
		for _, t := range s.Errors {
			if value, ok := t.AppendJSON(nil, err); ok {
				return &ErrorValue{Type: t.Name, Value: value}
			}
		}
	}
	return nil
}

// codes appends the names of the sentinels that err wraps, in the order in which
// errors.Is meets them.
func (h *Handler) codes(names []string, err error) []string {
	for i := range h.sentinels {
		s := &h.sentinels[i]
		if s.is(err) && !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return h.codes(names, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if inner != nil {
				names = h.codes(names, inner)
			}
		}
	}
	return names
}

// is reports whether err itself, not something it wraps, is the sentinel.
func (s *sentinel) is(err error) bool {
	if s.comparable && err == s.Err {
		return true
	}
	e, ok := err.(interface{ Is(error) bool })
	return ok && e.Is(s.Err)
}
