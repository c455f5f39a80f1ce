package codec

import (
	"bytes"
	"fmt"
)

// InputError is a request whose parameters are not as the method wants them.
type InputError struct {
	Param   string // the parameter at fault; empty for the request as a whole
	Path    string // where in the parameter, such as ".guests[2]"
	Message string
}

func (e *InputError) Error() string {
	if e.Param == "" {
		return e.Message
	}
	return fmt.Sprintf("parameter %s%s: %s", e.Param, e.Path, e.Message)
}

// Args are the parameters of one request by name. Each attempt decodes them
// anew with Arg, and gets memory of its own. Args are not for concurrent use.
type Args struct {
	params []param
	err    *InputError // the first
}

type param struct {
	name []byte
	raw  []byte // JSON
	used bool
}

// maxParams is how many parameters are looked at: each is compared with those before it.
const maxParams = 1000

// ParseArgs parses a JSON object of parameters by name; an empty body is an
// empty object. Its error is an *InputError. Args refer to body.
func ParseArgs(body []byte) (*Args, error) {
	in := new(Args)
	if err := in.Parse(body); err != nil {
		return nil, err
	}
	return in, nil
}

// Parse is ParseArgs into Args whose last request is over.
func (in *Args) Parse(body []byte) error {
	clear(in.params)
	in.params, in.err = in.params[:0], nil
	d := NewJSONDecoder(body)
	if d.next(); d.i == len(d.b) {
		return d.Finish()
	}
	dup := ""
	for o := d.members(); o.next(); {
		name := o.name
		if o.escaped {
			name = bytes.Clone(name)
		}
		if dup == "" && in.find(string(name)) != nil {
			dup = string(name)
		}
		raw := d.raw()
		if d.err != nil {
			d.err.inField(string(name))
			break
		}
		if len(in.params) == maxParams {
			d.fail("more than %d parameters", maxParams)
			break
		}
		in.params = append(in.params, param{name: name, raw: raw})
	}
	if err := d.Finish(); err != nil {
		return &InputError{Message: "malformed JSON: " + err.Error()}
	}
	if dup != "" {
		return &InputError{Param: dup, Message: "given twice"}
	}
	return nil
}

func (in *Args) find(name string) *param {
	for i := range in.params {
		if string(in.params[i].name) == name {
			return &in.params[i]
		}
	}
	return nil
}

// Arg decodes one parameter. A parameter that may be null (a slice, map or
// pointer) may also be missing. Failures are kept for Err.
func Arg[T any](in *Args, name string, t Type[T]) (v T) {
	p := in.find(name)
	switch {
	case p != nil:
		p.used = true
	case t.Nullable:
		return v
	default:
		in.fail(&InputError{Param: name, Message: "missing"})
		return v
	}
	if err := t.ParseJSON(p.raw, &v); err != nil {
		var zero T
		v = zero
		in.fail(inputError(name, err))
	}
	return v
}

func inputError(name string, err error) *InputError {
	e := &InputError{Param: name, Message: err.Error()}
	if err, ok := err.(*Error); ok {
		e.Path, e.Message = err.Path, err.Message
	}
	return e
}

func (in *Args) fail(err *InputError) {
	if in.err == nil {
		in.err = err
	}
}

// Err returns the first failure of Arg, or that a parameter was given that Arg
// was not asked for, as an *InputError.
func (in *Args) Err() error {
	if in.err != nil {
		return in.err
	}
	for _, p := range in.params {
		if !p.used {
			return &InputError{Param: string(p.name), Message: "the method has no such parameter"}
		}
	}
	return nil
}
