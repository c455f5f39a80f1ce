// Package hotel keeps rooms and who reserved them.
package hotel

import (
	"context"
	"errors"
)

// ErrUnknown is returned for a hotel that does not exist.
var ErrUnknown = errors.New("hotel: unknown hotel")

// Room is one hotel's rooms.
type Room struct {
	Capacity int      `json:"capacity"` // rooms still free
	Guests   []string `json:"guests"`   // users who hold a reservation, oldest first
}

// Hotel takes reservations for hotels.
//
//onefold:service
type Hotel struct {
	rooms map[string]Room // by hotel id
	total int             // reservations ever made
}

// NewHotel returns a Hotel service with nothing in it.
func NewHotel() *Hotel {
	return &Hotel{rooms: map[string]Room{}}
}

// Add sets how many rooms a hotel has free.
func (h *Hotel) Add(ctx context.Context, hotelID string, capacity int) error {
	room := h.rooms[hotelID]
	room.Capacity = capacity
	h.rooms[hotelID] = room
	return nil
}

// Reserve takes one room for a user. It reports false when the hotel is full or unknown.
func (h *Hotel) Reserve(ctx context.Context, hotelID, userID string) (bool, error) {
	room, ok := h.rooms[hotelID]
	if !ok || room.Capacity == 0 {
		return false, nil
	}
	room.Capacity--
	room.Guests = append(room.Guests, userID)
	h.rooms[hotelID] = room
	h.total++
	return true, nil
}

// Room returns a hotel's rooms, or ErrUnknown.
func (h *Hotel) Room(ctx context.Context, hotelID string) (Room, error) {
	room, ok := h.rooms[hotelID]
	if !ok {
		return Room{}, ErrUnknown
	}
	return room, nil
}

// Total returns the number of reservations ever made.
func (h *Hotel) Total(ctx context.Context) (int, error) {
	return h.total, nil
}
