package onefold_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold"
	"github.com/onefold/onefold/internal/plain"
)

// A message runs after its root has committed, and never if that fails or a
// transaction around it is undone.
func TestGoWaitsForCommit(t *testing.T) {
	var ran []string
	world := new(plain.World)
	root := &plain.Root{World: world}
	ctx := plain.With(t.Context(), root)
	send := func(what string) {
		onefold.Go(ctx, func(context.Context) error { ran = append(ran, what); return nil })
	}
	send("first")
	err := onefold.Tx(ctx, newShop(), func(context.Context) error { send("undone"); return errors.New("undo") })
	if err == nil {
		t.Error("Tx returned no error")
	}
	send("second")
	if len(ran) > 0 {
		t.Errorf("ran before the commit: %v", ran)
	}
	root.Commit()
	if diff := cmp.Diff([]string{"first", "second"}, ran); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	root.Commit()
	if len(ran) != 2 {
		t.Errorf("sent twice: %v", ran)
	}
}

func TestGoInWorkflowAndAlone(t *testing.T) {
	ran := 0
	count := func(context.Context) error { ran++; return errors.New("nobody's") }
	onefold.Go(t.Context(), count)
	onefold.Go(plain.With(t.Context(), &plain.Root{World: new(plain.World), ID: "w"}), count)
	if ran != 2 {
		t.Errorf("%d messages ran at once, want 2", ran)
	}
}

func TestSignalAndAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := new(plain.World)
		world.Begin("w")
		flow := plain.With(t.Context(), &plain.Root{World: world, ID: "w"})
		request := &plain.Root{World: world}
		sent := []int{1}
		if err := onefold.Signal(plain.With(t.Context(), request), onefold.ID(flow), "go", sent); err != nil {
			t.Fatal(err)
		}
		sent[0] = 2
		if _, ok, err := onefold.Await[[]int](flow, "go", time.Hour); ok || err != nil {
			t.Errorf("Await before the commit: %v, %v", ok, err)
		}
		time.AfterFunc(48*time.Hour, request.Commit)
		got, ok, err := onefold.Await[[]int](flow, "go", 0)
		if diff := cmp.Diff([]int{1}, got); diff != "" || !ok || err != nil {
			t.Errorf("Await: %v, %v (-want +got):\n%s", ok, err, diff)
		}
		world.End("w")
		if err := onefold.Signal(flow, "w", "go", 1); !errors.Is(err, plain.ErrEnded) {
			t.Errorf("signal to an ended workflow: %v", err)
		}
		if err := onefold.Signal(flow, "x", "go", 1); !errors.Is(err, plain.ErrNotFound) {
			t.Errorf("signal to an unknown workflow: %v", err)
		}
	})
}

func TestAwaitOtherType(t *testing.T) {
	world := new(plain.World)
	world.Begin("w")
	flow := plain.With(t.Context(), &plain.Root{World: world, ID: "w"})
	if err := onefold.Signal(flow, "w", "go", 1); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := onefold.Await[string](flow, "go", 0); ok || err == nil {
		t.Errorf("a number as a string: %v, %v", ok, err)
	}
}

func TestAwaitCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok, err := onefold.Await[int](ctx, "never", 0); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("Await with a cancelled context: %v, %v", ok, err)
	}
}

func TestDo(t *testing.T) {
	var keys []string
	shared := []int{1}
	failed := errors.New("failed")
	ctx := plain.With(t.Context(), &plain.Root{ID: "w"})
	charge := func(err error) ([]int, error) {
		return onefold.Do(ctx, "charge", func(_ context.Context, key string) ([]int, error) {
			keys = append(keys, key)
			return shared, err
		})
	}
	got, err := charge(nil)
	shared[0] = 2
	if diff := cmp.Diff([]int{1}, got); diff != "" || err != nil {
		t.Errorf("Do: %v (-want +got):\n%s", err, diff)
	}
	if got, err := charge(failed); got != nil || err != failed {
		t.Errorf("Do of an effect that fails: %v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"w/1", "w/2"}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestVersion(t *testing.T) {
	if !onefold.Version(t.Context(), "change") {
		t.Error("false in a plain program")
	}
	old := plain.With(t.Context(), &plain.Root{Version: func(change string) bool { return change != "change" }})
	if onefold.Version(old, "change") {
		t.Error("true, but the runner says false")
	}
}
