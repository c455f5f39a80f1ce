// Package list keeps two lists in two services.
package list

import (
	"context"
	"errors"
)

// ErrTooLarge is returned for a value that a list does not take.
var ErrTooLarge = errors.New("list: value too large")

// First keeps the first list.
//
//onefold:service
type First struct {
	values []int
}

// NewFirst returns an empty list.
func NewFirst() *First { return &First{} }

// Append adds a value and returns how many there are now.
func (f *First) Append(ctx context.Context, value int) (int, error) {
	f.values = append(f.values, value)
	return len(f.values), nil
}

// Values returns the list.
func (f *First) Values(ctx context.Context) ([]int, error) {
	return f.values, nil
}

// Second keeps the second list. It is the fussy one.
//
//onefold:service
type Second struct {
	values []int
	limit  int // the largest value it takes
}

// NewSecond returns an empty list that takes values up to 100.
func NewSecond() *Second { return &Second{limit: 100} }

// Append adds a value and returns how many there are now. A value over the limit
// is an error, found only after it was added, so that there is something to undo.
func (s *Second) Append(ctx context.Context, value int) (int, error) {
	s.values = append(s.values, value)
	if value > s.limit {
		return 0, ErrTooLarge
	}
	return len(s.values), nil
}

// SetLimit changes the largest value it takes, and returns what it was.
func (s *Second) SetLimit(ctx context.Context, limit int) (int, error) {
	old := s.limit
	s.limit = limit
	return old, nil
}

// Values returns the list.
func (s *Second) Values(ctx context.Context) ([]int, error) {
	return s.values, nil
}
