package onefold

import (
	"context"
	"fmt"
	"time"

	"github.com/onefold/onefold/internal/plain"
)

// Do has an effect on the world outside the services, as a step of a workflow: it
// calls fn and returns what that returns. name says what the effect is, in the workflow's log.
//
// Compiled, the outcome is recorded, an error included, so the effect takes place once, unless
// the process dies after fn had its effect and before that is recorded: then fn is called again,
// with the same key. Hand the key on as the idempotency key of what fn calls. fn may not
// assign to variables around it, nor use services.
//
// The result is a copy of what fn returned, as if it had been stored and read back.
func Do[T any](ctx context.Context, name string, fn func(ctx context.Context, key string) (T, error)) (result T, err error) {
	err = plain.From(ctx).Do(name, func(key string) error {
		var failed error
		result, failed = fn(ctx, key)
		return failed
	})
	if err != nil {
		var none T
		return none, err
	}
	return plain.Clone(result), nil
}

// Go calls a method of a service later, apart from the request or workflow that asks
// for it: fn holds that one call, and is run as a request of its own after this one has
// succeeded. If this one ends in an error, fn is dropped; the error of fn itself is nobody's.
// In a workflow, Go is a step, and what was sent stays sent.
//
// Compiled, the message is committed together with the request's changes, and the
// method runs exactly once. The arguments of the call are taken at once; what
// they are made of may not change later. Messages run in no particular order.
//
// In a plain program that is not run by package onefoldtest, fn runs before Go returns.
func Go(ctx context.Context, fn func(ctx context.Context) error) {
	plain.From(ctx).Go(ctx, fn)
}

// Await waits, in a workflow, for a signal called name and returns its value. If
// none comes within timeout, ok is false; a timeout of zero is none. A signal
// that was sent before is taken at once, the oldest first. All that is sent and awaited
// under one name has one type.
func Await[T any](ctx context.Context, name string, timeout time.Duration) (v T, ok bool, err error) {
	value, ok, err := plain.From(ctx).Await(ctx, name, timeout)
	if !ok || err != nil {
		return v, false, err
	}
	v, ok = value.(T)
	if !ok {
		return v, false, fmt.Errorf("onefold: signal %s is %T, want %T", name, value, v)
	}
	return v, true, nil
}

// Signal sends a signal to the workflow that has the id. It is an error if there is
// none, or if it has ended. The signal is sent when the request
// commits; one that ends in an error sends none. The value is copied.
//
// In a plain program that is not run by package onefoldtest there is one workflow, whose
// id is empty.
func Signal[T any](ctx context.Context, id, name string, value T) error {
	return plain.From(ctx).Signal(id, name, value)
}

// ID returns the id of the workflow that runs, for others to signal it by.
func ID(ctx context.Context) string { return plain.From(ctx).Workflow() }

// Version reports whether a workflow is to take the new way of a change of its code:
//
//	if onefold.Version(ctx, "charge before shipping") {
//		…
//	}
//
// Compiled, a run that had passed this point before the change gets false, any other true,
// and each gets the same answer ever after. In a plain program it is true.
func Version(ctx context.Context, change string) bool {
	r := plain.From(ctx)
	r.Workflow()
	return r.Version == nil || r.Version(change)
}
