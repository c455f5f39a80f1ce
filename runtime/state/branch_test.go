package state_test

import (
	"context"
	"testing"

	"github.com/onefold/onefold/runtime/atomic"
)

// TestBranches has a request look at something, a branch change it, and the
// request look again. attempts is 1 where the branch's memory can be taken over, 2
// where it has to run in the request's own.
func TestBranches(t *testing.T) {
	for name, test := range map[string]struct {
		before, branch func(b *box)
		after          func(b *box) bool // whether what it sees is right
		attempts       int
	}{
		"value": {
			func(b *box) { b.total.Set(1) },
			func(b *box) { *b.total.Ref() += 2 },
			func(b *box) bool { return b.total.Get() == 3 }, 1,
		},
		"value added to": {
			func(b *box) { b.total.Get() },
			func(b *box) { b.total.Add(2) },
			func(b *box) bool { return b.total.Get() == 2 }, 1,
		},
		"map cleared": {
			func(b *box) { b.counts.Get(1); b.counts.Set(2, 5) },
			func(b *box) { b.counts.Clear(); b.counts.Set(3, 3) },
			func(b *box) bool {
				_, one := b.counts.Lookup(1)
				_, two := b.counts.Lookup(2)
				return !one && !two && b.counts.Get(3) == 3 && b.counts.Len() == 1
			}, 1,
		},
		"slice shortened": {
			func(b *box) { b.line.Get(7); b.line.Len() },
			func(b *box) { b.line.Truncate(3) },
			func(b *box) bool { return b.line.Len() == 3 }, 2,
		},
		"slice appended to": {
			func(b *box) { b.line.Len() },
			func(b *box) { b.line.Append(item{Name: "last"}) },
			func(b *box) bool { return b.line.Len() == 11 && b.line.Get(10).Name == "last" }, 1,
		},
		"other entries": {
			func(b *box) { b.nodes.Get("a").N = 5 },
			func(b *box) { b.nodes.Get("b").N++ },
			func(b *box) bool { return b.nodes.Get("a").N == 5 && b.nodes.Get("b").N == 3 }, 1,
		},
		"same object": {
			func(b *box) { b.nodes.Get("a").N = 5 },
			func(b *box) { b.nodes.Get("a").N++ },
			func(b *box) bool { return b.nodes.Get("a").N == 6 }, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t)
			fill(t, r)
			attempts := 0
			check := func(b *box) {
				if !test.after(b) {
					t.Error("the request sees another state than the branch left")
				}
			}
			do(t, r, func(_ context.Context, b *box) error {
				attempts++
				test.before(b)
				g := atomic.NewGroup(b.tx, bindBox)
				g.Go(func(b *box) error { test.branch(b); return nil })
				if err := g.Wait(); err != nil {
					return err
				}
				check(b)
				return nil
			})
			if attempts != test.attempts {
				t.Errorf("%d attempts, want %d", attempts, test.attempts)
			}
			do(t, r, func(_ context.Context, b *box) error { check(b); return nil })
		})
	}
}

// TestObjectOfBranch changes, after Wait, an object that a branch found.
func TestObjectOfBranch(t *testing.T) {
	r := newRunner(t)
	fill(t, r)
	do(t, r, func(_ context.Context, b *box) error {
		var found *node
		g := atomic.NewGroup(b.tx, bindBox)
		g.Go(func(b *box) error { found = b.nodes.Get("a"); return nil })
		if err := g.Wait(); err != nil {
			return err
		}
		found.N = 42
		if b.nodes.Get("a") != found {
			t.Error("the request finds another object than its branch found")
		}
		return nil
	})
	do(t, r, func(_ context.Context, b *box) error {
		if n := b.nodes.Get("a").N; n != 42 {
			t.Errorf("N is %d, want 42", n)
		}
		return nil
	})
}
