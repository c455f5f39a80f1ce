package poker

import (
	"bufio"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// serve starts a server over a real process, and returns its address, the process,
// and the service's side of the page.
func serve(t *testing.T) (address string, pid int, service *page.Page) {
	t.Helper()
	p, notify, dir := newPage(t)
	service, err := page.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	pid = sleeper(t)
	s, err := Signals(pid)
	if err != nil {
		t.Fatal(err)
	}
	pauser := NewPauser(s, p, MaxPause, nil, nil)
	address = "unix:" + filepath.Join(t.TempDir(), "control")
	l, err := Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	server := &Server{Info: Info{Service: "cart", Group: pid, Stopper: s.String()}, Token: "secret", Page: p, Notify: notify, Pauser: pauser, Meter: NewMeter(pid, nil)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		pauser.Close()
	})
	return address, pid, service
}

func dial(t *testing.T, address, experiment string, onPhase func(Phase)) *Client {
	t.Helper()
	var c *Client
	eventually(t, "connected", func() bool { // the last client may not have left yet
		var err error
		c, err = Dial(t.Context(), address, "secret", experiment, onPhase)
		if err != nil && !strings.Contains(err.Error(), "busy") {
			t.Fatal(err)
		}
		return err == nil
	})
	t.Cleanup(func() { c.Close() })
	return c
}

// TestSession: an experiment from hello to its end.
func TestSession(t *testing.T) {
	address, pid, service := serve(t)
	phases := make(chan Phase, 100)
	c := dial(t, address, "e1", func(p Phase) { phases <- p })
	if c.Info.Service != "cart" || c.Info.Group != pid {
		t.Errorf("info %+v", c.Info)
	}
	if err := c.Watch(t.Context(), 5, ""); err != nil {
		t.Fatal(err)
	}
	route := service.Counter(page.Route, "GET /")
	for range 23 {
		route.Add()
		service.Point()
	}
	for i := range 4 {
		if p := <-phases; p.Number != uint64(i+1) || p.Target < int64(5*p.Number) {
			t.Errorf("phase %+v, want number %d", p, i+1)
		}
	}
	worked := make(chan Work, 1)
	c.Work(func(w Work) { worked <- w })
	if w := <-worked; w.Clock == 0 {
		t.Errorf("work %+v", w)
	}
	type result struct {
		in  Interval
		err error
	}
	results := make(chan result, 2)
	pause := func(phase uint64, d time.Duration) result {
		c.Pause(phase, d, func(in Interval, err error) { results <- result{in, err} })
		return <-results
	}
	if r := pause(1, 5*time.Millisecond); r.err != nil || r.in.Continue-r.in.Stop < 5e6 || r.in.Phase != 1 {
		t.Errorf("pause: %+v", r)
	}
	if r := pause(1, time.Millisecond); r.err == nil {
		t.Error("one phase had two pauses")
	}
	stats, err := c.Stats(t.Context())
	if err != nil || stats.Requests() != 23 || stats.Paused < 5e6 || stats.Target != 23 || stats.Quota.Affinity < 1 {
		t.Errorf("stats %+v, %v", stats, err)
	}
}

// TestRefusals: wrong tokens, second clients and other experiments.
func TestRefusals(t *testing.T) {
	address, _, _ := serve(t)
	if _, err := Dial(t.Context(), address, "guess", "e1", nil); err == nil || !strings.Contains(err.Error(), "wrong token") {
		t.Errorf("wrong token: %v", err)
	}
	c := dial(t, address, "e1", nil)
	if _, err := Dial(t.Context(), address, "secret", "e2", nil); err == nil || !strings.Contains(err.Error(), `busy with experiment "e1"`) {
		t.Errorf("second client: %v", err)
	}
	if _, err := c.ask(t.Context(), request{Do: doStats, Experiment: "e0"}); err == nil {
		t.Error("a request of another experiment was obeyed")
	}
	if _, err := c.ask(t.Context(), request{Do: "reboot"}); err == nil {
		t.Error("an unknown request was obeyed")
	}
	if err := c.Watch(t.Context(), -1, ""); err == nil {
		t.Error("a negative batch was accepted")
	}
	if err := c.Watch(t.Context(), 5, "GET /nothing"); err == nil || !strings.Contains(err.Error(), "no request of route") {
		t.Errorf("a batch of a route that nobody asked for: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := (&Server{}).Serve(l); err == nil {
		t.Error("a TCP channel without a token was served")
	}
}

// TestLostClient: a coordinator that vanishes in a pause leaves no service stopped,
// and the next one finds everything as new.
func TestLostClient(t *testing.T) {
	address, pid, service := serve(t)
	c := dial(t, address, "e1", nil)
	if err := c.Watch(t.Context(), 1, ""); err != nil {
		t.Fatal(err)
	}
	c.Pause(1, MaxPause, func(_ Interval, err error) {
		if err == nil {
			t.Error("the pause ended as if the client were there")
		}
	})
	eventually(t, "stopped", func() bool { return stopped(pid) })
	c.Close()
	eventually(t, "continued", func() bool { return !stopped(pid) })
	next := dial(t, address, "e2", func(Phase) { t.Error("a phase of another's watch") })
	service.Point()
	if _, err := next.Stats(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestClientErrors: who waits for a poker that is gone gets an error.
func TestClientErrors(t *testing.T) {
	if _, err := Dial(t.Context(), "unix:"+filepath.Join(t.TempDir(), "none"), "", "", nil); err == nil {
		t.Error("connected to nothing")
	}
	address, _, _ := serve(t)
	c := dial(t, address, "e1", nil)
	c.Close()
	if err := c.Watch(t.Context(), 1, ""); err == nil {
		t.Error("asked a closed connection")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(ctx, address, "secret", "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled dial: %v", err)
	}
}

// FuzzControl: whatever a client sends, the poker goes on and the service is not
// left stopped.
func FuzzControl(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"do":"hello","token":"secret"}` + "\n" + `{"id":2,"do":"pause","phase":1,"nanos":1000}`,
		`{"id":1,"do":"hello","token":"secret"}` + "\n" + `{"do":"watch","batch":1}` + "\n" + `{"do":"stats"}`,
		"GET / HTTP/1.1\r\n\r\n", `{"do":`, "\x00\xff\n{}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := page.Private()
		pauser := NewPauser(&fakeGroup{}, p, 10*time.Millisecond, nil, nil)
		server := &Server{Token: "secret", Page: p, Pauser: pauser, Meter: NewMeter(0, nil)}
		here, there := net.Pipe()
		done := make(chan struct{})
		go func() { server.serve(there); close(done) }()
		go func() {
			for in := bufio.NewReader(here); ; {
				if _, err := in.ReadByte(); err != nil {
					return
				}
			}
		}()
		_, _ = here.Write([]byte(text + "\n"))
		here.Close()
		<-done
		pauser.Close()
		if server.current != nil {
			t.Error("the client is still there")
		}
	})
}
