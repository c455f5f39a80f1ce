//go:build linux

package stage_test

import (
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/onefold/onefold/control/stage"
	"github.com/onefold/onefold/instrument/poker"
	"github.com/onefold/onefold/instrument/profile/local/localtest"
	"github.com/onefold/onefold/runtime/gateway"
)

// TestPausedByItsPoker: a replica that its poker pauses, for as long as it can, is not
// taken for one that hangs. It keeps its requests and answers them when it goes on.
func TestPausedByItsPoker(t *testing.T) {
	control := "unix:" + filepath.Join(t.TempDir(), "s")
	s, g := start(t, stage.Options{Services: []string{"Hotel"}, Parent: func(name string) []string {
		if name != "Hotel/1" {
			return nil
		}
		return append(localtest.PokerCommand(t), "--control", control, "--")
	}})
	_, pid := post(g, "/Hotel/Add")
	p, err := poker.Dial(t.Context(), control, "", t.Name(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if strconv.Itoa(p.Info.Group) != pid {
		t.Fatalf("the poker has process %d, the gateway %s", p.Info.Group, pid)
	}

	ended := make(chan poker.Interval, 1)
	p.Pause(1, poker.MaxPause, func(in poker.Interval, err error) {
		if err != nil {
			t.Errorf("pause: %v", err)
		}
		ended <- in
	})
	eventually(t, "paused", func() bool { return stopped(p.Info.Group) })
	answered := make(chan string, 1)
	go func() {
		code, body := post(g, "/Hotel/Add")
		answered <- http.StatusText(code) + " " + body
	}()
	for waiting := true; waiting; {
		select {
		case in := <-ended:
			waiting = false
			if paused := time.Duration(in.Continue - in.Stop); paused < poker.MaxPause*9/10 {
				t.Errorf("paused for %v, want %v", paused, poker.MaxPause)
			}
		case <-time.After(10 * time.Millisecond):
		}
		if r := find(s, "Hotel/1"); r.State != gateway.Up.String() {
			t.Fatalf("a replica that is paused has state %s", r.State)
		}
	}
	if got, want := <-answered, "OK "+pid; got != want {
		t.Errorf("a request that came in the pause: %s, want %s", got, want)
	}
	if r := find(s, "Hotel/1"); r.State != "up" || r.Restarts != 0 || r.Requests != 2 {
		t.Errorf("after the pause: state %s, %d restarts, %d deliveries, want up, 0 and 2", r.State, r.Restarts, r.Requests)
	}
}
