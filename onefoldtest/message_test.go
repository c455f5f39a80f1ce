package onefoldtest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold"
)

// A message runs once its root has succeeded, and not if that fails. A message that
// fails leaves no trace.
func TestCallRunsMessages(t *testing.T) {
	app := New(t, newTill)
	till := Get[Till](app)
	failed := errors.New("failed")
	send := func(ctx context.Context, who string, end error) {
		onefold.Go(ctx, func(ctx context.Context) error {
			till.notes[who]++
			return end
		})
	}
	err := Call(app, func(ctx context.Context) error {
		send(ctx, "kept", nil)
		send(ctx, "undone", failed)
		onefold.Go(ctx, func(ctx context.Context) error { return till.Note(ctx, "sent by a message", 1) })
		if len(till.notes) > 0 {
			t.Errorf("messages ran before the root had succeeded: %v", till.notes)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := Call(app, func(ctx context.Context) error { send(ctx, "dropped", nil); return failed }); err != failed {
		t.Errorf("got error %v, want %v", err, failed)
	}
	want := map[string]int{"kept": 1, "sent by a message1": 1, "later sent by a message1": 1}
	if diff := cmp.Diff(want, till.notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// A workflow that ends in an error keeps what its steps did.
func TestInvokeWorkflow(t *testing.T) {
	if raceDetector {
		t.Skip("see Simulate")
	}
	app := New(t, newDesk, newTill)
	synctest.Test(t, func(t *testing.T) {
		// Nobody says go, and what was taken is given back.
		if reply := Invoke(app, "Desk.Sell", `{"who":"ann","n":2}`); reply.Status != http.StatusUnprocessableEntity || !errors.Is(reply.Err, errSlow) {
			t.Errorf("got %d %v, want errSlow", reply.Status, reply.Err)
		}
		if reply := Invoke(app, "Desk.Tell", `{"who":"bob","n":2}`); reply.Status != http.StatusOK {
			t.Errorf("got %d %s", reply.Status, reply.Detail)
		}
	})
	till := Get[Till](app)
	if diff := cmp.Diff(map[string]int{"ann": 0}, till.takings); diff != "" {
		t.Errorf("takings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"bob2": 1, "bob3": 1, "later bob2": 1, "later bob3": 1}, till.notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
