// Package lib holds types that package zoo uses from another package.
package lib

// Base has a field that only its own package reaches.
type Base struct {
	ID     int `json:"id"`
	secret string
}

// SetSecret sets what other packages do not see.
func (b *Base) SetSecret(s string) { b.secret = s }

// Spot is a key with an unexported part.
type Spot struct {
	X, Y  int16
	layer uint8
}

// NewSpot returns a Spot.
func NewSpot(x, y int16, layer uint8) Spot { return Spot{x, y, layer} }

// Page is a part of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
	seen  bool
}

// See sets what other packages do not see.
func (p *Page[T]) See() { p.seen = true }

// Pair is generic with exported fields only.
type Pair[A, B any] struct {
	First  A
	Second B
}

type hidden struct{ N int }

// Hidden has an unexported type that other packages hold but cannot name.
type Hidden = []hidden

// MakeHidden returns n hidden things.
func MakeHidden(n int) Hidden { return make(Hidden, n) }
