// Package onefold is what specs import: the few functions that a service needs
// and plain Go lacks. Each has a meaning in a plain Go program, which is what runs
// when a spec is compiled by the Go toolchain alone; onefold's compiler replaces
// the calls by calls of its runtime that mean the same in the distributed system.
//
// A spec is an ordinary struct marked //onefold:service. Its fields are its state,
// its exported methods are its endpoints, and fields that point to other services
// are its dependencies.
package onefold

import (
	"context"

	"github.com/onefold/onefold/internal/plain"
	"github.com/onefold/onefold/onefoldtest/snapshot"
)

// Tx runs fn as a nested transaction over the state of s, a pointer to a service,
// and of every service that s reaches. If fn returns an error, or panics, that
// state is put back to what it was when Tx was called, and what [Go] and [Signal]
// were to send meanwhile is dropped; the error is returned, the panic goes on. Transactions nest.
//
// A request as a whole needs no Tx: one that ends in an error leaves no trace
// anyway. Tx is for a method that wants to undo a part of its work and go on.
//
// In a plain program the state is everything that can be reached from s through
// pointers, maps and slices, restored in place. Mutexes are left alone: a program
// whose requests run at the same time must hold what guards the state.
func Tx(ctx context.Context, s any, fn func(ctx context.Context) error) (err error) {
	before, root := snapshot.Take(s), plain.From(ctx)
	sent := root.Mark()
	committed := false
	defer func() {
		if !committed {
			before.Restore()
			root.Rollback(sent)
		}
	}()
	err = fn(ctx)
	committed = err == nil
	return err
}
