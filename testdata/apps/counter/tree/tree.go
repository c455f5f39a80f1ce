// Package tree counts in two services at once.
package tree

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Tree counts in both of its branches, in one transaction.
//
//onefold:service
type Tree struct {
	left  *Left
	right *Right
}

// NewTree returns a Tree over its branches.
func NewTree(l *Left, r *Right) *Tree {
	return &Tree{left: l, right: r}
}

// Increment adds one to a key on both sides, in parallel, and returns what both were before.
func (t *Tree) Increment(ctx context.Context, key string) (left, right int, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		left, err = t.left.Increment(ctx, key)
		return err
	})
	g.Go(func() (err error) {
		right, err = t.right.Increment(ctx, key)
		return err
	})
	err = g.Wait()
	return left, right, err
}

// Values returns a key's count on both sides.
func (t *Tree) Values(ctx context.Context, key string) ([]int, error) {
	left, err := t.left.Value(ctx, key)
	if err != nil {
		return nil, err
	}
	right, err := t.right.Value(ctx, key)
	if err != nil {
		return nil, err
	}
	return []int{left, right}, nil
}

// Left is the left branch.
//
//onefold:service
type Left struct {
	counts map[string]int
}

// NewLeft returns a branch that has counted nothing.
func NewLeft() *Left {
	return &Left{counts: map[string]int{}}
}

// Increment adds one to a key's count and returns what it was before.
func (l *Left) Increment(ctx context.Context, key string) (int, error) {
	l.counts[key]++
	return l.counts[key] - 1, nil
}

// Value returns a key's count.
func (l *Left) Value(ctx context.Context, key string) (int, error) {
	return l.counts[key], nil
}

// Right is the right branch.
//
//onefold:service
type Right struct {
	counts map[string]int
}

// NewRight returns a branch that has counted nothing.
func NewRight() *Right {
	return &Right{counts: map[string]int{}}
}

// Increment adds one to a key's count and returns what it was before.
func (r *Right) Increment(ctx context.Context, key string) (int, error) {
	r.counts[key]++
	return r.counts[key] - 1, nil
}

// Value returns a key's count.
func (r *Right) Value(ctx context.Context, key string) (int, error) {
	return r.counts[key], nil
}
