package workflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"

	"github.com/onefold/onefold/runtime/codec"
)

// ErrCancelled is what a workflow ends in that was cancelled.
var ErrCancelled = errors.New("the workflow was cancelled")

// A Sentinel is a package-level error value that a log keeps by its name.
type Sentinel struct {
	Name string // as in "hotel.ErrUnknown"
	Err  error
}

// An ErrorType is an exported error type that a log keeps whole.
type ErrorType struct {
	name string
	// save encodes the first error of the type in err's tree; top says that it is err itself.
	save func(err error) (value []byte, top, ok bool, failed error)
	load func(value []byte) (error, error)
}

// NewErrorType describes the error type E, whose name is as in "bank.LimitError".
func NewErrorType[E error](name string, t codec.Type[E]) *ErrorType {
	return &ErrorType{
		name: name,
		save: func(err error) ([]byte, bool, bool, error) {
			var found E
			if !errors.As(err, &found) {
				return nil, false, false, nil
			}
			_, top := err.(E)
			value, failed := t.Append(nil, &found)
			return value, top, true, failed
		},
		load: func(value []byte) (error, error) {
			var e E
			err := t.Parse(value, &e)
			return e, err
		},
	}
}

// failure is an error as a log keeps it: the text, the declared errors that it
// wraps by name, and those of exported types whole.
type failure struct {
	text   string
	codes  []string
	values []errorValue
	top    string // the declared error, or else the type, that it is itself
}

type errorValue struct {
	name  string
	value []byte
}

var failureCodec = codec.Type[failure]{Encode: encodeFailure, Decode: decodeFailure}

func encodeFailure(e *codec.Encoder, v *failure) {
	s := e.Struct(4)
	s.Field("Top")
	codec.EncodeString(e, &v.top)
	s.Field("Text")
	codec.EncodeString(e, &v.text)
	s.Field("Codes")
	codec.EncodeSlice(e, &v.codes, codec.EncodeString)
	s.Field("Values")
	codec.EncodeSlice(e, &v.values, encodeErrorValue)
	s.End()
}

func decodeFailure(d *codec.Decoder, v *failure) {
	for s := d.Struct(4); s.Next(); {
		switch string(s.Name) {
		case "Text":
			codec.DecodeString(d, &v.text)
		case "Codes":
			codec.DecodeSlice(d, &v.codes, codec.DecodeString)
		case "Top":
			codec.DecodeString(d, &v.top)
		case "Values":
			codec.DecodeSlice(d, &v.values, decodeErrorValue)
		default:
			s.Unknown()
		}
	}
}

func encodeErrorValue(e *codec.Encoder, v *errorValue) {
	s := e.Struct(2)
	s.Field("Name")
	codec.EncodeString(e, &v.name)
	s.Field("Value")
	codec.EncodeBytes(e, &v.value)
	s.End()
}

func decodeErrorValue(d *codec.Decoder, v *errorValue) {
	for s := d.Struct(2); s.Next(); {
		switch string(s.Name) {
		case "Name":
			codec.DecodeString(d, &v.name)
		case "Value":
			codec.DecodeBytes(d, &v.value)
		default:
			s.Unknown()
		}
	}
}

// errorTable is the errors that logs can keep as they are.
type errorTable struct {
	sentinels  []Sentinel
	comparable []bool // by sentinel
	types      []*ErrorType
}

// standard are the declared errors that every program knows.
var standard = []Sentinel{
	{"workflow.ErrCancelled", ErrCancelled},
	{"workflow.ErrNotFound", ErrNotFound},
	{"workflow.ErrEnded", ErrEnded},
	{"context.Canceled", context.Canceled},
	{"context.DeadlineExceeded", context.DeadlineExceeded},
	{"io.EOF", io.EOF},
	{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF},
	{"fs.ErrExist", fs.ErrExist},
	{"fs.ErrNotExist", fs.ErrNotExist},
	{"fs.ErrPermission", fs.ErrPermission},
	{"errors.ErrUnsupported", errors.ErrUnsupported},
}

func newErrorTable(sentinels []Sentinel, types []*ErrorType) *errorTable {
	t := &errorTable{types: types}
	for _, s := range slices.Concat(sentinels, standard) {
		if !slices.ContainsFunc(t.sentinels, func(o Sentinel) bool { return o.Name == s.Name }) {
			t.sentinels = append(t.sentinels, s)
			t.comparable = append(t.comparable, reflect.TypeOf(s.Err).Comparable())
		}
	}
	return t
}

// save returns what a log keeps of err, nil for nil.
func (t *errorTable) save(err error) (*failure, error) {
	if err == nil {
		return nil, nil
	}
	f := &failure{text: err.Error(), codes: t.codes(nil, err)}
	for i, s := range t.sentinels {
		if t.comparable[i] && err == s.Err {
			f.top = s.Name
		}
	}
	for _, et := range t.types {
		value, top, ok, failed := et.save(err)
		if failed != nil {
			return nil, fmt.Errorf("keep error %s: %w", et.name, failed)
		}
		if ok {
			f.values = append(f.values, errorValue{et.name, value})
		}
		if top && f.top == "" {
			f.top = et.name
		}
	}
	return f, nil
}

// codes appends the names of the declared errors in err's tree, in the order in
// which errors.Is meets them.
func (t *errorTable) codes(names []string, err error) []string {
	for i, s := range t.sentinels {
		if t.matches(i, err) && !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return t.codes(names, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if inner != nil {
				names = t.codes(names, inner)
			}
		}
	}
	return names
}

// matches reports whether err itself, not something that it wraps, is the i-th sentinel.
func (t *errorTable) matches(i int, err error) bool {
	if t.comparable[i] && err == t.sentinels[i].Err {
		return true
	}
	e, ok := err.(interface{ Is(error) bool })
	return ok && e.Is(t.sentinels[i].Err)
}

// load returns the error that f was made of, as far as the log keeps it:
// errors.Is and errors.As find in it what they found in the original.
func (t *errorTable) load(f *failure) error {
	if f == nil {
		return nil
	}
	restored := &RecordedError{text: f.text}
	for _, name := range f.codes {
		i := slices.IndexFunc(t.sentinels, func(s Sentinel) bool { return s.Name == name })
		if i < 0 {
			continue
		}
		if name == f.top {
			return t.sentinels[i].Err
		}
		restored.wrapped = append(restored.wrapped, t.sentinels[i].Err)
	}
	for _, v := range f.values {
		err := t.loadValue(v)
		if err != nil && v.name == f.top {
			return err
		}
		if err != nil {
			restored.wrapped = append(restored.wrapped, err)
		}
	}
	return restored
}

// loadValue returns the error of an exported type, nil if the program does not
// know the type any more.
func (t *errorTable) loadValue(v errorValue) error {
	i := slices.IndexFunc(t.types, func(et *ErrorType) bool { return et.name == v.name })
	if i < 0 {
		return nil
	}
	err, failed := t.types[i].load(v.value)
	if failed != nil {
		return nil
	}
	return err
}

// A RecordedError is an error out of a log: its text, and whatever errors.Is and
// errors.As may look for in it.
type RecordedError struct {
	text    string
	wrapped []error
}

func (e *RecordedError) Error() string { return e.text }

// Unwrap returns the declared errors and errors of exported types in the original.
func (e *RecordedError) Unwrap() []error { return e.wrapped }
