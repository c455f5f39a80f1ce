// Package chain reaches a counter through two services without state.
package chain

import (
	"context"

	"github.com/onefold/onefold/testdata/apps/counter/counter"
)

// First is where requests enter.
//
//onefold:service
type First struct {
	second *Second
}

// NewFirst returns the head of the chain.
func NewFirst(s *Second) *First {
	return &First{second: s}
}

// Increment passes the request on.
func (f *First) Increment(ctx context.Context, key string) (int, error) {
	return f.second.Increment(ctx, key)
}

// Value passes the request on.
func (f *First) Value(ctx context.Context, key string) (int, error) {
	return f.second.Value(ctx, key)
}

// Echo returns what it got; it shows what a request costs that touches no state.
func (f *First) Echo(ctx context.Context, text string) (string, error) {
	return text, nil
}

// Second stands between First and the counter.
//
//onefold:service
type Second struct {
	counter *counter.Counter
}

// NewSecond returns the middle of the chain.
func NewSecond(c *counter.Counter) *Second {
	return &Second{counter: c}
}

// Increment passes the request on.
func (s *Second) Increment(ctx context.Context, key string) (int, error) {
	return s.counter.Increment(ctx, key)
}

// Value passes the request on.
func (s *Second) Value(ctx context.Context, key string) (int, error) {
	return s.counter.Value(ctx, key)
}
