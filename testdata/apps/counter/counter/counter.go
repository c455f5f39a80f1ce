// Package counter counts.
package counter

import "context"

// Counter keeps one count for each key, and how often it was called.
//
//onefold:service
type Counter struct {
	counts map[string]int
	hits   int // calls of Increment and Hit
}

// NewCounter returns a Counter that has counted nothing.
func NewCounter() *Counter {
	return &Counter{counts: map[string]int{}}
}

// Increment adds one to a key's count and returns what it was before.
func (c *Counter) Increment(ctx context.Context, key string) (int, error) {
	old := c.counts[key]
	c.counts[key] = old + 1
	c.hits++
	return old, nil
}

// Hit adds one to a key's count without looking at it, so that no two hits
// ever conflict.
func (c *Counter) Hit(ctx context.Context, key string) error {
	c.counts[key]++
	c.hits++
	return nil
}

// Value returns a key's count.
func (c *Counter) Value(ctx context.Context, key string) (int, error) {
	return c.counts[key], nil
}

// Hits returns how often anything was counted.
func (c *Counter) Hits(ctx context.Context) (int, error) {
	return c.hits, nil
}

// Reset forgets a key and returns the count it had; ok reports whether it had one.
func (c *Counter) Reset(ctx context.Context, key string) (last int, ok bool, err error) {
	last, ok = c.counts[key]
	delete(c.counts, key)
	return last, ok, nil
}
