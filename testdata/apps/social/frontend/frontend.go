// Package frontend is the social network as its users see it.
package frontend

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold/testdata/apps/social/graph"
	"github.com/onefold/onefold/testdata/apps/social/post"
	"github.com/onefold/onefold/testdata/apps/social/timeline"
	"github.com/onefold/onefold/testdata/apps/social/user"
)

// Network is the way in.
//
//onefold:service
type Network struct {
	users     *user.Users
	graph     *graph.Graph
	posts     *post.Posts
	timelines *timeline.Timelines
}

// NewNetwork returns a network over its services.
func NewNetwork(u *user.Users, g *graph.Graph, p *post.Posts, t *timeline.Timelines) *Network {
	return &Network{users: u, graph: g, posts: p, timelines: t}
}

// Join makes a new member that follows those named. A name that nobody has
// undoes all of it.
func (n *Network) Join(ctx context.Context, name string, follow []string) (user.ID, error) {
	id, err := n.users.Register(ctx, name, "new here")
	if err != nil {
		return 0, err
	}
	for _, other := range follow {
		if _, err := n.Follow(ctx, name, other); err != nil {
			return 0, fmt.Errorf("follow %s: %w", other, err)
		}
	}
	return id, nil
}

// Follow makes a user follow another. It reports whether that is new.
func (n *Network) Follow(ctx context.Context, name, other string) (bool, error) {
	follower, followee, err := n.pair(ctx, name, other)
	if err != nil {
		return false, err
	}
	return n.graph.Follow(ctx, follower, followee)
}

// Unfollow is the opposite of Follow.
func (n *Network) Unfollow(ctx context.Context, name, other string) (bool, error) {
	follower, followee, err := n.pair(ctx, name, other)
	if err != nil {
		return false, err
	}
	return n.graph.Unfollow(ctx, follower, followee)
}

// Write publishes a post to all who follow its author.
func (n *Network) Write(ctx context.Context, author, text string) (post.ID, error) {
	id, err := n.users.Lookup(ctx, author)
	if err != nil {
		return 0, err
	}
	var written post.ID
	var readers []user.ID
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		written, err = n.posts.Store(ctx, id, text)
		return err
	})
	g.Go(func() (err error) {
		readers, err = n.graph.Followers(ctx, id)
		return err
	})
	if err := g.Wait(); err != nil {
		return 0, err
	}
	return written, n.timelines.Publish(ctx, written, id, readers)
}

// Read returns what a user gets to read, oldest first.
func (n *Network) Read(ctx context.Context, name string) ([]post.Post, error) {
	id, err := n.users.Lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	ids, err := n.timelines.Home(ctx, id)
	if err != nil {
		return nil, err
	}
	return n.posts.Read(ctx, ids)
}

// Like makes a user like a post.
func (n *Network) Like(ctx context.Context, name string, id post.ID) error {
	who, err := n.users.Lookup(ctx, name)
	if err != nil {
		return err
	}
	return n.posts.Like(ctx, id, who)
}

// Remove takes a post back. It reports false when it is not the user's own.
func (n *Network) Remove(ctx context.Context, name string, id post.ID) (bool, error) {
	author, err := n.users.Lookup(ctx, name)
	if err != nil {
		return false, err
	}
	return n.posts.Remove(ctx, id, author)
}

// pair looks up two users.
func (n *Network) pair(ctx context.Context, name, other string) (user.ID, user.ID, error) {
	first, err := n.users.Lookup(ctx, name)
	if err != nil {
		return 0, 0, err
	}
	second, err := n.users.Lookup(ctx, other)
	return first, second, err
}
