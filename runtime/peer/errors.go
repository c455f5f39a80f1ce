package peer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strconv"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/wire"
)

// failures are the errors that a call can end in and that mean something to the
// caller's runtime.
var failures = []struct {
	outcome outcome
	err     error
}{
	{tooOld, store.ErrTooOld},
	{tooLarge, store.ErrTooLarge},
	{unreachable, atomic.ErrUnreachable},
	{unreachable, store.ErrClosed}, // the process stops
	{late, context.DeadlineExceeded},
	{late, context.Canceled},
}

// outcomeOf returns the outcome of a call that ended in err.
func outcomeOf(err error) outcome {
	var p *atomic.PanicError
	if errors.As(err, &p) {
		return panicked
	}
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return f.outcome
		}
	}
	return failed
}

// failure is why a call could not be performed in another process.
type failure struct {
	text string
	kind error
}

func (f *failure) Error() string { return f.text }

func (f *failure) Unwrap() error { return f.kind }

// errorTable is how errors of methods travel: what they wrap stays what it is.
type errorTable struct {
	sentinels []runtime.Sentinel // one name has one error
	types     []runtime.ErrorType
}

// common are errors of the standard library that methods return.
var common = []runtime.Sentinel{
	{Name: "context.Canceled", Err: context.Canceled},
	{Name: "context.DeadlineExceeded", Err: context.DeadlineExceeded},
	{Name: "errors.ErrUnsupported", Err: errors.ErrUnsupported},
	{Name: "fs.ErrExist", Err: fs.ErrExist},
	{Name: "fs.ErrInvalid", Err: fs.ErrInvalid},
	{Name: "fs.ErrNotExist", Err: fs.ErrNotExist},
	{Name: "fs.ErrPermission", Err: fs.ErrPermission},
	{Name: "io.EOF", Err: io.EOF},
	{Name: "io.ErrUnexpectedEOF", Err: io.ErrUnexpectedEOF},
	{Name: "strconv.ErrRange", Err: strconv.ErrRange},
	{Name: "strconv.ErrSyntax", Err: strconv.ErrSyntax},
}

// numError is *strconv.NumError.
var numError = runtime.ErrorType{
	Name: "strconv.NumError",
	Codec: runtime.ErrorCodec{Encode: func(e *codec.Encoder, err error) bool {
		n, ok := err.(*strconv.NumError)
		if !ok || n.Err != strconv.ErrRange && n.Err != strconv.ErrSyntax {
			return false
		}
		outOfRange := n.Err == strconv.ErrRange
		codec.String.Encode(e, &n.Func)
		codec.String.Encode(e, &n.Num)
		codec.Bool.Encode(e, &outOfRange)
		return true
	},
		Decode: func(d *codec.Decoder) error {
			n, outOfRange := &strconv.NumError{Err: strconv.ErrSyntax}, false
			codec.String.Decode(d, &n.Func)
			codec.String.Decode(d, &n.Num)
			codec.Bool.Decode(d, &outOfRange)
			if outOfRange {
				n.Err = strconv.ErrRange
			}
			return n
		}},
}

// newErrorTable returns the table of an application.
func newErrorTable(app *runtime.App) *errorTable {
	t := &errorTable{sentinels: slices.Clone(common), types: []runtime.ErrorType{numError}}
	for _, s := range app.Services {
		for _, declared := range slices.Concat(s.Sentinels, s.Private) {
			if !slices.ContainsFunc(t.sentinels, func(other runtime.Sentinel) bool { return other.Name == declared.Name }) {
				t.sentinels = append(t.sentinels, declared)
			}
		}
		for _, declared := range s.Errors {
			if !slices.ContainsFunc(t.types, func(other runtime.ErrorType) bool { return other.Name == declared.Name }) {
				t.types = append(t.types, declared)
			}
		}
	}
	return t
}

// Kinds of errors in a message.
const (
	errorNil byte = iota
	errorSentinel
	errorTyped
	errorPlain  // text
	errorWraps  // text, and the error that it wraps
	errorJoined // text, and the errors that it wraps
)

