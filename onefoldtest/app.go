package onefoldtest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/onefold/onefold/internal/plain"
	"github.com/onefold/onefold/onefoldtest/snapshot"
)

// App is a graph of plain services: the spec as the Go program that it is.
type App struct {
	services  []*service
	sentinels []sentinel // what the compiled application calls its errors
	carries   []string   // the types of errors that it carries; nil as long as there is none

	world  *plain.World // of the messages and signals of all roots
	queue  []plain.Func // messages that were sent and have not run
	effect func(name, key string, fn func() error) error
}

// service is one service of an App.
type service struct {
	name  string
	value reflect.Value // pointer to the struct
}

// New builds services and returns their graph. Each part is either a constructor, a
// function whose parameters are pointers to other services and whose result is
// one, or a service that exists already, as a pointer. The order does not matter.
func New(t testing.TB, parts ...any) *App {
	t.Helper()
	app, err := build(parts)
	if err != nil {
		t.Fatalf("onefoldtest: %v", err)
	}
	return app
}

// Get returns the service of type S.
func Get[S any](app *App) *S {
	if s := app.find(reflect.TypeFor[*S]()); s != nil {
		return s.value.Interface().(*S)
	}
	panic(fmt.Sprintf("onefoldtest: the application has no service %s", reflect.TypeFor[S]()))
}

// Call runs fn as one request: if it returns an error or panics, the state of all
// services is what it was before. The error is returned, the panic goes on. What fn sent by
// onefold.Go runs after it has succeeded, before Call returns.
//
// Workflows are run by [Simulate], or by [Invoke].
func Call(app *App, fn func(ctx context.Context) error) error {
	err := app.root(fn)
	for len(app.queue) > 0 {
		message := app.queue[0]
		app.queue = app.queue[1:]
		_ = app.root(message) // the error of a message is nobody's
	}
	return err
}

// root runs fn as an atomic request or a message.
func (app *App) root(fn func(ctx context.Context) error) error {
	before := app.save()
	root := &plain.Root{World: app.world, Effect: app.effect}
	done := false
	defer func() {
		if !done {
			before.Restore()
		}
	}()
	err := fn(plain.With(context.Background(), root))
	if done = err == nil; done {
		root.Commit()
	}
	return err
}

// flow runs fn as the workflow id. Its steps are the roots, so what it did stays,
// whatever it ends in.
func (app *App) flow(ctx context.Context, id string, fn func(ctx context.Context) error) error {
	app.world.Begin(id)
	defer app.world.End(id)
	return fn(plain.With(ctx, &plain.Root{World: app.world, ID: id, Effect: app.effect}))
}

// restart forgets all workflows and messages.
func (app *App) restart() {
	app.queue, app.effect = nil, nil
	app.world = &plain.World{Post: func(_ context.Context, fn plain.Func) { app.queue = append(app.queue, fn) }}
}

// save takes a snapshot of all state.
func (app *App) save() *snapshot.Snapshot {
	roots := make([]any, len(app.services))
	for i, s := range app.services {
		roots[i] = s.value.Interface()
	}
	return snapshot.Take(roots...)
}

func (app *App) find(t reflect.Type) *service {
	for _, s := range app.services {
		if s.value.Type() == t {
			return s
		}
	}
	return nil
}

func (app *App) named(name string) *service {
	for _, s := range app.services {
		if s.name == name {
			return s
		}
	}
	return nil
}

// build makes the services, each after those that it depends on.
func build(parts []any) (*App, error) {
	app := new(App)
	app.restart()
	var waiting []reflect.Value
	for _, part := range parts {
		v := reflect.ValueOf(part)
		switch {
		case v.Kind() == reflect.Func:
			if err := checkConstructor(v.Type()); err != nil {
				return nil, err
			}
			waiting = append(waiting, v)
		case isService(v.Type()) && !v.IsNil():
			if err := app.add(v); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("part is %T, want a constructor or a pointer to a service", part)
		}
	}
	for len(waiting) > 0 {
		i := slices.IndexFunc(waiting, app.canMake)
		if i < 0 {
			return nil, app.missing(waiting)
		}
		if err := app.construct(waiting[i]); err != nil {
			return nil, err
		}
		waiting = slices.Delete(waiting, i, i+1)
	}
	return app, nil
}

// isService reports whether t can be a service: a pointer to a named struct.
func isService(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem().Name() != ""
}

func checkConstructor(t reflect.Type) error {
	if t.NumOut() != 1 || !isService(t.Out(0)) || t.IsVariadic() {
		return fmt.Errorf("%s is no constructor: want a function that returns a pointer to a service", t)
	}
	for in := range t.Ins() {
		if !isService(in) {
			return fmt.Errorf("constructor %s wants a %s, which is no pointer to a service", t, in)
		}
	}
	return nil
}

// canMake reports whether all dependencies of a constructor exist.
func (app *App) canMake(constructor reflect.Value) bool {
	for in := range constructor.Type().Ins() {
		if app.find(in) == nil {
			return false
		}
	}
	return true
}

func (app *App) construct(constructor reflect.Value) error {
	var deps []reflect.Value
	for in := range constructor.Type().Ins() {
		deps = append(deps, app.find(in).value)
	}
	made := constructor.Call(deps)[0]
	if made.IsNil() {
		return fmt.Errorf("constructor %s returned nil", constructor.Type())
	}
	return app.add(made)
}

func (app *App) add(v reflect.Value) error {
	name := v.Type().Elem().Name()
	if other := app.named(name); other != nil {
		return fmt.Errorf("two services are called %s: %s and %s", name, other.value.Type(), v.Type())
	}
	app.services = append(app.services, &service{name: name, value: v})
	return nil
}

// missing says what keeps constructors from being called.
func (app *App) missing(waiting []reflect.Value) error {
	made := map[reflect.Type]bool{}
	for _, c := range waiting {
		made[c.Type().Out(0)] = true
	}
	for _, c := range waiting {
		for in := range c.Type().Ins() {
			if app.find(in) == nil && !made[in] {
				return fmt.Errorf("constructor %s wants a %s, and no part makes one", c.Type(), in)
			}
		}
	}
	return fmt.Errorf("constructors depend on each other in a circle: %s and others", waiting[0].Type())
}
