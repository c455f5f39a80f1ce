package onefold_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold"
)

type stock struct{ left map[string]int }

type shop struct {
	stock  *stock
	orders []string
}

func (s *shop) buy(item string) {
	s.stock.left[item]--
	s.orders = append(s.orders, item)
}

func newShop() *shop {
	return &shop{stock: &stock{left: map[string]int{"pen": 2}}}
}

// expect fails unless the shop has sold the items, out of two pens.
func expect(t *testing.T, s *shop, items ...string) {
	t.Helper()
	if diff := cmp.Diff(items, s.orders); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if got, want := s.stock.left["pen"], 2-len(items); got != want {
		t.Errorf("%d pens left, want %d", got, want)
	}
}

func TestTxKeepsOnSuccess(t *testing.T) {
	s := newShop()
	if err := onefold.Tx(t.Context(), s, func(context.Context) error { s.buy("pen"); return nil }); err != nil {
		t.Fatal(err)
	}
	expect(t, s, "pen")
}

func TestTxRestoresEveryServiceOnError(t *testing.T) {
	s := newShop()
	failed := errors.New("failed")
	err := onefold.Tx(t.Context(), s, func(context.Context) error { s.buy("pen"); return failed })
	if err != failed {
		t.Errorf("got error %v, want %v", err, failed)
	}
	expect(t, s)
}

func TestTxRestoresOnPanic(t *testing.T) {
	s := newShop()
	defer func() {
		if r := recover(); r != "boom" {
			t.Errorf("recovered %v, want boom", r)
		}
		expect(t, s)
	}()
	_ = onefold.Tx(t.Context(), s, func(context.Context) error { s.buy("pen"); panic("boom") })
}

func TestTxNests(t *testing.T) {
	s := newShop()
	undo := errors.New("undo")
	err := onefold.Tx(t.Context(), s, func(ctx context.Context) error {
		s.buy("pen")
		if err := onefold.Tx(ctx, s, func(context.Context) error { s.buy("pen"); return undo }); err != undo {
			t.Errorf("inner error %v, want %v", err, undo)
		}
		expect(t, s, "pen")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, s, "pen")

	err = onefold.Tx(t.Context(), s, func(ctx context.Context) error {
		if err := onefold.Tx(ctx, s, func(context.Context) error { s.buy("pen"); return nil }); err != nil {
			t.Error(err)
		}
		return undo
	})
	if err != undo {
		t.Errorf("outer error %v, want %v", err, undo)
	}
	expect(t, s, "pen")
}
