// Package review has the types that the services pass around.
package review

import "time"

// An ID identifies a review. Later reviews have greater ids.
type ID uint64

// A MovieID identifies a movie.
type MovieID string

// A UserID identifies a user.
type UserID uint64

// Review is what a user thinks of a movie.
type Review struct {
	ID     ID        `json:"id"`
	User   UserID    `json:"user"`
	Movie  MovieID   `json:"movie"`
	Text   string    `json:"text"`
	Rating int       `json:"rating"` // stars, 1 to 5
	At     time.Time `json:"at"`
}

// Ref points to a review from a list of reviews.
type Ref struct {
	ID ID        `json:"id"`
	At time.Time `json:"at"`
}
