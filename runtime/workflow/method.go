package workflow

import (
	"context"
	"fmt"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// A Method is what a log or a message can name: a *[Target] or a *[Definition].
type Method interface {
	// MethodName returns Service.Method.
	MethodName() string
}

// A Target is an atomic method as workflows call it and messages are sent to it.
// A is a struct of its parameters, R its result: struct{} where it has none, a
// struct where it has several.
type Target[A, R any] struct {
	Name   string // Service.Method
	Args   codec.Type[A]
	Result codec.Type[R]
	Call   func(ctx context.Context, tx *atomic.Tx, args A) (R, error)
}

// MethodName returns Service.Method.
func (t *Target[A, R]) MethodName() string { return t.Name }

// A receiver is a method that messages can be sent to.
type receiver interface {
	Method
	receive(ctx context.Context, tx *atomic.Tx, args []byte) ([]byte, error)
}

// receive runs the method on a copy of its arguments of its own, as each attempt needs one.
func (t *Target[A, R]) receive(ctx context.Context, tx *atomic.Tx, args []byte) ([]byte, error) {
	var a A
	if err := t.Args.Parse(args, &a); err != nil {
		tx.Fail(fmt.Errorf("arguments of %s: %w", t.Name, err))
	}
	result, err := t.Call(ctx, tx, a)
	if err != nil {
		return nil, err
	}
	value, err := t.Result.Append(nil, &result)
	if err != nil {
		tx.Fail(fmt.Errorf("result of %s: %w", t.Name, err))
	}
	return value, nil
}

// A Definition is a workflow.
type Definition[A, R any] struct {
	Name string // Service.Method
	// Code changes with whatever the workflow's replay depends on.
	Code string
	// Schedule starts runs by itself: "every 5m", "cron 0 3 * * *"; see the
	// package's documentation. Empty for none.
	Schedule string
	Args     codec.Type[A]
	Result   codec.Type[R]
	// Parse takes the arguments out of a request.
	Parse func(in *codec.Args) A
	// Body runs the method on an instance of the service that is bound to run.
	Body func(ctx context.Context, run *Run, args A) (R, error)
	// Signals are what it waits for.
	Signals []SignalType
}

// MethodName returns Service.Method.
func (d *Definition[A, R]) MethodName() string { return d.Name }

// A definition is a Definition without its type parameters.
type definition interface {
	Method
	code() string
	schedule() string
	signals() []SignalType
	parse(in *codec.Args) ([]byte, error)
	json(out, result []byte) ([]byte, error)
	run(ctx context.Context, run *Run, args []byte) ([]byte, error)
}

func (d *Definition[A, R]) code() string          { return d.Code }
func (d *Definition[A, R]) schedule() string      { return d.Schedule }
func (d *Definition[A, R]) signals() []SignalType { return d.Signals }

func (d *Definition[A, R]) parse(in *codec.Args) ([]byte, error) {
	a := d.Parse(in)
	if err := in.Err(); err != nil {
		return nil, err
	}
	return d.Args.Append(nil, &a)
}

func (d *Definition[A, R]) json(out, result []byte) ([]byte, error) {
	var r R
	if err := d.Result.Parse(result, &r); err != nil {
		return nil, fmt.Errorf("result of %s: %w", d.Name, err)
	}
	return d.Result.AppendJSON(out, &r)
}

func (d *Definition[A, R]) run(ctx context.Context, run *Run, args []byte) ([]byte, error) {
	var a A
	if err := d.Args.Parse(args, &a); err != nil {
		run.fail(fmt.Errorf("arguments of %s: %w", d.Name, err))
	}
	result, err := d.Body(ctx, run, a)
	if err != nil {
		return nil, err
	}
	value, err := d.Result.Append(nil, &result)
	if err != nil {
		run.fail(fmt.Errorf("result of %s: %w", d.Name, err))
	}
	return value, nil
}

// A SignalType is a signal that a workflow waits for.
type SignalType struct {
	Name string
	// parse turns the JSON that came from outside into what is stored.
	parse func(json []byte) ([]byte, error)
}

// SignalOf describes the signal called name, whose values t encodes.
func SignalOf[T any](name string, t codec.Type[T]) SignalType {
	return SignalType{Name: name, parse: func(json []byte) ([]byte, error) {
		var v T
		if err := t.ParseJSON(json, &v); err != nil {
			return nil, err
		}
		return t.Append(nil, &v)
	}}
}

// Nothing is the codec of struct{}: the parameters or the result of a method that has none.
var Nothing = codec.Type[struct{}]{
	Encode:     func(e *codec.Encoder, _ *struct{}) { s := e.Struct(0); s.End() },
	Decode:     decodeNothing,
	EncodeJSON: func(e *codec.JSONEncoder, _ *struct{}) { e.Null() },
	DecodeJSON: func(d *codec.JSONDecoder, _ *struct{}) {
		for o := d.Object(); o.Next(); {
			o.Unknown()
		}
	},
}

func decodeNothing(d *codec.Decoder, _ *struct{}) {
	for s := d.Struct(0); s.Next(); {
		s.Unknown()
	}
}
