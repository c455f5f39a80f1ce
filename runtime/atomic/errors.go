package atomic

import (
	"errors"
	"fmt"
)

// Errors of [Runner.Run]. After each of them but OutcomeUnknownError nothing was changed.
var (
	// ErrMismatch: the id or key belongs to a request with another method or other arguments.
	ErrMismatch = errors.New("this id or key was used before with another method or other arguments")
	// ErrExpired: the id is older than records are retained, so nobody can tell whether it ran.
	ErrExpired = errors.New("the id is older than the retention of records")
	// ErrFuture: the id was minted too far ahead of this machine's clock.
	ErrFuture = errors.New("the id is from the future")
	// ErrContention: every attempt lost against other requests. Compare with errors.Is.
	ErrContention = errors.New("too much contention")
)

// An OutcomeUnknownError says that the request may have been committed, or may be
// yet. The same request with the same id finds out.
type OutcomeUnknownError struct {
	ID  ID
	Err error // what kept the runner from finding out
}

func (e *OutcomeUnknownError) Error() string {
	return fmt.Sprintf("outcome unknown; ask again with id %s: %v", e.ID, e.Err)
}

func (e *OutcomeUnknownError) Unwrap() error { return e.Err }

// A LimitError says that a method needs more than one transaction may have.
type LimitError struct {
	Method string
	Err    error // what was exceeded
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s exceeds the limits of one transaction (%v); make it a workflow that does its work in steps", e.Method, e.Err)
}

func (e *LimitError) Unwrap() error { return e.Err }

// A PanicError is a panic of user code, in the request or in one of its branches.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine that panicked, from the panic down
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
