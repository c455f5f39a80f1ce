// Package order keeps the orders that were placed.
package order

import "context"

// An Order is one trip: a room and a seat for a user.
type Order struct {
	ID     int    `json:"id"`
	User   string `json:"user"`
	Hotel  string `json:"hotel"`
	Flight string `json:"flight"`
}

// Orders keeps orders in the order they were placed.
//
//onefold:service
type Orders struct {
	placed []Order
	byUser map[string][]int // order ids by user
}

// NewOrders returns an empty Orders service.
func NewOrders() *Orders {
	return &Orders{byUser: map[string][]int{}}
}

// Place records an order and returns its id, counted from 1.
func (o *Orders) Place(ctx context.Context, user, hotel, flight string) (int, error) {
	id := len(o.placed) + 1
	o.placed = append(o.placed, Order{ID: id, User: user, Hotel: hotel, Flight: flight})
	o.byUser[user] = append(o.byUser[user], id)
	return id, nil
}

// Of returns the orders of a user.
func (o *Orders) Of(ctx context.Context, user string) ([]Order, error) {
	var orders []Order
	for _, id := range o.byUser[user] {
		orders = append(orders, o.placed[id-1])
	}
	return orders, nil
}

// Count returns the number of orders placed.
func (o *Orders) Count(ctx context.Context) (int, error) {
	return len(o.placed), nil
}
