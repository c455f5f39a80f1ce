// Package flight sells seats.
package flight

import "context"

// Flight sells seats on flights.
//
//onefold:service
type Flight struct {
	seats map[string]int      // free seats by flight id
	taken map[string][]string // users by flight id
}

// NewFlight returns a Flight service with no flights.
func NewFlight() *Flight {
	return &Flight{seats: map[string]int{}, taken: map[string][]string{}}
}

// Add sets how many seats a flight has free.
func (f *Flight) Add(ctx context.Context, flightID string, seats int) error {
	f.seats[flightID] = seats
	return nil
}

// Reserve takes one seat for a user. It reports false when the flight is full or unknown.
func (f *Flight) Reserve(ctx context.Context, flightID, userID string) (bool, error) {
	if f.seats[flightID] == 0 {
		return false, nil
	}
	f.seats[flightID]--
	f.taken[flightID] = append(f.taken[flightID], userID)
	return true, nil
}

// Seats returns the free seats of a flight; ok reports whether it exists.
func (f *Flight) Seats(ctx context.Context, flightID string) (seats int, ok bool, err error) {
	seats, ok = f.seats[flightID]
	return seats, ok, nil
}

// Passengers returns who sits in a flight, in the order of their reservations.
func (f *Flight) Passengers(ctx context.Context, flightID string) ([]string, error) {
	return f.taken[flightID], nil
}
