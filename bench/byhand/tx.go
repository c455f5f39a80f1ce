package byhand

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// App is the applications over an engine.
type App struct {
	Engine store.Engine
	calls  *caller // of services in other processes; nil if all are here
}

// Handler returns the public endpoints.
func (a App) Handler() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /Hotel/Add", a.endpoint(addHotel))
	mux.HandleFunc("POST /Hotel/Room", a.endpoint(room))
	mux.HandleFunc("POST /Flight/Add", a.endpoint(addFlight))
	mux.HandleFunc("POST /Frontend/Book", a.endpoint(book))
	mux.HandleFunc("POST /Tree/Increment", a.endpoint(incrementBoth))
	return mux
}

// parts are the methods that other services call.
var parts = map[string]func(*tx, []string) ([]byte, error){
	"Hotel/Reserve":   reserveRoom,
	"Flight/Reserve":  reserveSeat,
	"Orders/Place":    placeOrder,
	"Left/Increment":  incrementOne("Left"),
	"Right/Increment": incrementOne("Right"),
}

// tx is one attempt, or the part of one that a service has in it.
type tx struct {
	ctx     context.Context
	app     *App
	version store.Version
	reads   []store.Range
	ops     []store.Op
}

func (t *tx) get(key []byte) ([]byte, bool, error) {
	t.reads = append(t.reads, store.Point(key))
	return t.app.Engine.Get(t.ctx, t.version, key)
}

func (t *tx) set(key, value []byte) {
	t.ops = append(t.ops, store.Op{Kind: store.Set, Key: key, Value: value})
}

// call calls a method of a service, wherever it is.
func (t *tx) call(service, method string, args ...string) ([]byte, error) {
	if t.app.calls == nil {
		return parts[service+"/"+method](t, args)
	}
	return t.app.calls.call(t, service, method, args)
}

// both runs two parts: at the same time, if they are in other processes.
func (t *tx) both(first, second func(*tx) error) error {
	if t.app.calls == nil {
		if err := first(t); err != nil {
			return err
		}
		return second(t)
	}
	other := &tx{ctx: t.ctx, app: t.app, version: t.version}
	var wg sync.WaitGroup
	var otherErr error
	wg.Go(func() { otherErr = second(other) })
	err := first(t)
	wg.Wait()
	t.reads, t.ops = append(t.reads, other.reads...), append(t.ops, other.ops...)
	return errors.Join(err, otherErr)
}

func (a App) endpoint(method func(*tx, *codec.Args) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		args, err := codec.ParseArgs(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply, err := a.transact(r.Context(), func(t *tx) ([]byte, error) { return method(t, args) })
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(append(reply, '\n'))
	}
}

// transact runs fn until its commit does not conflict.
func (a App) transact(ctx context.Context, fn func(*tx) ([]byte, error)) ([]byte, error) {
	for n := 0; ; n++ {
		reply, err := a.try(ctx, fn)
		if !errors.Is(err, store.ErrConflict) {
			return reply, err
		}
		time.Sleep(rand.N(500 * time.Microsecond << min(n, 8)))
	}
}

func (a App) try(ctx context.Context, fn func(*tx) ([]byte, error)) ([]byte, error) {
	version, err := a.Engine.ReadVersion(ctx)
	if err != nil {
		return nil, err
	}
	defer a.Engine.Release(version)
	t := &tx{ctx: ctx, app: &a, version: version}
	reply, err := fn(t)
	if err != nil {
		return nil, err
	}
	if len(t.ops) == 0 {
		return reply, a.Engine.Settle(ctx, version)
	}
	_, err = a.Engine.Commit(ctx, &store.Commit{Version: version, Reads: t.reads, Ops: t.ops})
	return reply, err
}

func key(field, name string) []byte {
	b := append(make([]byte, 0, 64), "\x02travel\x00\x02state\x00"...)
	return tuple.AppendString(tuple.AppendString(b, field), name)
}

// load reads a value; zero if there is none.
func load[T any](t *tx, key []byte, typ codec.Type[T]) (v T, ok bool, err error) {
	b, ok, err := t.get(key)
	if err != nil || !ok {
		return v, false, err
	}
	_, err = typ.Load(b, &v)
	return v, true, err
}

func save[T any](t *tx, key []byte, typ codec.Type[T], v T) error {
	b, err := typ.Save(nil, &v, nil)
	t.set(key, b)
	return err
}
