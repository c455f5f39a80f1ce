package atomic

import (
	"bytes"
	"errors"
	"runtime/debug"
)

// unwinding is what an attempt panics with when it cannot go on, and why.
type unwinding struct{ err error }

// String is what user code sees that prints what it recovered.
func (u *unwinding) String() string { return "onefold: the attempt is over: " + u.err.Error() }

// errRestart unwinds an attempt whose branches must run in program order.
var errRestart = errors.New("branches must run in program order")

// errReplay unwinds an attempt whose record was found while it ran.
var errReplay = errors.New("the request has run before")

// Fail unwinds the attempt, which then ends in err unless it unwinds already.
// User code cannot recover it: every use of the Tx unwinds again, and nothing is committed.
func (tx *Tx) Fail(err error) {
	tx.attempt.kill(err)
	panic(tx.attempt.dead.Load())
}

// kill makes the attempt end in err, unless it has ended before.
func (a *attempt) kill(err error) { a.dead.CompareAndSwap(nil, &unwinding{err}) }

// ended is what the use of a Tx after the end of its attempt unwinds with.
var ended = &unwinding{errors.New("the request has ended")}

// check unwinds if the attempt has unwound.
func (tx *Tx) check() {
	if u := tx.attempt.dead.Load(); u != nil {
		panic(u)
	}
}

// recovered makes the attempt end because of a panic with value v; it is to be
// called by the deferred function that recovered v, so that the stack is that of the panic.
func (a *attempt) recovered(v any) {
	if _, ok := v.(*unwinding); ok {
		return
	}
	a.kill(&PanicError{Value: v, Stack: panicStack()})
}

// errGoexit is what ends a request that leaves its goroutine by runtime.Goexit.
var errGoexit = errors.New("runtime.Goexit was called in a request")

// panicStack returns the stack of the panic that is being recovered: the frames
// of user code from the one that panicked down to the runner.
func panicStack() []byte {
	stack := debug.Stack()
	if i := bytes.LastIndex(stack, []byte("\npanic(")); i >= 0 {
		stack = skipLines(stack[i+1:], 2)
	}
	for isRuntime(stack) {
		stack = skipLines(stack, 2)
	}
	if i := bytes.Index(stack, []byte("\n"+modulePath+"atomic.(*")); i >= 0 {
		stack = stack[:i+1]
	}
	return stack
}

// modulePath is where function names of onefold's runtime begin.
const modulePath = "github.com/onefold/onefold/runtime/"

// isRuntime reports whether the topmost frame is of Go's runtime or of a handle,
// where for instance an index out of range is found.
func isRuntime(stack []byte) bool {
	return bytes.HasPrefix(stack, []byte("runtime.")) || bytes.HasPrefix(stack, []byte(modulePath+"state."))
}

// skipLines returns b without its first n lines.
func skipLines(b []byte, n int) []byte {
	for range n {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return b
		}
		b = b[i+1:]
	}
	return b
}
