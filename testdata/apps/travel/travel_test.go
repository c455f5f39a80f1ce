package travel_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/travel/flight"
	"github.com/onefold/onefold/testdata/apps/travel/frontend"
	"github.com/onefold/onefold/testdata/apps/travel/hotel"
	"github.com/onefold/onefold/testdata/apps/travel/order"
)

func TestBook(t *testing.T) {
	app := onefoldtest.New(t, frontend.NewFrontend, hotel.NewHotel, flight.NewFlight, order.NewOrders)
	hotels, flights := onefoldtest.Get[hotel.Hotel](app), onefoldtest.Get[flight.Flight](app)
	front, orders := onefoldtest.Get[frontend.Frontend](app), onefoldtest.Get[order.Orders](app)
	ctx := t.Context()
	if err := errors.Join(hotels.Add(ctx, "ritz", 1), flights.Add(ctx, "LH1", 2)); err != nil {
		t.Fatal(err)
	}

	book := func(user string) (id int, err error) {
		err = onefoldtest.Call(app, func(ctx context.Context) error {
			id, err = front.Book(ctx, user, "ritz", "LH1")
			return err
		})
		return id, err
	}
	if id, err := book("ann"); id != 1 || err != nil {
		t.Errorf("first booking: order %d, %v; want order 1", id, err)
	}
	// The hotel is full now. The seat that was taken meanwhile is given back.
	if _, err := book("bob"); !errors.Is(err, frontend.ErrFull) {
		t.Errorf("second booking: %v, want ErrFull", err)
	}
	if seats, _, _ := flights.Seats(ctx, "LH1"); seats != 1 {
		t.Errorf("%d seats left, want 1", seats)
	}
	got, _ := orders.Of(ctx, "ann")
	want := []order.Order{{ID: 1, User: "ann", Hotel: "ritz", Flight: "LH1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("orders of ann (-want +got):\n%s", diff)
	}
}
