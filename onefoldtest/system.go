package onefoldtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/workflow"
)

// A Store is a store that a suite runs over.
type Store struct {
	// Connect returns a process's own way to the store. The suite does not close it.
	Connect func() store.Engine
	// Disturb, if set, makes the store itself fail at random until calm is called.
	// CrashPoints disturbs it while it delivers requests under random faults.
	Disturb func(seed uint64) (calm func())
	// Close ends everything.
	Close func()
}

// openEmbedded opens an embedded store in memory, which all processes use directly.
func openEmbedded(t testing.TB) Store {
	t.Helper()
	engine, err := embedded.Open("store", embedded.Options{FS: vfs.NewMem(), CacheSize: 1 << 20, MemTableSize: 1 << 20, MinFree: 1})
	if err != nil {
		t.Fatalf("onefoldtest: %v", err)
	}
	return storeOf(engine)
}

// storeOf returns the store that is an engine, which all processes use directly.
func storeOf(engine store.Engine) Store {
	return Store{Connect: func() store.Engine { return engine }, Close: func() { engine.Close() }}
}

// system is a compiled application that serves requests: one process that hosts
// all services, or one for each.
type system struct {
	app     *runtime.App
	servers map[string]*local.Server // by service
	wires   *wires                   // nil for one process
	stop    func()                   // ends what runs by itself, and the connections between the processes
}

// alone are the options of one process whose branches run in turn.
var alone Options

// start starts app as processes that start do. engine returns a process's own way to the
// store. What runs by itself ends with the test.
func start(t testing.TB, app *runtime.App, opts Options, engine func() store.Engine) *system {
	t.Helper()
	s, err := tryStart(app, opts, workflow.Options{}, engine)
	if err != nil {
		t.Fatalf("onefoldtest: start the compiled application: %v", err)
	}
	return s
}

func tryStart(app *runtime.App, opts Options, workflows workflow.Options, engine func() store.Engine) (*system, error) {
	if opts.Processes {
		return startProcesses(app, opts, workflows, engine)
	}
	server, err := local.New(context.Background(), app, engine(), serverOptions(opts, opts.parallel(), workflows))
	if err != nil {
		return nil, err
	}
	s := &system{app: app, servers: map[string]*local.Server{}, stop: func() {}}
	for _, service := range app.Services {
		s.servers[service.Name] = server
	}
	return s, nil
}

// flows returns the engine of workflows and messages of one of the processes.
func (s *system) flows() *workflow.Engine { return s.first().Workflows() }

// isDurable reports whether an application has workflows or messages.
func isDurable(app *runtime.App) bool { return len(app.Workflows().Methods) > 0 }

// loop lets the application do what is due, until stop is called.
func (s *system) loop() {
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	all := s.processes()
	for _, server := range all {
		loops.Go(func() { server.Workflows().Loop(ctx) })
	}
	stop := s.stop
	s.stop = func() {
		cancel()
		for _, server := range all {
			server.Workflows().Close()
		}
		loops.Wait()
		stop()
	}
}

// serverOptions are the options of a process, with branches in parallel or in turn.
func serverOptions(opts Options, parallel bool, workflows workflow.Options) local.Options {
	return local.Options{
		Parallel:  parallel,
		Workflows: workflows,
		Runner:    atomic.Options{Remote: opts.Store != nil || opts.Rounds},
		Log:       slog.New(slog.DiscardHandler),
		LookupEnv: func(string) (string, bool) { return "", false },
	}
}

// processes returns the processes of the system.
func (s *system) processes() (list []*local.Server) {
	for _, service := range s.app.Services {
		if server := s.servers[service.Name]; !slices.Contains(list, server) {
			list = append(list, server)
		}
	}
	return list
}

// first returns the process that hosts the application's first service.
func (s *system) first() *local.Server { return s.servers[s.app.Services[0].Name] }

// send sends a request to the process of its service, through the HTTP front. id is an Onefold-Id, or empty.
func (s *system) send(req Request, id string) Reply {
	path := "/" + strings.Replace(req.Method, ".", "/", 1)
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(req.Args))
	setHeaders(r.Header, req.Key, id)
	w := httptest.NewRecorder()
	service, _, _ := strings.Cut(req.Method, ".")
	s.servers[service].Handler().ServeHTTP(w, r)
	return parseReply(w.Result())
}

// setHeaders sets the headers of a request; key and id may be empty.
func setHeaders(h http.Header, key, id string) {
	h.Set("Content-Type", "application/json")
	if key != "" {
		h.Set("Idempotency-Key", key)
	}
	if id != "" {
		h.Set("Onefold-Id", id)
	}
}

// parseReply reads a reply of the HTTP front.
func parseReply(r *http.Response) Reply {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err) // the recorder has it in memory
	}
	reply := Reply{Status: r.StatusCode, ID: r.Header.Get("Onefold-Id"), Replayed: r.Header.Get("Onefold-Replayed") == "true"}
	if r.StatusCode == http.StatusOK {
		reply.Value = bytes.TrimSpace(body)
		return reply
	}
	var p invoke.Problem
	if err := json.Unmarshal(body, &p); err != nil {
		reply.Detail = fmt.Sprintf("reply is no problem document: %v: %s", err, body)
		return reply
	}
	reply.Type, reply.Detail, reply.Codes = p.Type, p.Detail, p.Codes
	if p.Error != nil {
		reply.Error = &ErrorValue{Type: p.Error.Type, Value: p.Error.Value}
	}
	return reply
}

// state returns the state of all services, in the form of [State].
func (s *system) state() (map[string]any, error) {
	state := map[string]any{}
	err := s.first().Runner().Read(context.Background(), func(ctx context.Context, tx *atomic.Tx) error {
		for _, service := range s.app.Services {
			for _, field := range service.Fields {
				state[field.Service()+"."+field.Name()] = field.Dump(ctx, tx)
			}
		}
		return nil
	})
	return state, err
}
