package runtime

import (
	"context"
	"fmt"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// Call calls a method of a service that another process hosts, as a part of tx.
// args encodes the arguments, results decodes the results; either is nil where there
// are none. The error is the method's.
func Call(ctx context.Context, tx *atomic.Tx, service *atomic.Key, method string, args func(e *codec.Encoder), results func(d *codec.Decoder)) error {
	e := codec.NewEncoder(nil)
	if args != nil {
		args(e)
	}
	in, err := e.Finish()
	if err != nil {
		tx.Fail(fmt.Errorf("arguments of %s.%s cannot be sent: %w", service, method, err))
	}
	out, methodErr := tx.Call(ctx, service, method, in)
	d := codec.NewDecoder(out)
	if results != nil {
		results(d)
	}
	if err := d.Finish(); err != nil {
		tx.Fail(fmt.Errorf("results of %s.%s cannot be read: %w; do both processes run the same version?", service, method, err))
	}
	return methodErr
}

// EndArgs unwinds tx if the arguments of a call from another process were not
// what the method takes.
func EndArgs(tx *atomic.Tx, in *codec.Decoder) {
	if err := in.Finish(); err != nil {
		tx.Fail(fmt.Errorf("arguments cannot be read: %w; do both processes run the same version?", err))
	}
}
