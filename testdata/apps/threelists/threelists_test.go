package threelists_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/threelists/frontend"
	"github.com/onefold/onefold/testdata/apps/threelists/list"
)

func TestAllThreeOrNone(t *testing.T) {
	app := onefoldtest.New(t, frontend.NewFrontend, list.NewFirst, list.NewSecond)
	front := onefoldtest.Get[frontend.Frontend](app)
	for _, tt := range []struct {
		value int
		want  error
	}{
		{42, nil},
		{9, frontend.ErrSmall},
		{101, list.ErrTooLarge},
		{100, nil},
	} {
		err := onefoldtest.Call(app, func(ctx context.Context) error { return front.Append(ctx, tt.value) })
		if !errors.Is(err, tt.want) {
			t.Errorf("Append(%d): %v, want %v", tt.value, err, tt.want)
		}
	}
	expect(t, front, []int{42, 100})
}

func TestTryAppendUndoes(t *testing.T) {
	app := onefoldtest.New(t, frontend.NewFrontend, list.NewFirst, list.NewSecond)
	front := onefoldtest.Get[frontend.Frontend](app)
	added, err := front.AppendAll(t.Context(), []int{50, 5, 500, 51})
	if added != 2 || err != nil {
		t.Errorf("AppendAll: %d, %v; want 2", added, err)
	}
	expect(t, front, []int{50, 51})
	for value, want := range map[int]int{5: 1, 500: 1, 50: 0} {
		if got, _ := front.Refused(t.Context(), value); got != want {
			t.Errorf("%d was refused %d times, want %d", value, got, want)
		}
	}
}

// expect fails unless all three lists have these values.
func expect(t *testing.T, front *frontend.Frontend, values []int) {
	t.Helper()
	got, err := front.Lists(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]int{values, values, values}, got); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
}
