package local_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/state"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/testdata/apps/travel/gen"
)

// openMemory opens a store in memory.
func openMemory(t *testing.T, fs *vfs.MemFS) *embedded.Engine {
	t.Helper()
	engine, err := embedded.Open("data", embedded.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func TestServer(t *testing.T) {
	engine := openMemory(t, vfs.NewMem())
	defer engine.Close()
	s, err := local.New(t.Context(), gen.App(), engine, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, body, want string }{
		{"/Hotel/Add", `{"hotelID":"h","capacity":2}`, `null`},
		{"/Flight/Add", `{"flightID":"f","seats":1}`, `null`},
		{"/Frontend/Book", `{"user":"u","hotelID":"h","flightID":"f"}`, `1`},
		{"/Frontend/Book", `{"user":"v","hotelID":"h","flightID":"f"}`, `"code":"frontend.ErrFull"`},
		{"/Hotel/Room", `{"hotelID":"h"}`, `{"capacity":1,"guests":["u"]}`},
		{"/Hotel/Total", ``, `1`},
		{"/Hotel/Room", `{"hotelID":"x"}`, `"code":"hotel.ErrUnknown"`},
	} {
		r := httptest.NewRequest("POST", test.path, strings.NewReader(test.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if got := w.Body.String(); !strings.Contains(got, test.want) {
			t.Errorf("%s %s = %s, want %s", test.path, test.body, got, test.want)
		}
	}
}

// one returns an application of one method, Only.Do.
func one(do func(ctx context.Context) error) *runtime.App {
	return &runtime.App{Name: "one", Services: []*runtime.Service{{
		Name: "Only",
		Methods: []*runtime.Method{{
			Name: "Do", Kind: runtime.Atomic,
			Call: func(ctx context.Context, tx *atomic.Tx, in *codec.Args, out []byte) ([]byte, error) {
				return append(out, "null"...), do(ctx)
			},
		}},
	}}}
}

func TestInitHappensOnce(t *testing.T) {
	field := state.NewValue("Only", "total", codec.Int)
	fs := vfs.NewMem()
	for i := range 3 {
		engine := openMemory(t, fs)
		app := one(func(context.Context) error { return nil })
		app.Services[0].Init = func(tx *atomic.Tx) { field.Init(tx, 10*(i+1)) }
		s, err := local.New(t.Context(), app, engine, local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got int
		err = s.Runner().Read(t.Context(), func(ctx context.Context, tx *atomic.Tx) error {
			total := field.In(tx)
			got = total.Get()
			return nil
		})
		if err != nil || got != 10 {
			t.Errorf("start %d: the field holds %d (%v), want 10 as the first start set it", i, got, err)
		}
		engine.Close()
	}
}

func TestConfigure(t *testing.T) {
	app := gen.App()
	for i, s := range app.Services {
		copied := *s
		copied.Configure = func(lookup func(string) (string, bool)) error {
			if v, _ := lookup(strings.ToUpper(s.Name) + "_LIMIT"); v != "1" {
				return fmt.Errorf("%s_LIMIT is %q; field limit wants an int", strings.ToUpper(s.Name), v)
			}
			return nil
		}
		app.Services[i] = &copied
	}
	env := map[string]string{"HOTEL_LIMIT": "1", "FLIGHT_LIMIT": "x"}
	opts := local.Options{LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	opts.Data = filepath.Join(t.TempDir(), "data")
	err := local.Serve(t.Context(), app, opts)
	if err == nil {
		t.Fatal("served without configuration")
	}
	for _, want := range []string{`configure Flight: FLIGHT_LIMIT is "x"`, `configure Orders: ORDERS_LIMIT is ""`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "HOTEL") {
		t.Errorf("error %q names a field that is set", err)
	}
	if _, err := os.Stat(opts.Data); !errors.Is(err, os.ErrNotExist) {
		t.Error("a store was made although the configuration is wrong")
	}
}

// serving runs Serve with a method that waits until it is released.
type serving struct {
	url     string
	began   chan struct{}
	release chan struct{}
	stop    context.CancelFunc
	ended   chan error // of Serve
	reply   chan error // of the request
}

func startServing(t *testing.T, drain time.Duration) *serving {
	t.Helper()
	s := &serving{began: make(chan struct{}), release: make(chan struct{}), ended: make(chan error, 1), reply: make(chan error, 1)}
	app := one(func(context.Context) error {
		close(s.began)
		<-s.release
		return nil
	})
	var ctx context.Context
	ctx, s.stop = context.WithCancel(t.Context())
	banner, out := io.Pipe()
	opts := local.Options{
		Listen: "127.0.0.1:0", Data: filepath.Join(t.TempDir(), "data"), Drain: drain,
		Out: out, Log: slog.New(slog.DiscardHandler),
	}
	// Nobody knows an example of its parameter, so that it is not tried at the start.
	app.Services[0].Methods[0].Params = []string{"unknown"}
	go func() { s.ended <- local.Serve(ctx, app, opts) }()
	if _, err := fmt.Fscanf(banner, "one serves at %s", &s.url); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, banner)
	s.url = strings.TrimSuffix(s.url, ",")
	go func() {
		status, _, err := post(http.DefaultClient, s.url+"/Only/Do", "{}", "")
		if err == nil && status != 200 {
			err = fmt.Errorf("status %d", status)
		}
		s.reply <- err
	}()
	<-s.began
	return s
}

func TestDrain(t *testing.T) {
	s := startServing(t, time.Minute)
	s.stop()
	for { // until nothing listens any more
		if _, err := http.Get(s.url + "/healthz"); err != nil {
			break
		}
	}
	select {
	case err := <-s.ended:
		t.Fatalf("the server ended (%v) while a request ran", err)
	default:
	}
	close(s.release)
	if err := <-s.reply; err != nil {
		t.Errorf("the request that ran: %v", err)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestDrainHasAnEnd(t *testing.T) {
	s := startServing(t, time.Millisecond)
	s.stop()
	if err := <-s.reply; err == nil {
		t.Error("the request that was cut short got a reply")
	}
	close(s.release)
	if err := <-s.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestHTTP2(t *testing.T) {
	s := startServing(t, time.Minute)
	close(s.release)
	<-s.reply
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(s.url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || resp.ProtoMajor != 2 {
		t.Errorf("%s %s, want 200 over HTTP/2", resp.Proto, resp.Status)
	}
	s.stop()
	if err := <-s.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
