package onefoldtest

import (
	"context"
	"fmt"
	"reflect"

	"github.com/onefold/onefold/runtime/state"
)

// step runs a step of a workflow of the compiled application on the plain services, and returns
// how their results differ, if the compiled one's is known.
func (app *App) step(s *flowStep, c comparer) string {
	m, err := app.method(s.Method)
	if err != nil {
		return err.Error()
	}
	in, err := m.converted(s.Args)
	if err != nil {
		return fmt.Sprintf("arguments of %s: %v", s.Method, err)
	}
	var results []reflect.Value
	err = Call(app, func(ctx context.Context) error {
		out := m.fn.Call(append([]reflect.Value{reflect.ValueOf(ctx)}, in...))
		results = out[:len(out)-1]
		err, _ := out[len(out)-1].Interface().(error)
		return err
	})
	switch {
	case s.done == 0:
		return ""
	case err != nil || s.err != nil:
		return diff(fmt.Sprint(err), fmt.Sprint(s.err))
	}
	var want []any
	for _, r := range results {
		want = append(want, c.value(s.Method, state.Generic(r.Interface())))
	}
	return diff(want, c.list(s.Method, s.result, len(want)))
}

// list returns the n results of a compiled method, which are in one value.
func (c comparer) list(method string, result any, n int) (list []any) {
	g := state.Generic(result)
	if n == 1 {
		return []any{c.value(method, g)}
	}
	fields, _ := g.(state.Entries)
	for _, f := range fields {
		list = append(list, c.value(method, f.Value))
	}
	return list
}

// converted returns the arguments of a compiled method, a struct of its parameters, as those of the plain one.
func (m *method) converted(args any) (in []reflect.Value, err error) {
	fields, _ := state.Generic(args).(state.Entries)
	if len(fields) != len(m.params) {
		return nil, fmt.Errorf("%d of them, want %d", len(fields), len(m.params))
	}
	for i, f := range fields {
		v := reflect.New(m.fn.Type().In(i + 1)).Elem()
		if err := fill(v, f.Value); err != nil {
			return nil, fmt.Errorf("%v: %w", f.Key, err)
		}
		in = append(in, v)
	}
	return in, nil
}

// fill sets v to a value in the generic form of [state.Generic].
func fill(v reflect.Value, g any) error {
	switch g := g.(type) {
	case nil:
		return nil
	case []any:
		if v.Kind() == reflect.Slice {
			v.Set(reflect.MakeSlice(v.Type(), len(g), len(g)))
		}
		for i, e := range g {
			if err := fill(v.Index(i), e); err != nil {
				return err
			}
		}
		return nil
	case state.Entries:
		return fillEntries(v, g)
	}
	given := reflect.ValueOf(g)
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return fill(v.Elem(), g)
	}
	if !given.CanConvert(v.Type()) || (given.Kind() == reflect.String) != (v.Kind() == reflect.String) {
		return fmt.Errorf("cannot make a %s of %v", v.Type(), g)
	}
	v.Set(given.Convert(v.Type()))
	return nil
}

// fillEntries sets v, a struct or a map, or a pointer to one.
func fillEntries(v reflect.Value, entries state.Entries) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if v.Kind() == reflect.Map {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, e := range entries {
		if v.Kind() != reflect.Map {
			if err := fill(exposed(v.FieldByName(fmt.Sprint(e.Key))), e.Value); err != nil {
				return err
			}
			continue
		}
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if err := fill(key, e.Key); err != nil {
			return err
		}
		if err := fill(value, e.Value); err != nil {
			return err
		}
		v.SetMapIndex(key, value)
	}
	return nil
}