// maxWrapped is how deep errors wrap each other; what is deeper arrives as text.
const maxWrapped = 100

// append appends an error with everything that it wraps.
func (t *errorTable) append(b []byte, err error, depth int) []byte {
	if err == nil {
		return append(b, errorNil)
	}
	for i := range t.sentinels {
		if same(err, t.sentinels[i].Err) {
			return wire.AppendBytes(append(b, errorSentinel), t.sentinels[i].Name)
		}
	}
	for i := range t.types {
		if value, ok := encoded(&t.types[i], err); ok {
			return wire.AppendBytes(wire.AppendBytes(append(b, errorTyped), t.types[i].Name), value)
		}
	}
	return t.appendPlain(b, err, depth)
}

func (t *errorTable) appendPlain(b []byte, err error, depth int) []byte {
	one, _ := err.(interface{ Unwrap() error })
	several, _ := err.(interface{ Unwrap() []error })
	switch {
	case depth < maxWrapped && one != nil && one.Unwrap() != nil:
		b = wire.AppendBytes(append(b, errorWraps), err.Error())
		return t.append(b, one.Unwrap(), depth+1)
	case depth < maxWrapped && several != nil:
		b = wire.AppendBytes(append(b, errorJoined), err.Error())
		list := slices.DeleteFunc(slices.Clone(several.Unwrap()), func(e error) bool { return e == nil })
		b = wire.AppendUint(b, uint64(len(list)))
		for _, inner := range list {
			b = t.append(b, inner, depth+1)
		}
		return b
	}
	return wire.AppendBytes(append(b, errorPlain), err.Error())
}

// same reports whether two errors are one; those that cannot be compared are not.
func same(a, b error) (equal bool) {
	defer func() { _ = recover() }() // == panics on values that hold slices, for instance
	return a == b
}

// encoded returns err encoded as a type, if it is of that type.
func encoded(t *runtime.ErrorType, err error) ([]byte, bool) {
	if t.Codec.Encode == nil {
		return nil, false
	}
	e := codec.NewEncoder(nil)
	ok := t.Codec.Encode(e, err)
	value, failure := e.Finish()
	return value, ok && failure == nil
}

// parse reads an error.
func (t *errorTable) parse(r *wire.Reader, depth int) error {
	if depth > maxWrapped+1 {
		r.Fail()
		return nil
	}
	switch r.Byte() {
	case errorNil:
		return nil
	case errorSentinel:
		return t.sentinel(r)
	case errorTyped:
		return t.typed(r)
	case errorPlain:
		return &plainError{r.Text()}
	case errorWraps:
		return &wrapError{r.Text(), t.parse(r, depth+1)}
	case errorJoined:
		e := &joinError{text: r.Text(), errs: make([]error, r.Count(1))}
		for i := range e.errs {
			e.errs[i] = t.parse(r, depth+1)
		}
		return e
	}
	r.Fail()
	return nil
}

func (t *errorTable) sentinel(r *wire.Reader) error {
	name := r.Text()
	for i := range t.sentinels {
		if t.sentinels[i].Name == name {
			return t.sentinels[i].Err
		}
	}
	r.Fail()
	return nil
}

func (t *errorTable) typed(r *wire.Reader) error {
	name, value := r.Text(), r.Bytes()
	for i := range t.types {
		if t.types[i].Name != name || t.types[i].Codec.Decode == nil {
			continue
		}
		d := codec.NewDecoder(value)
		err := t.types[i].Codec.Decode(d)
		if d.Finish() == nil {
			return err
		}
	}
	r.Fail()
	return nil
}

// plainError, wrapError and joinError are errors of which only the text and what
// they wrap has arrived.
type (
	plainError struct{ text string }
	wrapError  struct {
		text string
		err  error
	}
	joinError struct {
		text string
		errs []error
	}
)

func (e *plainError) Error() string { return e.text }
func (e *wrapError) Error() string  { return e.text }
func (e *joinError) Error() string  { return e.text }

func (e *wrapError) Unwrap() error   { return e.err }
func (e *joinError) Unwrap() []error { return e.errs }
