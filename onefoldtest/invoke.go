package onefoldtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/onefold/onefold/internal/plain"
	"github.com/onefold/onefold/runtime/invoke"
)

// A Reply is the outcome of a request as a client sees it.
type Reply struct {
	// Status is the HTTP status: 200, 422 after an error, 400 for malformed
	// input, 500 after a panic.
	Status int
	// Value is the result as JSON; nil unless Status is 200.
	Value json.RawMessage
	// Type is the problem's type, a constant of package invoke; empty where Status is 200.
	Type string
	// Detail is the text of the error.
	Detail string
	// Codes are the sentinels that the error wraps, such as "bank.ErrInsufficient". The
	// plain side knows them only after a suite told it what the compiled application calls them.
	Codes []string
	// wraps are the names that each error in the tree may have; nil on the compiled side.
	wraps [][]string
	// Error is the first error in the tree that has an exported type of a spec.
	Error *ErrorValue
	// Err is the error itself; nil on the compiled side.
	Err error
	// Panic is what the method panicked with; nil on the compiled side.
	Panic any
	// ID is the invocation's id; empty on the plain side.
	ID string
	// Replayed is whether the reply is that of an earlier delivery.
	Replayed bool
}

// Is reports whether the reply is an application error that wraps the sentinel with this
// name, such as "bank.ErrInsufficient".
func (r *Reply) Is(code string) bool { return slices.Contains(r.Codes, code) }

// ErrorValue is an error that is carried whole.
type ErrorValue struct {
	Type  string          // such as "bank.OverdraftError"
	Value json.RawMessage // as JSON
}

// Invoke runs one request on the plain services as the compiled system would:
// method is "Service.Method", args a JSON object of the parameters by name. It
// panics where there is no such method. Of a workflow it returns the reply when that
// has ended; in a bubble of testing/synctest that takes no time.
func Invoke(app *App, method, args string) Reply {
	m, err := app.method(method)
	if err != nil {
		panic("onefoldtest: " + err.Error())
	}
	if m.workflow {
		reply := app.run(m, args, func(fn plain.Func) error { return app.flow(context.Background(), mintID(), fn) })
		_ = Call(app, func(context.Context) error { return nil }) // runs the messages
		return reply
	}
	return app.run(m, args, func(fn plain.Func) error { return Call(app, fn) })
}

// run calls a method as a root, which within is to make it.
func (app *App) run(m *method, args string, within func(plain.Func) error) (reply Reply) {
	in, err := m.decode(args)
	if err != nil {
		return Reply{Status: http.StatusBadRequest, Type: invoke.TypeInput, Detail: err.Error(), Err: err}
	}
	defer func() {
		if r := recover(); r != nil {
			reply = Reply{Status: http.StatusInternalServerError, Type: invoke.TypeInternal, Panic: r}
		}
	}()
	err = within(func(ctx context.Context) error {
		out := m.fn.Call(append([]reflect.Value{reflect.ValueOf(ctx)}, in...))
		err, _ := out[len(out)-1].Interface().(error)
		if err == nil {
			reply.Value, err = m.encode(out[:len(out)-1])
			if err != nil {
				panic(fmt.Sprintf("encode the reply of %s: %v", m.name, err))
			}
		}
		return err
	})
	if err != nil {
		return app.problem(err)
	}
	reply.Status = http.StatusOK
	return reply
}

// method is one endpoint of a plain service.
type method struct {
	name string        // Service.Method
	fn   reflect.Value // bound to its service
	signature
}

// methods returns the names of all endpoints.
func (app *App) methods() (names []string) {
	for _, s := range app.services {
		for m := range s.value.Type().Methods() {
			if checkEndpoint(m.Type) == nil {
				names = append(names, s.name+"."+m.Name)
			}
		}
	}
	return names
}

// method finds the endpoint called "Service.Method".
func (app *App) method(name string) (*method, error) {
	serviceName, methodName, _ := strings.Cut(name, ".")
	s := app.named(serviceName)
	if s == nil {
		return nil, fmt.Errorf("no service %q", serviceName)
	}
	m, ok := s.value.Type().MethodByName(methodName)
	if !ok {
		return nil, fmt.Errorf("service %s has no method %q", serviceName, methodName)
	}
	if err := checkEndpoint(m.Type); err != nil {
		return nil, fmt.Errorf("%s is no endpoint: %w", name, err)
	}
	sig, err := signatureOf(m)
	if err != nil {
		return nil, err
	}
	return &method{name: name, fn: s.value.Method(m.Index), signature: sig}, nil
}

// checkEndpoint reports what is wrong with the type of an endpoint, receiver included.
func checkEndpoint(t reflect.Type) error {
	if t.NumIn() < 2 || t.In(1) != reflect.TypeFor[context.Context]() {
		return errors.New("its first parameter is no context.Context")
	}
	if t.NumOut() == 0 || t.Out(t.NumOut()-1) != reflect.TypeFor[error]() {
		return errors.New("its last result is no error")
	}
	return nil
}

// decode returns the parameters that args names.
func (m *method) decode(args string) ([]reflect.Value, error) {
	var given map[string]json.RawMessage
	if err := strictly(args, &given); err != nil {
		return nil, fmt.Errorf("malformed JSON: %w", err)
	}
	var in []reflect.Value
	for i, name := range m.params {
		v := reflect.New(m.fn.Type().In(i + 1))
		raw, ok := given[name]
		delete(given, name)
		switch v.Elem().Kind() {
		case reflect.Slice, reflect.Map, reflect.Pointer:
		default:
			if !ok {
				return nil, fmt.Errorf("parameter %s: missing", name)
			}
		}
		if ok {
			if err := strictly(string(raw), v.Interface()); err != nil {
				return nil, fmt.Errorf("parameter %s: %w", name, err)
			}
		}
		in = append(in, v.Elem())
	}
	for name := range given {
		return nil, fmt.Errorf("parameter %s: the method has no such parameter", name)
	}
	return in, nil
}

// strictly decodes JSON and refuses members that no field has.
func strictly(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// encode returns results as the reply's JSON: null, the value, an object by name,
// or an array where they have none.
func (m *method) encode(results []reflect.Value) (json.RawMessage, error) {
	switch {
	case len(results) == 0:
		return json.RawMessage("null"), nil
	case len(results) == 1:
		return json.Marshal(results[0].Interface())
	}
	var b bytes.Buffer
	for i, result := range results {
		b.WriteString(",")
		if m.results != nil {
			fmt.Fprintf(&b, "%q:", m.results[i])
		}
		value, err := json.Marshal(result.Interface())
		if err != nil {
			return nil, err
		}
		b.Write(value)
	}
	list := b.String()[1:]
	if m.results == nil {
		return json.RawMessage("[" + list + "]"), nil
	}
	return json.RawMessage("{" + list + "}"), nil
}
