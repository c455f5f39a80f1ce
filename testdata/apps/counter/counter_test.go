package counter_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/counter/chain"
	"github.com/onefold/onefold/testdata/apps/counter/counter"
	"github.com/onefold/onefold/testdata/apps/counter/tree"
)

func TestChain(t *testing.T) {
	app := onefoldtest.New(t, chain.NewFirst, chain.NewSecond, counter.NewCounter)
	first, c := onefoldtest.Get[chain.First](app), onefoldtest.Get[counter.Counter](app)
	for want := range 3 {
		if got, err := first.Increment(t.Context(), "k"); got != want || err != nil {
			t.Errorf("Increment: %d, %v; want %d", got, err, want)
		}
	}
	if err := c.Hit(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if last, ok, _ := c.Reset(t.Context(), "k"); last != 4 || !ok {
		t.Errorf("Reset: %d, %t; want 4, true", last, ok)
	}
	if hits, _ := c.Hits(t.Context()); hits != 4 {
		t.Errorf("%d hits, want 4", hits)
	}
	if _, ok, _ := c.Reset(t.Context(), "k"); ok {
		t.Error("Reset found a key that was reset before")
	}
}

func TestTree(t *testing.T) {
	app := onefoldtest.New(t, tree.NewTree, tree.NewLeft, tree.NewRight)
	root := onefoldtest.Get[tree.Tree](app)
	if _, err := onefoldtest.Get[tree.Left](app).Increment(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if left, right, err := root.Increment(t.Context(), "k"); left != 1 || right != 0 || err != nil {
		t.Errorf("Increment: %d, %d, %v; want 1, 0", left, right, err)
	}
	got, _ := root.Values(t.Context(), "k")
	if diff := cmp.Diff([]int{2, 1}, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}
