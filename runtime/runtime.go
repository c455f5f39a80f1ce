// Package runtime describes a compiled application to what runs it: the HTTP
// front, the local server, tests. Generated code builds the descriptions; they
// hold nothing that changes.
package runtime

import (
	"context"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/state"
	"github.com/onefold/onefold/runtime/workflow"
)

// App is a compiled application.
type App struct {
	Name     string
	Services []*Service // by name
	OpenAPI  []byte     // the OpenAPI document, JSON
	Version  string     // changes with the generated code
}

// Kind says how much of the store a method needs; DESIGN section 2.
type Kind uint8

// The kinds of methods, from the cheapest to the dearest.
const (
	Stateless Kind = iota + 1 // touches no store, nor does anything it calls
	ReadOnly                  // commits nothing
	Atomic                    // the call tree below a request commits once
	Workflow                  // durable execution; one commit a step
)

func (k Kind) String() string {
	switch k {
	case Stateless:
		return "stateless"
	case ReadOnly:
		return "read-only"
	case Atomic:
		return "atomic"
	case Workflow:
		return "workflow"
	}
	return "invalid"
}

// Service is one service of an application.
type Service struct {
	Name      string
	Methods   []*Method // endpoints, in source order
	Fields    []Field   // persistent fields, in source order
	Sentinels []Sentinel
	Private   []Sentinel // unexported ones, which only other processes are told of
	Errors    []ErrorType
	// Init writes the state that the constructor builds; see the Init of fields.
	Init func(tx *atomic.Tx)
	// Configure sets the config fields from the environment, SERVICE_FIELD in
	// upper case with underscores, over what the constructor set. It is called
	// once, before anything else; nil where there are none.
	Configure func(lookup func(name string) (string, bool)) error
	// Calls names the other services that methods call themselves, sorted.
	Calls []string
	// Reach names the services that methods may touch, this one included, sorted.
	Reach []string
}

// Method is an endpoint.
type Method struct {
	Name   string
	Kind   Kind
	Params []string // names, without the context
	// Call decodes the arguments, runs the method in tx and appends its result as
	// JSON to out. Its error is an application error, or a *codec.InputError.
	// A workflow has none.
	Call func(ctx context.Context, tx *atomic.Tx, in *codec.Args, out []byte) ([]byte, error)
	// Serve decodes the arguments that [Call] has sent from another process, runs the
	// method in tx and encodes its results, also those that come with an error, which
	// is the method's.
	Serve func(ctx context.Context, tx *atomic.Tx, in *codec.Decoder, out *codec.Encoder) error
	// Durable is the workflow, or the atomic method as workflows call it and messages
	// are sent to it; nil where neither happens.
	Durable workflow.Method
}

// Field is a persistent field of a service.
type Field interface {
	// Service and Name say which field it is.
	Service() string
	Name() string
	// Type is its Go type, as in "map[string]hotel.Room".
	Type() string
	// Dump returns what the field holds in tx, in the generic form of package
	// state: the same for equal values, unexported fields included.
	Dump(ctx context.Context, tx *atomic.Tx) any
	// Browse returns some of what Dump does, in pages. Its error is a *state.KeyError.
	Browse(tx *atomic.Tx, w state.Window) (state.Rows, error)
}

// Sentinel is a package-level error value that clients can tell apart.
type Sentinel struct {
	Name string // as in "hotel.ErrUnknown"
	Err  error
}

// ErrorType is an error type that a spec exports and that replies carry whole.
type ErrorType struct {
	Name string // as in "bank.LimitError"
	// AppendJSON appends the first error of the type in err's tree; ok reports
	// whether there is one.
	AppendJSON func(b []byte, err error) (out []byte, ok bool)
	// Codec carries such errors to other processes.
	Codec ErrorCodec
	// Durable keeps such errors in the logs of workflows; nil if there are none.
	Durable *workflow.ErrorType
}

// An ErrorCodec carries errors of one type to other processes. Decode is the
// reverse of Encode, which reports whether err itself is of the type.
type ErrorCodec struct {
	Encode func(e *codec.Encoder, err error) bool
	Decode func(d *codec.Decoder) error
}

// NewErrorCodec returns the codec of the error type E.
func NewErrorCodec[E error](t codec.Type[E]) ErrorCodec {
	return ErrorCodec{
		Encode: func(e *codec.Encoder, err error) bool {
			v, ok := err.(E)
			if ok {
				t.Encode(e, &v)
			}
			return ok
		},
		Decode: func(d *codec.Decoder) error {
			var v E
			t.Decode(d, &v)
			return v
		},
	}
}

// Workflows returns what the application offers to a workflow engine.
func (a *App) Workflows() workflow.Registry {
	var r workflow.Registry
	for _, s := range a.Services {
		for _, m := range s.Methods {
			if m.Durable != nil {
				r.Methods = append(r.Methods, m.Durable)
			}
		}
		for _, sentinel := range s.Sentinels {
			r.Sentinels = append(r.Sentinels, workflow.Sentinel(sentinel))
		}
		for _, t := range s.Errors {
			if t.Durable != nil {
				r.Errors = append(r.Errors, t.Durable)
			}
		}
	}
	return r
}
