// Package graph knows who follows whom.
package graph

import (
	"context"
	"errors"

	"github.com/onefold/onefold/testdata/apps/social/user"
)

// ErrSelf is returned to those who would follow themselves.
var ErrSelf = errors.New("graph: nobody follows themselves")

// Edge says that a user follows another.
type Edge struct {
	Follower user.ID
	Followee user.ID
}

// Graph is the directed graph of followers.
//
//onefold:service
type Graph struct {
	edges     map[Edge]bool
	followers map[user.ID][]user.ID // who follows a user, oldest first
	followees map[user.ID][]user.ID // whom a user follows, oldest first
}

// NewGraph returns a graph without edges.
func NewGraph() *Graph {
	return &Graph{
		edges:     map[Edge]bool{},
		followers: map[user.ID][]user.ID{},
		followees: map[user.ID][]user.ID{},
	}
}

// Follow adds an edge. It reports whether it is new.
func (g *Graph) Follow(ctx context.Context, follower, followee user.ID) (bool, error) {
	if follower == followee {
		return false, ErrSelf
	}
	edge := Edge{follower, followee}
	if g.edges[edge] {
		return false, nil
	}
	g.edges[edge] = true
	g.followers[followee] = append(g.followers[followee], follower)
	g.followees[follower] = append(g.followees[follower], followee)
	return true, nil
}

// Unfollow removes an edge. It reports whether there was one.
func (g *Graph) Unfollow(ctx context.Context, follower, followee user.ID) (bool, error) {
	edge := Edge{follower, followee}
	if !g.edges[edge] {
		return false, nil
	}
	delete(g.edges, edge)
	g.followers[followee] = without(g.followers[followee], follower)
	g.followees[follower] = without(g.followees[follower], followee)
	return true, nil
}

// Followers returns who follows a user, oldest first.
func (g *Graph) Followers(ctx context.Context, id user.ID) ([]user.ID, error) {
	return g.followers[id], nil
}

// Followees returns whom a user follows, oldest first.
func (g *Graph) Followees(ctx context.Context, id user.ID) ([]user.ID, error) {
	return g.followees[id], nil
}

// without returns the ids but one, in a slice of its own.
func without(ids []user.ID, id user.ID) []user.ID {
	rest := make([]user.ID, 0, len(ids))
	for _, other := range ids {
		if other != id {
			rest = append(rest, other)
		}
	}
	return rest
}
