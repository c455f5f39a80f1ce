// Package frontend appends to three lists at once.
package frontend

import (
	"context"
	"errors"
	"fmt"

	"github.com/onefold/onefold"
	"github.com/onefold/onefold/testdata/apps/threelists/list"
)

// ErrSmall is returned for a value that the frontend refuses.
var ErrSmall = errors.New("frontend: value too small")

// Smallest is the smallest value that the frontend takes.
const Smallest = 10

// Frontend keeps a list of its own and appends to two others.
//
//onefold:service
type Frontend struct {
	first   *list.First
	second  *list.Second
	values  []int
	refused map[int]int // how often TryAppend had to give up, by value
}

// NewFrontend returns a Frontend over two lists.
func NewFrontend(f *list.First, s *list.Second) *Frontend {
	return &Frontend{first: f, second: s, refused: map[int]int{}}
}

// Append adds a value to all three lists. It returns ErrSmall, or an error that
// wraps list.ErrTooLarge, and then no list has it.
func (f *Frontend) Append(ctx context.Context, value int) error {
	f.values = append(f.values, value)
	if _, err := f.first.Append(ctx, value); err != nil {
		return err
	}
	if _, err := f.second.Append(ctx, value); err != nil {
		return fmt.Errorf("append %d: %w", value, err)
	}
	if value < Smallest {
		return ErrSmall // the caller's own abort, after everything was done
	}
	return nil
}

// TryAppend is Append for a caller who does not mind: it reports whether the
// lists have the value, and counts those that they refused.
func (f *Frontend) TryAppend(ctx context.Context, value int) (bool, error) {
	err := onefold.Tx(ctx, f, func(ctx context.Context) error {
		return f.Append(ctx, value)
	})
	if errors.Is(err, ErrSmall) || errors.Is(err, list.ErrTooLarge) {
		f.refused[value]++
		return false, nil
	}
	return err == nil, err
}

// AppendAll adds those of the values that the lists take, one after the other,
// each all or nothing, and returns how many it added. A zero value ends it all.
func (f *Frontend) AppendAll(ctx context.Context, values []int) (added int, err error) {
	for _, value := range values {
		if value == 0 {
			return 0, fmt.Errorf("after %d values: %w", added, ErrSmall)
		}
		ok, err := f.TryAppend(ctx, value)
		if err != nil {
			return 0, err
		}
		if ok {
			added++
		}
	}
	return added, nil
}

// Lists returns all three lists: the frontend's, the first, the second.
func (f *Frontend) Lists(ctx context.Context) ([][]int, error) {
	first, err := f.first.Values(ctx)
	if err != nil {
		return nil, err
	}
	second, err := f.second.Values(ctx)
	if err != nil {
		return nil, err
	}
	return [][]int{f.values, first, second}, nil
}

// Refused returns how often TryAppend gave up on a value.
func (f *Frontend) Refused(ctx context.Context, value int) (int, error) {
	return f.refused[value], nil
}
