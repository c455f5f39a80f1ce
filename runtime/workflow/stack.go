package workflow

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// errPanicking is what a panic becomes whose deferred calls came to the runtime.
var errPanicking = errors.New("panic (its value is lost, since a deferred call began a step)")

// panicking reports whether the caller is a deferred function that runs because
// of a panic of user code, or of runtime.Goexit.
func panicking() bool {
	var pc [32]uintptr
	for skip := 2; ; skip += len(pc) {
		n := runtime.Callers(skip, pc[:])
		for _, p := range pc[:n] {
			// None of these functions is ever inlined, so that the names of frames are enough.
			switch name := runtime.FuncForPC(p - 1).Name(); {
			case name == "runtime.gopanic" || name == "runtime.Goexit":
				return true
			case strings.HasPrefix(name, bodyPrefix):
				return false
			}
		}
		if n < len(pc) {
			return false
		}
	}
}

// bodyPrefix is what the names of the functions begin with that run user code.
const bodyPrefix = "github.com/onefold/onefold/runtime/workflow.(*execution).guard"

// panicError is a panic of user code in the body of a workflow.
type panicError struct {
	err   error
	stack []byte
}

func (e *panicError) Error() string { return e.err.Error() }
func (e *panicError) Unwrap() error { return e.err }

// newPanicError describes the panic with value v, which is being recovered.
func newPanicError(v any) *panicError {
	err, ok := v.(error)
	if !ok {
		err = fmt.Errorf("%v", v)
	}
	return &panicError{err: fmt.Errorf("panic: %w", err), stack: stack()}
}

// stack returns the stack of the panic that is being recovered, from the panic down
// to where the runtime called user code.
func stack() []byte {
	b := debug.Stack()
	if i := bytes.LastIndex(b, []byte("\npanic(")); i >= 0 {
		b = b[i+1:]
	}
	if i := bytes.Index(b, []byte("\n"+bodyPrefix)); i >= 0 {
		b = b[:i+1]
	}
	return b
}
