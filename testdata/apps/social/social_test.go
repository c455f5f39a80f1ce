package social_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/social/frontend"
	"github.com/onefold/onefold/testdata/apps/social/graph"
	"github.com/onefold/onefold/testdata/apps/social/post"
	"github.com/onefold/onefold/testdata/apps/social/timeline"
	"github.com/onefold/onefold/testdata/apps/social/user"
)

func TestNetwork(t *testing.T) {
	app := onefoldtest.New(t, frontend.NewNetwork, user.NewUsers, graph.NewGraph, post.NewPosts, timeline.NewTimelines)
	net := onefoldtest.Get[frontend.Network](app)
	join := func(name string, follow ...string) error {
		return onefoldtest.Call(app, func(ctx context.Context) error {
			_, err := net.Join(ctx, name, follow)
			return err
		})
	}
	if err := errors.Join(join("ann"), join("bob", "ann")); err != nil {
		t.Fatal(err)
	}
	if err := join("cid", "ann", "zoe"); !errors.Is(err, user.ErrUnknown) {
		t.Errorf("following nobody: %v, want ErrUnknown", err)
	}
	if err := join("ann"); !errors.Is(err, user.ErrTaken) {
		t.Errorf("joining twice: %v, want ErrTaken", err)
	}
	if _, err := net.Follow(t.Context(), "ann", "ann"); !errors.Is(err, graph.ErrSelf) {
		t.Errorf("following oneself: %v, want ErrSelf", err)
	}

	for _, text := range []string{"one", "two"} {
		if _, err := net.Write(t.Context(), "ann", text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(net.Like(t.Context(), "bob", 2), net.Like(t.Context(), "bob", 2)); err != nil {
		t.Fatal(err)
	}
	if ok, err := net.Remove(t.Context(), "ann", 1); !ok || err != nil {
		t.Errorf("Remove: %t, %v; want true", ok, err)
	}
	got, _ := net.Read(t.Context(), "bob") // cid was undone, so bob is the only reader
	want := []post.Post{{ID: 2, Author: 1, Text: "two", Likes: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bob reads (-want +got):\n%s", diff)
	}
}
