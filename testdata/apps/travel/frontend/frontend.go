// Package frontend books whole trips.
package frontend

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold/testdata/apps/travel/flight"
	"github.com/onefold/onefold/testdata/apps/travel/hotel"
	"github.com/onefold/onefold/testdata/apps/travel/order"
)

// ErrFull is returned when the hotel or the flight has no place left.
var ErrFull = errors.New("frontend: no room or seat left")

// Frontend is where travellers book.
//
//onefold:service
type Frontend struct {
	hotel  *hotel.Hotel
	flight *flight.Flight
	orders *order.Orders
}

// NewFrontend returns a Frontend over the three services.
func NewFrontend(h *hotel.Hotel, f *flight.Flight, o *order.Orders) *Frontend {
	return &Frontend{hotel: h, flight: f, orders: o}
}

// Book reserves a room and a seat and places the order: all of it or nothing.
func (f *Frontend) Book(ctx context.Context, user, hotelID, flightID string) (orderID int, err error) {
	var room, seat bool
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		room, err = f.hotel.Reserve(ctx, hotelID, user)
		return err
	})
	g.Go(func() (err error) {
		seat, err = f.flight.Reserve(ctx, flightID, user)
		return err
	})
	if err := g.Wait(); err != nil {
		return 0, err
	}
	if !room || !seat {
		return 0, ErrFull // undoes both reservations
	}
	return f.orders.Place(ctx, user, hotelID, flightID)
}
